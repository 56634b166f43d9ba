"""Where a profile of the likelihood crosses its limit, for many parameters and sides at once.

The profile of a parameter is the likelihood with that parameter held and all others at their best;
twice what it falls short of the maximum is the deviance, and an interval is where that stays below
a quantile of chi squared (Wilks 1938, Ann. Math. Stat. 9:60). The root of the deviance is nearly a
straight line in the distance from the optimum, so that a secant finds the crossing in few steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.optimum.projection import IntArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

LIMIT = 3.841458820694124
"""The 95 % quantile of chi squared with one degree of freedom."""

TOLERANCE = 1e-4
"""How near the root of the deviance comes to that of the limit, which is 1.96 standard errors."""

LIKELIER = 0.01
"""Nats above the optimum from which on a place is likelier: a limit moves by half a percent."""

_ROOT = float(np.sqrt(LIMIT))
_ROUNDS = 60
_GROWTH = 4.0  # of the distance, while nothing is known further out
_FAR = 4.0  # roots of the limit from which on a straight line misleads
_EDGE = 0.005  # share of a bracket that every step cuts off at least
_NARROW = 1e-4  # share of the distance below which a bracket is narrow enough
_DOUBTFUL = 0.1  # the same, below which a steep bracket's outer end is tried from the inner one
_STEEP = 4.0  # slope in a bracket, in slopes from the optimum to it

Profile = Callable[[IntArray, FloatArray, FloatArray], tuple[FloatArray, FloatArray]]
"""Deviance (b,) and other coordinates (b, d) of rows (b,), held at (b,), started from (b, d)."""


@final
@dataclass(frozen=True, eq=False)
class Sides:
    """Parameters with a direction each, B rows.

    Attributes
    ----------
    origin : ndarray, shape (B,)
        The parameter's coordinate at the optimum.
    way : ndarray, shape (B,)
        -1 down, 1 up.
    step : ndarray, shape (B,)
        A first guess of the distance to the crossing, in that coordinate; positive.
    reach : ndarray, shape (B,)
        Distance to the end of the parameter's range.
    x : ndarray, shape (B, d)
        The searched coordinates at the optimum.
    slope : ndarray, shape (B, d)
        How they follow the held one, for a unit of distance.
    """

    origin: FloatArray
    way: FloatArray
    step: FloatArray
    reach: FloatArray
    x: FloatArray
    slope: FloatArray


@final
@dataclass(frozen=True, eq=False)
class Crossings:
    """Where the profiles of B sides cross the limit.

    Attributes
    ----------
    value : ndarray, shape (B,)
        Coordinate; nan where there is none or none was found.
    open : ndarray of bool, shape (B,)
        Where the range ends before the limit is reached.
    least : ndarray, shape (B,)
        The smallest deviance met: negative where a likelier place than the optimum was.
    least_x : ndarray, shape (B, d)
        The searched coordinates of that place.
    points : int
        Profile points that were computed.
    """

    value: FloatArray
    open: BoolArray
    least: FloatArray
    least_x: FloatArray
    points: int


@final
@dataclass(frozen=True, eq=False)
class _Brackets:
    """The outermost point below the limit and the innermost above it, distance and root of each."""

    near: FloatArray
    near_root: FloatArray
    near_x: FloatArray
    far: FloatArray
    far_root: FloatArray
    slope: FloatArray
    pace: FloatArray
    same: NDArray[np.intp]  # how often in a row the same end moved: positive the far one
    retried: NDArray[np.intp]


def crossings(profile: Profile, sides: Sides) -> Crossings:
    """Follow the profiles outward from the optimum until they cross the limit.

    Every point starts from where the last one lay, and so stays on the branch of the optimum; where
    a profile jumps across the limit, that is the crossing, and one with a likelier place on its way
    stops there.
    """
    size = len(sides.origin)
    at = _Brackets(
        np.zeros(size),
        np.zeros(size),
        sides.x.copy(),
        np.full(size, np.inf),
        np.full(size, np.inf),
        sides.slope.copy(),
        _ROOT / sides.step,
        np.zeros(size, dtype=np.intp),
        np.zeros(size, dtype=np.intp),
    )
    value = np.full(size, np.nan)
    least, least_x = np.zeros(size), sides.x.copy()
    unlimited = sides.reach <= 0
    done = unlimited.copy()
    points = 0
    for _ in range(_ROUNDS):
        active = np.flatnonzero(~done)
        if not active.size:
            break
        distance, again = _next(at, sides, active)
        held = sides.origin[active] + sides.way[active] * distance
        start = at.near_x[active] + at.slope[active] * (distance - at.near[active])[:, None]
        deviance, new = profile(active, held, start)
        points += active.size
        root = np.sqrt(np.clip(np.nan_to_num(deviance, nan=np.inf), 0.0, 1e12))
        lower = deviance < least[active]
        least[active[lower]], least_x[active[lower]] = deviance[lower], new[lower]
        crossed = np.abs(root - _ROOT) < TOLERANCE
        value[active[crossed]] = held[crossed]
        ended = (root < _ROOT) & (distance >= sides.reach[active])
        unlimited[active] = ended & ~crossed
        done[active] = crossed | ended | (deviance < -2 * LIKELIER)
        _move(at, active, distance, root, new, again)
        jump = ~done[active] & (at.far[active] - at.near[active] < _NARROW * at.far[active])
        value[active[jump]] = held[jump]
        done[active[jump]] = True
    return Crossings(value, unlimited, least, least_x, points)


def _next(at: _Brackets, sides: Sides, rows: IntArray) -> tuple[FloatArray, BoolArray]:
    """Choose the next distances, and say which are the outer end of a bracket once more."""
    near, root, far, far_root = at.near[rows], at.near_root[rows], at.far[rows], at.far_root[rows]
    bracketed = np.isfinite(far)
    with np.errstate(all="ignore"):
        ahead = near + (_ROOT - root) / at.pace[rows]
        most = np.maximum(_GROWTH * near, sides.step[rows])
        ahead = np.where(at.pace[rows] > 0, np.clip(ahead, (1 + _NARROW) * near, most), most)
        short, over = _ROOT - root, far_root - _ROOT
        # Illinois: an end that stays counts half each time (Dowell and Jarratt 1971, BIT 11:168).
        short = short * 0.5 ** np.maximum(at.same[rows] - 1, 0)
        over = over * 0.5 ** np.maximum(-at.same[rows] - 1, 0)
        share = np.where(far_root > _FAR * _ROOT, 0.5, short / (short + over))
        between = near + np.clip(share, _EDGE, 1 - _EDGE) * (far - near)
        steep = (far_root - root) * near > _STEEP * (far - near) * root
        doubtful = (far - near < _DOUBTFUL * far) & steep
    again = bracketed & doubtful & (at.retried[rows] < 2)
    at.retried[rows[again]] += 1
    chosen = np.where(again, far, np.where(bracketed, between, ahead))
    return np.minimum(chosen, sides.reach[rows]), again


def _move(
    at: _Brackets,
    rows: IntArray,
    distance: FloatArray,
    root: FloatArray,
    x: FloatArray,
    again: BoolArray,
) -> None:
    """Take the new points into the brackets."""
    inside = root < _ROOT
    moved = rows[inside]
    length = distance[inside] - at.near[moved]
    at.slope[moved] = (x[inside] - at.near_x[moved]) / length[:, None]
    at.pace[moved] = (root[inside] - at.near_root[moved]) / length
    at.near[moved], at.near_root[moved] = distance[inside], root[inside]
    at.near_x[moved] = x[inside]
    at.far[rows[inside & again]] = np.inf
    at.far[rows[~inside]], at.far_root[rows[~inside]] = distance[~inside], root[~inside]
    before = at.same[rows]
    at.same[rows] = np.where(inside, np.minimum(before, 0) - 1, np.maximum(before, 0) + 1)
