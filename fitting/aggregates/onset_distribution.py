"""The distribution of onsets over runs, with runs that ended before theirs as censored."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.special import ndtri

from fitting.aggregates.bootstrap import CONFIDENCE
from theory.curve import Curve, FloatArray
from theory.onset import Onset, lasting_onset


@final
@dataclass(frozen=True, eq=False)
class OnsetDistribution:
    """The share of runs whose onset has happened, as a step function of progress.

    Attributes
    ----------
    t : (n,) array
        Where the share rises.
    share : (n,) array
        From there on.
    lower, upper : (n,) array
        Pointwise 95 % band; nan where every run has had its onset, of which Greenwood's variance
        says nothing.
    n_runs, n_censored : int
    median : float or None
        The first progress at which half of the runs have had their onset; None if they never do.
    """

    t: FloatArray
    share: FloatArray
    lower: FloatArray
    upper: FloatArray
    n_runs: int
    n_censored: int
    median: float | None


def onset_distribution(onsets: Sequence[Onset]) -> OnsetDistribution:
    """Return the product-limit estimate of onsets (Kaplan and Meier 1958).

    An onset counts at the end of its bracket, where it was first seen; a censored run until its
    last point. At equal progress onsets come before ends. The band comes from Greenwood's (1926)
    variance on the scale ln(-ln S) (Kalbfleisch and Prentice 1980), which keeps it within 0 and 1.

    Raises
    ------
    ValueError
        If there is no onset, censored or not.
    """
    if not onsets:
        raise ValueError("a distribution of onsets needs at least one run; there is none.")
    ends = np.array([onset.lower if onset.censored else onset.upper for onset in onsets])
    seen = np.array([not onset.censored for onset in onsets])
    t = np.unique(ends[seen])
    events = np.array([np.sum(seen & (ends == time)) for time in t], dtype=np.float64)
    at_risk = np.array([np.sum(ends >= time) for time in t], dtype=np.float64)
    left = np.cumprod(1 - events / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(events / (at_risk * (at_risk - events)))
        half = ndtri(0.5 + CONFIDENCE / 2) * np.sqrt(greenwood) / np.abs(np.log(left))
        lower, upper = 1 - left ** np.exp(-half), 1 - left ** np.exp(half)
    open_end = left <= 0
    lower, upper = (np.where(open_end, np.nan, edge) for edge in (lower, upper))
    reached = np.flatnonzero(left <= 0.5 + 1e-12)
    return OnsetDistribution(
        t,
        np.asarray(1 - left, dtype=np.float64),
        lower,
        upper,
        len(onsets),
        int(np.sum(~seen)),
        float(t[reached[0]]) if reached.size else None,
    )


def halfway_level(curves: Sequence[Curve]) -> float:
    """Return the level between where runs begin and where they end, each in the median."""
    begin = float(np.median([curve.y[0] for curve in curves]))
    end = float(np.median([curve.y[-1] for curve in curves]))
    return 0.5 * (begin + end)


def onsets_of(curves: Sequence[Curve], level: float) -> tuple[tuple[Onset, ...], tuple[str, ...]]:
    """Return when each run passes a level for good, and which runs date nothing.

    Where most runs begin above the level, an onset is a fall below it. A run that was only
    observed at progress 0 dates no onset.
    """
    falls = float(np.median([curve.y[0] for curve in curves])) > level
    found, left_out = [], []
    for curve in curves:
        if math.isclose(float(curve.t[-1]), 0.0):
            left_out.append(curve.run or curve.run_id)
            continue
        way = -1.0 if falls else 1.0
        turned = Curve(curve.observable, curve.t, way * curve.y, run=curve.run)
        found.append(lasting_onset(turned, way * level))
    return tuple(found), tuple(left_out)
