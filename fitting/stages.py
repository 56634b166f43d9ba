"""Developmental stages and peaks, read off the shape of fitted curves.

A stage is a stretch of one direction with one hump of the rate of change (`fitting.humps`).
Everything is measured on the observed window, numerically from the curve itself, so it means the
same for every form: the rise of a stage is what happens inside the window, also where a plateau was
never reached.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.estimate import Estimate, estimate
from fitting.humps import humps
from theory.family import Family, classify

FloatArray = NDArray[np.float64]

_FAMILIES = tuple(Family)


@final
@dataclass(frozen=True)
class Stage:
    """One developmental stage with its uncertainty.

    Attributes
    ----------
    onset
        Time at which 10 % of the stage's change is done, in units of t.
    midpoint
        Time at which half of it is done.
    width
        Time from 10 % to 90 %.
    share
        This stage's part of the whole change (total variation) in the window, in [0, 1].
    rise
        Signed change of y over the stage, in units of y.
    """

    onset: Estimate
    midpoint: Estimate
    width: Estimate
    share: Estimate
    rise: Estimate


@final
@dataclass(frozen=True)
class Peak:
    """The extremum inside the window of a curve that changes direction.

    Attributes
    ----------
    time
        Where the curve is highest, or lowest if it dips, in units of t.
    height
        Its value there, in units of y.
    prominence
        Signed distance from the nearer of the two ends, in units of y; negative for a dip.
    probability
        Share of draws whose direction changes there and to this side.
    """

    time: Estimate
    height: Estimate
    prominence: Estimate
    probability: float


@final
@dataclass(frozen=True)
class Stages:
    """Stages, and the peak if there is one, of a posterior of curves.

    Attributes
    ----------
    stages
        In order of time; empty if most draws have no change of rate (family none).
    agreement
        Share of draws that have this number of stages (intervals are over these draws).
    peak
        The interior extremum, or None if fewer than half of the draws are transient with one to
        the same side.
    """

    stages: tuple[Stage, ...]
    agreement: float
    peak: Peak | None


def stages(t: FloatArray, values: FloatArray, *, scale: float) -> Stages:
    """Read stages off posterior draws of a smooth curve.

    Parameters
    ----------
    t
        Shape (n,), increasing: a dense grid on the observed window (`theory.family.family_grid`).
    values
        Shape (S, n): one curve for each posterior draw.
    scale
        Range of the data, in units of y; what counts as no change, as for the families.

    Raises
    ------
    ValueError
        If the shapes do not agree.
    """
    if values.ndim != 2 or values.shape[1] != t.shape[0]:
        raise ValueError(
            f"values must have shape (draws, {t.shape[0]}) like t, got {values.shape}."
        )
    families = [_FAMILIES[code] for code in classify(t, values, scale=scale)]
    found = [humps(t, y, family) for y, family in zip(values, families, strict=True)]
    counts = np.array([len(one.pieces) for one in found])
    number = int(np.argmax(np.bincount(counts)))
    chosen = [one for one in found if len(one.pieces) == number]
    table = np.array([[measure(t, one.steps, *piece) for piece in one.pieces] for one in chosen])
    listed = tuple(
        Stage(*(estimate(table[:, k, column]) for column in range(5))) for k in range(number)
    )
    transient = np.array([family is Family.TRANSIENT for family in families])
    return Stages(listed, len(chosen) / len(found), _peak(t, values, transient))


def measure(t: FloatArray, steps: FloatArray, first: int, last: int) -> tuple[float, ...]:
    """Onset, midpoint, width, share and rise of one stage of one curve.

    Parameters
    ----------
    t
        Shape (n,), increasing.
    steps
        Shape (n - 1,): change of y over each interval (`fitting.humps.humps`).
    first, last
        Grid indices between which the stage lies.
    """
    size = np.abs(steps)
    done = np.concatenate(([0.0], np.cumsum(size[first:last])))
    whole = done[-1]
    # A strictly increasing copy, so that plateaus do not make the inverse ambiguous.
    done = done + np.arange(done.size) * 1e-12 * max(whole, 1e-300)
    times = np.interp(np.array([0.1, 0.5, 0.9]) * done[-1], done, t[first : last + 1])
    share = min(whole / max(size.sum(), 1e-300), 1.0)
    rise = steps[first:last].sum()
    return float(times[0]), float(times[1]), float(times[2] - times[0]), float(share), float(rise)


def _peak(t: FloatArray, values: FloatArray, transient: NDArray[np.bool_]) -> Peak | None:
    """Posterior of the interior extremum of curves that change direction."""
    above = values.max(axis=1) - np.maximum(values[:, 0], values[:, -1])
    below = np.minimum(values[:, 0], values[:, -1]) - values.min(axis=1)
    if not transient.any():
        return None
    upward = bool(np.median((above - below)[transient]) > 0)
    has = transient & ((above > below) == upward)
    if has.mean() < 0.5:
        return None
    index = values.argmax(axis=1) if upward else values.argmin(axis=1)
    rows = np.flatnonzero(has)
    prominence = above[rows] if upward else -below[rows]
    return Peak(
        estimate(_vertex(t, values[rows], index[rows])),
        estimate(values[rows, index[rows]]),
        estimate(prominence),
        float(has.mean()),
    )


def _vertex(t: FloatArray, values: FloatArray, index: NDArray[np.intp]) -> FloatArray:
    """Time of the extremum, refined by the parabola through three grid points."""
    rows = np.arange(values.shape[0])
    i = np.clip(index, 1, t.size - 2)
    left, right = t[i] - t[i - 1], t[i + 1] - t[i]
    slope_left = (values[rows, i] - values[rows, i - 1]) / left
    slope_right = (values[rows, i + 1] - values[rows, i]) / right
    bend = slope_right - slope_left
    safe = np.where(bend == 0.0, 1.0, bend)
    # The derivative is linear between the two midpoints; its zero is the vertex.
    shift = np.where(bend == 0.0, 0.0, -slope_left / safe) * 0.5 * (left + right) - 0.5 * left
    return np.clip(t[i] + shift, t[i - 1], t[i + 1])
