"""Developmental stages and peaks, read off the shape of fitted curves.

A stage is a stretch of one direction with one hump of the rate of change. Everything is measured on
the observed window, numerically from the curve itself, so it means the same for every form: the
rise of a stage is what happens inside the window, also where a plateau was never reached.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.estimate import Estimate, estimate

FloatArray = NDArray[np.float64]

# A valley of the speed separates two stages if it is lower than this share of the lower of the two
# humps beside it.
_VALLEY = 0.9
# Stretches that carry less than this share of the whole change are no stages of their own.
_SMALLEST_SHARE = 0.02


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
        Where the curve is farthest from the chord between its two ends, in units of t.
    height
        Its value there, in units of y.
    prominence
        Signed distance from the nearer of the two ends, in units of y.
    probability
        Share of draws that have such an extremum.
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
        In order of time; empty if most draws do not change at all.
    agreement
        Share of draws that have this number of stages (intervals are over these draws).
    peak
        The interior extremum, or None if fewer than half of the draws have one.
    """

    stages: tuple[Stage, ...]
    agreement: float
    peak: Peak | None


def stages(t: FloatArray, values: FloatArray, *, scale: float, flat: float = 0.02) -> Stages:
    """Read stages off posterior draws of a smooth curve.

    Parameters
    ----------
    t
        Shape (n,), increasing: a dense grid on the observed window.
    values
        Shape (S, n): one curve for each posterior draw.
    scale
        Range of the data, in units of y; a draw that moves less than ``flat * scale`` has no stage.
    flat
        Share of `scale` that counts as no change.

    Raises
    ------
    ValueError
        If the shapes do not agree.
    """
    if values.ndim != 2 or values.shape[1] != t.shape[0]:
        raise ValueError(
            f"values must have shape (draws, {t.shape[0]}) like t, got {values.shape}."
        )
    found = [_segments(t, y) if np.ptp(y) > flat * scale else [] for y in values]
    counts = np.array([len(segments) for segments in found])
    number = int(np.argmax(np.bincount(counts)))
    chosen = [i for i in range(len(found)) if len(found[i]) == number]
    table = np.array([[_measure(t, values[i], *piece) for piece in found[i]] for i in chosen])
    listed = tuple(
        Stage(*(estimate(table[:, k, column]) for column in range(5))) for k in range(number)
    )
    return Stages(listed, len(chosen) / len(found), _peak(t, values, flat * scale))


def _segments(t: FloatArray, y: FloatArray) -> list[tuple[int, int]]:
    """Index pairs (first, last) of the stages of one smooth curve."""
    step = np.diff(y)
    total = np.abs(step).sum()
    # Below this a step is rounding or a plateau, whose sign means nothing.
    step = np.where(np.abs(step) < 1e-9 * total, 0.0, step)
    speed = step / np.diff(t)
    cuts = [0, *_turns(speed), *_valleys(speed), len(t) - 1]
    return _merged(np.abs(step), sorted(set(cuts)), _SMALLEST_SHARE * total)


def _turns(speed: FloatArray) -> list[int]:
    """Grid indices where the direction changes."""
    moving = np.flatnonzero(speed)
    change = np.flatnonzero(np.diff(np.sign(speed[moving])))
    return [int(moving[i] + 1) for i in change]


def _valleys(speed: FloatArray) -> list[int]:
    """Grid indices of the slowest place between two humps of the same direction."""
    size = np.abs(speed)
    inner = np.flatnonzero((size[1:-1] < size[:-2]) & (size[1:-1] <= size[2:])) + 1
    cuts = []
    for i in inner:
        humps = min(size[:i].max(), size[i + 1 :].max())
        if size[i] < _VALLEY * humps and np.sign(speed[i - 1]) == np.sign(speed[i + 1]) != 0:
            cuts.append(int(i) + 1 if size[i + 1] < size[i - 1] else int(i))
    return cuts


def _merged(size: FloatArray, cuts: list[int], smallest: float) -> list[tuple[int, int]]:
    """Pieces between cuts, the smallest ones joined to a neighbor until all are large enough."""
    pieces = [(a, b) for a, b in zip(cuts[:-1], cuts[1:], strict=True) if b > a]
    while len(pieces) > 1:
        change = [float(size[a:b].sum()) for a, b in pieces]
        k = int(np.argmin(change))
        if change[k] >= smallest:
            break
        left = k - 1 if k > 0 else 0
        pieces[left : left + 2] = [(pieces[left][0], pieces[left + 1][1])]
    return pieces


def _measure(t: FloatArray, y: FloatArray, first: int, last: int) -> tuple[float, ...]:
    """Onset, midpoint, width, share and rise of one stage."""
    size = np.abs(np.diff(y))
    done = np.concatenate(([0.0], np.cumsum(size[first:last])))
    # A strictly increasing copy, so that plateaus do not make the inverse ambiguous.
    done = done + np.arange(done.size) * 1e-12 * max(done[-1], 1e-300)
    times = np.interp(np.array([0.1, 0.5, 0.9]) * done[-1], done, t[first : last + 1])
    share = done[-1] / max(size.sum(), 1e-300)
    rise = y[last] - y[first]
    return float(times[0]), float(times[1]), float(times[2] - times[0]), float(share), float(rise)


def _peak(t: FloatArray, values: FloatArray, smallest: float) -> Peak | None:
    """Posterior of the interior extremum of curves that change direction."""
    top = np.maximum(values[:, 0], values[:, -1])
    bottom = np.minimum(values[:, 0], values[:, -1])
    above = values.max(axis=1) - top
    below = bottom - values.min(axis=1)
    has = np.maximum(above, below) > smallest
    if has.mean() < 0.5:
        return None
    upward = bool(np.median(above[has] - below[has]) > 0)
    has &= (above > below) == upward
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
