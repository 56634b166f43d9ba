"""Measures over runs and tasks: interquartile mean, mean, median, optimality gap.

After Agarwal, Schwarzer, Castro, Courville and Bellemare (2021), section 4.3. Where tasks differ in
their number of runs, the interquartile mean weighs every run alike, the others every task.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from fitting.aggregates.bootstrap import (
    RESAMPLES,
    Measured,
    check_resamples,
    percentile_interval,
    resampled,
    single_run,
)
from fitting.aggregates.scores import Scores
from theory.curve import FloatArray

IQM, MEAN, MEDIAN, GAP = "interquartile mean", "mean", "median over tasks", "optimality gap"
TRIMMED = 0.25
NO_TARGET = (
    "An optimality gap needs a target; give one, or reference scores, in whose units it is 1."
)

Statistic = Callable[[Sequence[FloatArray]], FloatArray]
"""From each task's scores (..., n_runs) to a number (...)."""


def interquartile_mean(values: FloatArray) -> FloatArray:
    """Return the mean (...) of what is left of (..., n) without a quarter at either end.

    A quarter is rounded down to whole scores, as by ``scipy.stats.trim_mean(values, 0.25)``.
    """
    n = values.shape[-1]
    cut = int(TRIMMED * n)
    return np.asarray(np.sort(values, axis=-1)[..., cut : n - cut].mean(axis=-1))


def iqm(tasks: Sequence[FloatArray]) -> FloatArray:
    """Return the interquartile mean of the scores of all tasks together."""
    return interquartile_mean(np.concatenate(tasks, axis=-1))


def mean(tasks: Sequence[FloatArray]) -> FloatArray:
    """Return the mean over tasks of the mean over runs."""
    return np.asarray(np.mean([values.mean(axis=-1) for values in tasks], axis=0))


def median(tasks: Sequence[FloatArray]) -> FloatArray:
    """Return the median over tasks of the mean over runs."""
    return np.asarray(np.median([values.mean(axis=-1) for values in tasks], axis=0))


def optimality_gap(tasks: Sequence[FloatArray], target: float) -> FloatArray:
    """Return by how much runs miss a target in the mean; what exceeds it does not count."""
    return target - mean([np.minimum(values, target) for values in tasks])


def measures(
    scores: Scores,
    *,
    target: float | None = None,
    n_resamples: int = RESAMPLES,
    rng: np.random.Generator,
) -> tuple[Measured, ...]:
    """Return interquartile mean, mean, median and optimality gap with bootstrap intervals.

    Parameters
    ----------
    scores : Scores
    target : float, optional
        What the optimality gap is measured from; without it there is none.
    n_resamples : int
    rng : numpy.random.Generator
    """
    check_resamples(n_resamples)
    why_not = single_run(scores)
    draws = None if why_not else resampled(scores, n_resamples, rng)
    statistics: dict[str, Statistic] = {IQM: iqm, MEAN: mean, MEDIAN: median}
    if target is not None:
        statistics[GAP] = lambda tasks: optimality_gap(tasks, target)
    found = []
    for name, statistic in statistics.items():
        value = float(statistic(scores.values))
        if draws is None:
            found.append(Measured(name, value, why_not=why_not))
            continue
        lower, upper = percentile_interval(statistic(draws))
        found.append(Measured(name, value, float(lower), float(upper)))
    if target is None:
        found.append(Measured(GAP, None, why_not=NO_TARGET))
    return tuple(found)
