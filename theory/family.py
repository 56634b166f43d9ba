"""The family of a curve's shape: how often, and which way, its rate of change turns.

A family is a property of the fitted curve on the observed window, never of a form's name, and the
same for a rising and a falling curve:

none
    Constant or steady drift: the root mean square deviation from the best straight line, over the
    grid, is at most 1 % of `scale` (the data's range): less than the width of the line on a plot.
transient
    The direction changes: what goes back, all falls of a rising curve together, is more than 5 %
    of what goes forth.
multistage
    The same direction throughout, but two or more humps of the rate: to leave a rate with one hump
    one would have to take away more than 5 % of the whole change. A rate that falls and then rises
    to the right edge counts as two, each seen in part.
sigmoid
    One hump of the rate, or the part of one that the window shows: a curve that only speeds up
    counts, its hump lies at the right edge. Had the curve kept its highest rate from the start, it
    would have changed by more than 5 % of the whole change more.
saturating
    The rate of change only falls (up to that 5 %).

One part in twenty (`PROMINENCE`) of the curve's own change is what a reader would still call a
feature of it. For a logistic it means that the window must begin at least 1.3 / rate before the
midpoint to be called sigmoid; a Hill curve seen whole is sigmoid from an exponent of 1.6 on.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

STRAIGHT = 0.01
"""Largest deviation from a straight line, as a share of `scale`, that is no change of rate."""

PROMINENCE = 0.05
"""Smallest reversal, hump or acceleration that counts, as a share of the curve's whole change."""

BLOCK = 128
"""Curves taken at a time: their temporary arrays then stay in the processor's cache."""


class Family(StrEnum):
    """The families, in the order of the codes that :func:`classify` returns."""

    NONE = "none"
    SATURATING = "saturating"
    SIGMOID = "sigmoid"
    MULTISTAGE = "multistage"
    TRANSIENT = "transient"


_CODE = {family: np.int8(code) for code, family in enumerate(Family)}


def family_grid(curve_t: ArrayLike, n: int = 200) -> FloatArray:
    """Return a dense grid on the observed window, for :func:`classify`.

    Half of it lies evenly in t and half follows the observed times, so that evenly and
    logarithmically logged curves are both resolved, and "over the grid" weighs both.

    Parameters
    ----------
    curve_t : (n_obs,), strictly increasing, at least two times.
    n : about how many points.

    Returns
    -------
    (≤ n + 1,), strictly increasing from the first to the last observed time.
    """
    times = np.asarray(curve_t, dtype=np.float64)
    if times.ndim != 1 or times.size < 2:
        raise ValueError(
            f"a family needs a window of at least two times; the shape of t is {times.shape}."
        )
    half = n // 2
    even = np.linspace(times[0], times[-1], half)
    as_observed = np.interp(
        np.linspace(0, times.size - 1, n - half + 1), np.arange(times.size), times
    )
    grid: FloatArray = np.union1d(even, as_observed)
    # Points that differ by rounding only would turn rounding errors of y into rates.
    apart = np.diff(grid) > 1e-10 * (grid[-1] - grid[0])
    grid = grid[np.concatenate([[True], apart])]
    grid[-1] = times[-1]
    return grid


def classify(t: ArrayLike, y: ArrayLike, *, scale: float) -> NDArray[np.int8]:
    """Return the family of each curve's shape, as an index into ``tuple(Family)``.

    Parameters
    ----------
    t : (n,), strictly increasing; take :func:`family_grid`.
    y : (..., n), values of smooth curves, without noise.
    scale : range of the data that the curves were fitted to; what counts as no change at all.

    Returns
    -------
    (...,) int8.

    Raises
    ------
    ValueError
        If fewer than three times, lengths that differ, values that are not finite, or a negative
        scale.
    """
    times, values = _checked(t, y, scale)
    batch = values.shape[:-1]
    curves = values.reshape(-1, times.size)
    family = np.full(len(curves), _CODE[Family.NONE])
    bent = np.flatnonzero(~_is_straight(times, curves, scale))
    gaps = np.diff(times)
    for block in np.split(bent, np.arange(BLOCK, len(bent), BLOCK)):
        family[block] = _family_of_bent(gaps, np.diff(curves[block].T, axis=0))
    return family.reshape(batch)


def _checked(t: ArrayLike, y: ArrayLike, scale: float) -> tuple[FloatArray, FloatArray]:
    times = np.asarray(t, dtype=np.float64)
    values = np.asarray(y, dtype=np.float64)
    if times.ndim != 1 or times.size < 3:
        raise ValueError(f"a family needs at least three times; the shape of t is {times.shape}.")
    if np.any(np.diff(times) <= 0):
        raise ValueError("t must be strictly increasing.")
    if values.ndim == 0 or values.shape[-1] != times.size:
        raise ValueError(
            f"y must have {times.size} values on its last axis, as t; its shape is {values.shape}."
        )
    if not np.isfinite(values).all():
        raise ValueError(f"y must be finite; {np.sum(~np.isfinite(values))} values are not.")
    if not 0 <= scale < np.inf:
        raise ValueError(f"scale must be finite and not negative; got {scale}.")
    return times, values


def _is_straight(times: FloatArray, curves: FloatArray, scale: float) -> NDArray[np.bool_]:
    """Tell whether each curve keeps within `STRAIGHT` of its best straight line; (m,)."""
    centered = times - times.mean()
    centered /= np.sqrt(np.sum(centered**2))
    level = curves.mean(axis=-1, keepdims=True)
    residual = curves - level
    residual -= (residual @ centered)[:, None] * centered
    rms = np.sqrt(np.mean(residual**2, axis=-1))
    rounding = 1e-12 * np.abs(curves).max(axis=-1, initial=0.0)
    straight: NDArray[np.bool_] = rms <= STRAIGHT * scale + rounding
    return straight


def _family_of_bent(gaps: FloatArray, steps: FloatArray) -> NDArray[np.int8]:
    """Return the family of curves that are not straight, (m,), from their steps (n - 1, m).

    From here on a curve is a column: running minima over columns are many times faster.
    """
    up = np.maximum(steps, 0).sum(axis=0)
    down = up - steps.sum(axis=0)
    forth, back = np.maximum(up, down), np.minimum(up, down)
    # Scaled so that a curve's whole change is 1 and small reversals are pauses.
    steps = np.maximum(steps * (np.where(up >= down, 1.0, -1.0) / forth), 0)
    rate = steps / gaps[:, None]
    top, excess = _one_hump(gaps, rate)
    family = np.where(
        _acceleration(gaps, rate, top) > PROMINENCE,
        _CODE[Family.SIGMOID],
        _CODE[Family.SATURATING],
    )
    family = np.where(excess > PROMINENCE, _CODE[Family.MULTISTAGE], family)
    return np.where(back > PROMINENCE * forth, _CODE[Family.TRANSIENT], family)


def _one_hump(gaps: FloatArray, rate: FloatArray) -> tuple[NDArray[np.intp], FloatArray]:
    """Return where the one hump of each rate is, (m,), and what must go for it to be one, (m,).

    The hump is at the highest rate. If too much lies outside it, it may be a spike of no mass:
    then the highest rate of what lies outside is tried, and the better of the two is kept.
    """
    top = rate.argmax(axis=0)
    outside = _outside(rate, top)
    excess = gaps @ outside
    doubtful = np.flatnonzero(excess > PROMINENCE)
    if doubtful.size:
        other = outside[:, doubtful].argmax(axis=0)
        other_excess = gaps @ _outside(rate[:, doubtful], other)
        better = other_excess < excess[doubtful]
        top[doubtful[better]] = other[better]
        excess[doubtful[better]] = other_excess[better]
    return top, excess


def _outside(rate: FloatArray, top: NDArray[np.intp]) -> FloatArray:
    """Return what each rate has above the largest curve below it with one hump, at `top`."""
    index = np.arange(len(rate))[:, None]
    peak = _at(rate, top)
    falling = np.minimum.accumulate(np.where(index >= top, rate, peak), axis=0)
    rising = np.minimum.accumulate(np.where(index <= top, rate, peak)[::-1], axis=0)[::-1]
    # A spike rejected as the top stands above `peak` on its own side, so all three are compared.
    outside: FloatArray = rate - np.minimum(np.minimum(falling, rising), rate)
    return outside


def _acceleration(gaps: FloatArray, rate: FloatArray, top: NDArray[np.intp]) -> FloatArray:
    """Return how much more each curve had changed at its highest rate from the start; (m,)."""
    before = np.arange(len(rate))[:, None] < top
    missing: FloatArray = gaps @ np.where(before, _at(rate, top) - rate, 0.0)
    return missing


def _at(rate: FloatArray, top: NDArray[np.intp]) -> FloatArray:
    peak: FloatArray = rate[top, np.arange(rate.shape[1])]
    return peak
