"""Propose forms for many curves, on all processors: a process a curve, or threads for one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from joblib import Parallel, delayed

from empirics.provenance import processors
from fitting.comparison import Comparison
from fitting.propose import propose
from theory.curve import Curve

Progress = Callable[[str, int, int], None]
LABEL = "Fitting forms to curves"


def propose_all(
    curves: Sequence[Curve],
    *,
    seed: int,
    progress: Progress,
    forms: Sequence[str] | None = None,
    noises: Sequence[str] | None = None,
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
    n_jobs : int, optional
        Processors to use; by default all. The result does not depend on it.
    """
    most = n_jobs or processors()
    # A process takes seconds to start, as long as a curve or two take.
    wanted = min(most, max(1, len(curves) // 2))
    workers = most if wanted == 1 else 1
    progress(LABEL, 0, len(curves))
    done = []
    fitted = Parallel(n_jobs=wanted, return_as="generator")(
        delayed(propose)(curve, seed=seed, forms=forms, noises=noises, workers=workers)
        for curve in curves
    )
    for comparison in fitted:
        done.append(comparison)
        progress(LABEL, len(done), len(curves))
    return tuple(done)
