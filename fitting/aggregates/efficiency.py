"""Sample efficiency: the interquartile mean over runs as a function of progress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from fitting.aggregates.bootstrap import RESAMPLES, check_resamples, percentile_interval, single_run
from fitting.aggregates.measures import iqm
from fitting.aggregates.scores import Scores
from theory.curve import Curve, FloatArray

MOST_POINTS = 100


@final
@dataclass(frozen=True, eq=False)
class Efficiency:
    """The interquartile mean over runs along progress, never without the runs themselves.

    Attributes
    ----------
    t : (n,) array
        The common grid of progress.
    runs : (n_runs, n) array
        Every single run on the grid, task by task.
    iqm : (n,) array
    lower, upper : (n,) array or None
        Pointwise 95 % band; None where a task has a single run.
    """

    t: FloatArray
    runs: FloatArray
    iqm: FloatArray
    lower: FloatArray | None
    upper: FloatArray | None


def common_grid(curves: Sequence[Curve]) -> FloatArray:
    """Return the progress at which all runs are read: from the last start to the first end.

    The points themselves where all runs share them, and there are few; else evenly spaced ones, no
    more than the shortest run has.

    Raises
    ------
    ValueError
        If there is no progress at which all runs were observed.
    """
    first = max(float(curve.t[0]) for curve in curves)
    end = min(float(curve.t[-1]) for curve in curves)
    if first > end:
        raise ValueError(
            f"the runs have no progress in common: one begins at {first:g}, another ends at "
            f"{end:g}."
        )
    inside = [curve.t[(curve.t >= first) & (curve.t <= end)] for curve in curves]
    shared = all(np.array_equal(t, inside[0]) for t in inside)
    if shared and inside[0].size <= MOST_POINTS:
        return inside[0]
    if first == end:
        return np.array([first])
    return np.linspace(first, end, max(2, min(MOST_POINTS, *(t.size for t in inside))))


def efficiency(
    tasks: Mapping[str, Sequence[Curve]],
    *,
    n_resamples: int = RESAMPLES,
    rng: np.random.Generator,
) -> Efficiency:
    """Return the interquartile mean of one group's runs along progress.

    Parameters
    ----------
    tasks : mapping of str to sequence of Curve
        The runs of each task; between their points they are read linearly.
    n_resamples : int
        The same runs are drawn again at every progress.
    rng : numpy.random.Generator

    Raises
    ------
    ValueError
        If there is no progress at which all runs were observed.
    """
    check_resamples(n_resamples)
    t = common_grid([curve for curves in tasks.values() for curve in curves])
    read = [np.array([np.interp(t, c.t, c.y) for c in curves]) for curves in tasks.values()]
    whole = iqm([values.T for values in read])
    runs = np.concatenate(read)
    scores = Scores(tuple(tasks), tuple(values[:, -1] for values in read))
    if single_run(scores):
        return Efficiency(t, runs, whole, None, None)
    drawn = [rng.integers(len(v), size=(n_resamples, len(v))) for v in read]
    ends = [
        percentile_interval(iqm([v[which, i] for v, which in zip(read, drawn, strict=True)]))
        for i in range(t.size)
    ]
    lower, upper = np.array(ends).T
    return Efficiency(t, runs, whole, lower, upper)
