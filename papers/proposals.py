"""Propose forms for many curves, on all processors: a process a curve, or threads for one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from joblib import Parallel, delayed

from empirics.provenance import processors
from fitting.comparison import Comparison
from fitting.propose import propose
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
    """

    def one(curve: Curve, workers: int, _: Progress | None) -> Comparison:
        return propose(
            curve,
            seed=seed,
            forms=forms,
            noises=noises,
            cross_check=cross_check,
            workers=workers,
        )

    return of_each(one, curves, progress, n_jobs)


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
    """

    def one(curve: Curve, workers: int, within: Progress | None) -> Proposal:
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

    return of_each(one, curves, progress, n_jobs)


def of_each(
    one: Callable[[Curve, int, Progress | None], Judged],
    curves: Sequence[Curve],
    progress: Progress,
    n_jobs: int | None,
    label: str = LABEL,
) -> tuple[Judged, ...]:
    """Judge every curve; it is given the threads it may use, and told whom to report to."""
    most = n_jobs or processors()
    # A process takes seconds to start, as long as a curve or two take.
    wanted = min(most, max(1, len(curves) // 2))
    workers, within = (most, progress) if wanted == 1 else (1, None)
    progress(label, 0, len(curves))
    done = []
    judged = Parallel(n_jobs=wanted, return_as="generator")(
        delayed(one)(curve, workers, within) for curve in curves
    )
    for found in judged:
        done.append(found)
        progress(label, len(done), len(curves))
    return tuple(done)
