"""Expressions fitted to one curve: a first look at all, a second at those that may win."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.least_squares import best
from fitting.search.description_length import description_length
from fitting.search.grammar import Skeleton
from fitting.search.space import space_of

FloatArray = NDArray[np.float64]
Progress = Callable[[str, int, int], None]

FIRST_EFFORT = 0.1
SECOND_EFFORT = 0.5
SECOND_LOOKS = 40
"""How many expressions are fitted again, with all care, after the first look."""

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
    values : ndarray, shape (n,)
        The curve.
    length : float
        Its description length, in nats.
    """

    skeleton: Skeleton
    linear: FloatArray
    nonlinear: FloatArray
    square: float
    values: FloatArray
    length: float


def fitted(
    skeleton: Skeleton, t: FloatArray, y: FloatArray, weight: FloatArray, effort: float
) -> Fitted | None:
    """Fit one skeleton; None where it has no finite curve.

    Parameters
    ----------
    skeleton
    t, y, weight : ndarray, shape (n,)
        Times in units of the last, values, and what residuals are multiplied by.
    effort : float
        As `fitting.least_squares.best`.
    """
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
    with np.errstate(all="ignore"):
        length = description_length(
            float(found.square[0]), theta, slopes @ slopes.T, len(t), skeleton.operators
        )
    if not np.isfinite(length):
        return None
    values = linear @ parts[:q]
    return Fitted(skeleton, linear, nonlinear, float(found.square[0]), values, length)


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
    list of Fitted, and how many skeletons were looked at.
    """
    found: list[Fitted] = []
    looked = 0
    for skeleton in skeletons:
        if time.monotonic() > until:
            break
        if progress is not None:
            progress(LABEL, looked, len(skeletons))
        one = fitted(skeleton, t, y, weight, FIRST_EFFORT)
        found += [one] if one is not None else []
        looked += 1
    found.sort(key=lambda one: one.length)
    again = [fitted(one.skeleton, t, y, weight, SECOND_EFFORT) for one in found[:SECOND_LOOKS]]
    better = [
        min(pair, key=lambda one: one.length)
        for pair in zip(found, [one for one in again if one is not None], strict=False)
    ]
    if progress is not None:
        progress(LABEL, len(skeletons), len(skeletons))
    return sorted([*better, *found[len(better) :]], key=lambda one: one.length), looked
