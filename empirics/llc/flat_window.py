"""The largest box of neighboring cells of a table whose readings agree."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Span = tuple[int, int]
"""First and last place along an axis."""
Box = tuple[Span, ...]

AGREEMENT = 0.05
DEVIATIONS = 3.0


def flat_window(
    shape: tuple[int, ...], values: Floats, se: Floats, usable: NDArray[np.bool_]
) -> Box | None:
    """Return the largest box of usable cells any two of which agree in all their values.

    Two values agree if they differ by at most `AGREEMENT` of the larger, or by at most
    `DEVIATIONS` standard errors of their difference. Along every axis with more than one place
    the box has at least two. Of boxes as large, it is that whose values lie closest together.

    Parameters
    ----------
    shape : tuple of int
        Of the table.
    values, se : (N, C) arrays
        Of the N cells, the last axis of the table fastest.
    usable : (N,) boolean array

    Returns
    -------
    box : tuple of (first, last), or None
        None where no two neighbors agree.
    """
    agree = _agreement(values, se) & usable[:, None] & usable
    best, closest, most = None, math.inf, 0
    for box in sorted(_boxes(shape), key=_size, reverse=True):
        if _size(box) < most:
            break
        cells = members(shape, box)
        spread = float(np.ptp(values[cells], axis=0).max())
        if agree[np.ix_(cells, cells)].all() and spread < closest:
            best, closest, most = box, spread, _size(box)
    return best


def members(shape: tuple[int, ...], box: Box) -> NDArray[np.intp]:
    """Return the numbers of a box's cells."""
    places = np.ix_(*(np.arange(first, last + 1) for first, last in box))
    numbers: NDArray[np.intp] = np.ravel_multi_index(places, shape).ravel()
    return numbers


def middle(shape: tuple[int, ...], box: Box) -> int:
    """Return the number of the cell in the middle of a box, the lower one of two."""
    place = tuple((first + last) // 2 for first, last in box)
    return int(np.ravel_multi_index(place, shape))


def _agreement(values: Floats, se: Floats) -> NDArray[np.bool_]:
    """Return which two cells agree, (N, N)."""
    apart = np.abs(values[:, None] - values)
    larger = np.maximum(np.abs(values[:, None]), np.abs(values))
    error = np.hypot(se[:, None], se)
    close = apart <= np.maximum(AGREEMENT * larger, DEVIATIONS * error)
    agree: NDArray[np.bool_] = np.asarray(close.all(-1))
    return agree


def _boxes(shape: tuple[int, ...]) -> Iterable[Box]:
    spans = [[(i, j) for i in range(n) for j in range(i + (n > 1), n)] for n in shape]
    return itertools.product(*spans)


def _size(box: Box) -> int:
    return math.prod(last - first + 1 for first, last in box)
