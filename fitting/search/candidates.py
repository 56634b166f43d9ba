"""Expressions fitted to one curve: a first look at all, a second at those that may win."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.optimum.least_squares import best
from fitting.search.description_length import description_length
from fitting.search.grammar import Skeleton
from fitting.search.space import space_of

FloatArray = NDArray[np.float64]
Progress = Callable[[str, int, int], None]

FIRST_EFFORT = 0.1
SECOND_EFFORT = 0.5
SECOND_LOOKS = 40
"""How many expressions are fitted again, with all care, after the first look."""

FIRST_POINTS = 300
"""Points of the first look; a longer curve is averaged over blocks for it."""

ROUNDING = 1e-8
"""Residuals below this share of the values are taken for rounding."""

SPARE = 3
"""Points that a curve has more than an expression has numbers, at least."""

LABEL = "Searching expressions"


@final
@dataclass(frozen=True, eq=False)
class Fitted:
    """A skeleton at its least-squares constants, in units of the curve's last time.

    Attributes
    ----------
    skeleton : Skeleton
    linear, nonlinear : ndarray
        The floor and gains, and the constants.
    square : float
        Weighted residual sum of squares.
    length : float
        Its description length, in nats.
    """

    skeleton: Skeleton
    linear: FloatArray
    nonlinear: FloatArray
    square: float
    length: float


def fitted(
    skeleton: Skeleton, t: FloatArray, y: FloatArray, weight: FloatArray, effort: float
) -> Fitted | None:
    """Fit one skeleton; None where it has no finite curve, or the points do not fix it.

    Parameters
    ----------
    skeleton
    t, y, weight : ndarray, shape (n,)
        Times in units of the last, values, and what residuals are multiplied by.
    effort : float
        As `fitting.optimum.least_squares.best`.
    """
    if len(t) < skeleton.n_free + SPARE:
        return None
    space, transport = space_of(skeleton, t)
    with np.errstate(all="ignore"):
        found = best(skeleton, t, y[None], weight[None], space, transport, effort=effort)
    if not np.isfinite(found.square[0]):
        return None
    linear, nonlinear = found.linear[0], found.nonlinear[0]
    parts = skeleton.tangents(t, nonlinear[None])[:, 0]
    q = len(linear)
    slopes = np.zeros((q + len(nonlinear), len(t)))
    slopes[:q] = parts[:q]
    for place, (j, k) in enumerate(skeleton.moved):
        slopes[q + k] += linear[j] * parts[q + place]
    slopes *= weight
    theta = np.concatenate((linear, nonlinear))
    square = resolved(float(found.square[0]), y * weight)
    with np.errstate(all="ignore"):
        gram = slopes @ slopes.T
        length = description_length(square, theta, gram, len(t), skeleton.operators)
    return Fitted(skeleton, linear, nonlinear, square, length) if np.isfinite(length) else None


def resolved(square: float, weighted: FloatArray) -> float:
    """Return a sum of squares no smaller than rounding leaves: what is less says nothing."""
    return max(square, ROUNDING**2 * float(np.square(weighted).sum()))


def thinned(
    t: FloatArray, y: FloatArray, weight: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return means over blocks of neighbors, so few that a first look at many forms is quick."""
    if len(t) <= FIRST_POINTS:
        return t, y, weight
    first = np.unique(np.linspace(0, len(t), FIRST_POINTS, endpoint=False).astype(np.intp))
    total = np.add.reduceat(weight**2, first)
    means = [np.add.reduceat(values * weight**2, first) / total for values in (t, y)]
    return means[0], means[1], np.sqrt(total)


def search_all(
    skeletons: Sequence[Skeleton],
    t: FloatArray,
    y: FloatArray,
    weight: FloatArray,
    *,
    until: float,
    progress: Progress | None = None,
) -> tuple[list[Fitted], int]:
    """Fit every skeleton, the promising ones twice; shortest description first.

    Parameters
    ----------
    skeletons
        From simple to complicated.
    t, y, weight : ndarray, shape (n,)
    until : float
        The `time.monotonic` at which the first look ends, whatever is left.
    progress : callable, optional
        Told (label, done, total).

    Returns
    -------
    list of Fitted, at most `SECOND_LOOKS`, and how many skeletons were looked at.
    """
    few = thinned(t, y, weight)
    first: list[Fitted] = []
    looked = 0
    for skeleton in skeletons:
        if time.monotonic() > until:
            break
        if progress is not None:
            progress(LABEL, looked, len(skeletons))
        one = fitted(skeleton, *few, FIRST_EFFORT)
        first += [one] if one is not None else []
        looked += 1
    first.sort(key=lambda one: one.length)
    chosen = [one.skeleton for one in first[:SECOND_LOOKS]]
    second = [fitted(skeleton, t, y, weight, SECOND_EFFORT) for skeleton in chosen]
    if progress is not None:
        progress(LABEL, len(skeletons), len(skeletons))
    return sorted((one for one in second if one is not None), key=lambda one: one.length), looked
