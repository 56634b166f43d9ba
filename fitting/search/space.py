"""Where the constants of an expression are sought, in units of the curve's last time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from fitting.optimum.coordinates import Coordinates
from fitting.optimum.grid_starts import Transport
from fitting.search.grammar import Skeleton
from fitting.search.operations import Constant
from theory.parameter import Kind

FloatArray = NDArray[np.float64]

MOST_CYCLES = 15.0
LATEST = 2.0
"""A midpoint may lie one curve after the last time; what happens later is not to be seen."""


def space_of(skeleton: Skeleton, t: FloatArray) -> tuple[Coordinates, Transport]:
    """Return the coordinates of a skeleton's constants, and a transport of deviates to values.

    Parameters
    ----------
    skeleton
    t : ndarray, shape (n,)
        In units of the last.
    """
    gap = float(np.median(np.diff(t)))
    ranges = [_range(constant, gap) for constant in skeleton.constants]
    lower, upper = np.array(ranges).reshape(-1, 2).T
    places = np.array([c.kind is Kind.MIDPOINT for c in skeleton.constants], dtype=bool)
    none = np.zeros(len(ranges), dtype=bool)
    low, high = (np.where(places, e, np.log(np.where(places, 1.0, e))) for e in (lower, upper))
    space = Coordinates(skeleton.nonlinear, low, high, (), ~places, none, np.ones(len(ranges)))

    def transport(z: FloatArray) -> FloatArray:
        return space.natural(low + ndtr(z) * (high - low))

    return space, transport


def _range(constant: Constant, gap: float) -> tuple[float, float]:
    if constant.name == "frequency":
        return 0.3, min(MOST_CYCLES, 0.25 / gap)
    match constant.kind:
        case Kind.MIDPOINT:
            return (0.0 if constant.after_start else 1.0 - LATEST, LATEST)
        case Kind.TIMESCALE:
            return gap / constant.width_factor, 5.0
        case Kind.RATE:
            return constant.width_factor / 5.0, constant.width_factor / gap
        case _:
            low, high = constant.default_range or (0.1, 10.0)
            return low, high
