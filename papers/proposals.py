"""Propose forms for many curves, on all workers: a process a curve, or threads for one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from empirics.engine import is_here, results
from empirics.provenance import processors
from fitting.comparison import Comparison
from fitting.propose import nothing_fitted, propose
from fitting.search.proposal import Proposal, propose_and_search
from theory.curve import Curve

Progress = Callable[[str, int, int], None]
Judged = TypeVar("Judged")
LABEL = "Fitting forms to curves"


def propose_all(
    curves: Sequence[Curve],
    *,
    seed: int,
    progress: Progress,
    forms: Sequence[str] | None = None,
    noises: Sequence[str] | None = None,
    cross_check: bool = False,
    n_jobs: int | None = None,
) -> tuple[Comparison, ...]:
    """Propose forms for every curve (`fitting.propose.propose`), in order.

    Parameters
    ----------
    curves : sequence of Curve
    seed : int
        Drives the Monte-Carlo part of every fit; each curve gets the same, so that its
        result does not depend on its company.
    progress : callable
        Told (label, done, total).
    forms, noises : sequences of str, optional
        Names of the competitors; by default the common forms and the noises that suit a curve.
    cross_check : bool
        As `fitting.compare.compare`.
    n_jobs : int, optional
        Processors to use; by default all. The result does not depend on it.

    Returns
    -------
    tuple of Comparison
        A curve whose fit always kills its process is inconclusive, with that reason.
    """

    def one(curve: Curve, *, workers: int, within: Progress | None) -> Comparison:
        return propose(
            curve,
            seed=seed,
            forms=forms,
            noises=noises,
            cross_check=cross_check,
            workers=workers,
        )

    def lost(curve: Curve, reason: str) -> Comparison:
        return nothing_fitted(curve, f"{reason}.")

    return of_each(one, curves, progress, n_jobs, lost)


def search_and_propose_all(
    curves: Sequence[Curve],
    *,
    seed: int,
    seconds: float,
    progress: Progress,
    forms: Sequence[str] | None = None,
    noises: Sequence[str] | None = None,
    cross_check: bool = False,
    n_jobs: int | None = None,
) -> tuple[Proposal, ...]:
    """Search every curve for new forms too (`fitting.search.proposal`), in order.

    Parameters
    ----------
    curves, seed, progress, forms, noises, cross_check, n_jobs
        As `propose_all`.
    seconds : float
        After which no further expression is looked at, for each curve.

    Raises
    ------
    OSError
        If the search of a curve always kills its process.
    """

    def one(curve: Curve, *, workers: int, within: Progress | None) -> Proposal:
        return propose_and_search(
            curve,
            seed=seed,
            seconds=seconds,
            forms=forms,
            noises=noises,
            cross_check=cross_check,
            workers=workers,
            progress=within,
        )

    def lost(curve: Curve, reason: str) -> Proposal:
        raise OSError(f"nothing was found for {curve.observable} of {curve.run!r}: {reason}.")

    return of_each(one, curves, progress, n_jobs, lost)


def of_each(
    one: Callable[..., Judged],
    curves: Sequence[Curve],
    progress: Progress,
    n_jobs: int | None,
    lost: Callable[[Curve, str], Judged],
    label: str = LABEL,
) -> tuple[Judged, ...]:
    """Judge every curve; it is given the threads it may use, and told whom to report to."""
    most = n_jobs or processors()
    # A process takes seconds to start, as long as a curve or two take.
    wanted = min(most, max(1, len(curves) // 2))
    workers, within = (most, progress) if is_here(wanted) else (1, None)
    progress(label, 0, len(curves))
    found = results(
        partial(one, workers=workers, within=within),
        curves,
        n_jobs=wanted,
        lost=lost,
        on_done=lambda done: progress(label, done, len(curves)),
    )
    return tuple(found)
