"""Where least squares may begin: a grid over the nonlinear parameters, and the places of bends.

Every grid point is scored on all curves by one matrix product, the linear parameters solved for.
Those count that no neighbor beats.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.special import ndtri

from fitting.low_discrepancy import low_discrepancy
from fitting.optimum.coordinates import Coordinates
from fitting.optimum.projection import Columns, IntArray
from theory.form import Form

FloatArray = NDArray[np.float64]
Transport = Callable[[FloatArray], FloatArray]

GRID = 512
"""Grid points for each nonlinear parameter."""

GRID_OF_MANY = 1536
"""The same from `MANY` parameters on, where the valleys are narrower."""

MANY = 6

BENDS = 12
"""Data points, at most, at which a bend is tried."""

_NEIGHBORS = {1: 2, 2: 8, 3: 14}
_MOST_NEIGHBORS = 20
_BEND_GRID = 24  # values of the other parameters for each place of a bend


@final
@dataclass(frozen=True, eq=False)
class Starts:
    """Where descents begin.

    Attributes
    ----------
    x : ndarray, shape (C, K, d)
        In coordinates; nan where a curve has fewer starts.
    still : ndarray of bool, shape (C, K, d)
        Parameters that stay where they are.
    """

    x: FloatArray
    still: NDArray[np.bool_]


def free(x: FloatArray) -> Starts:
    """Start at coordinates x (C, K, d) that may all move."""
    return Starts(x, np.zeros(x.shape, dtype=bool))


def _cube(number: int, dimensions: int) -> FloatArray:
    """Spread points over the unit cube, stretched so that the ends of ranges are there."""
    return np.clip(1.1 * low_discrepancy(number, dimensions) - 0.05, 1e-9, 1 - 1e-9)


@lru_cache(maxsize=16)
def _neighbors(number: int, d: int) -> IntArray:
    """Find the places (number, k) of the points next to each of the cube's."""
    cube = _cube(number, d)
    _, near = cKDTree(cube).query(cube, k=1 + _NEIGHBORS.get(d, _MOST_NEIGHBORS))
    found = near[:, 1:]
    found.setflags(write=False)
    return np.asarray(found)


def from_grid(
    form: Columns,
    t: FloatArray,
    y: FloatArray,
    weight: FloatArray,
    space: Coordinates,
    transport: Transport,
    number: int,
    effort: float,
) -> Starts:
    """Start at the lowest points of the grid, `number` of them at most."""
    d = len(form.nonlinear)
    size = max(32, round(effort * (GRID if d < MANY else GRID_OF_MANY) * d))
    values = transport(ndtri(_cube(size, d)))
    scores = _scores(form, t, y, weight, values)
    chosen = _lowest(scores, _neighbors(size, d), number)
    x = space.of(values)[chosen]
    x[chosen < 0] = np.nan
    return free(x)


def _lowest(scores: FloatArray, near: IntArray, number: int) -> IntArray:
    """Pick for every curve the best grid points that no neighbor beats, (C, number); else -1."""
    lowest = np.ones(scores.shape, dtype=bool)
    for column in near.T:
        lowest &= scores <= scores[:, column]
    values = np.where(lowest, scores, np.inf)
    number = min(number, scores.shape[1])
    chosen = np.argpartition(values, number - 1, axis=1)[:, :number]
    return np.where(np.isfinite(np.take_along_axis(values, chosen, axis=1)), chosen, -1)


def from_bends(
    form: Form,
    t: FloatArray,
    y: FloatArray,
    weight: FloatArray,
    space: Coordinates,
    transport: Transport,
) -> list[Starts]:
    """Start with the bend at the best data points, where it stays, and from where it moves."""
    d = len(form.nonlinear)
    bends = [form.nonlinear.index(name) for name in form.breakpoints]
    number = 1 if d == len(bends) else _BEND_GRID
    values = np.repeat(transport(ndtri(_cube(number, d)))[None], len(t), axis=0)
    values[:, :, bends] = t[:, None, None]
    grid = space.of(values.reshape(-1, d))
    scores = _scores(form, t, y, weight, space.natural(grid)).reshape(len(y), len(t), number)
    others = scores.argmin(axis=2)
    profile = scores.min(axis=2)
    places = np.arange(len(t))
    beside = np.stack((np.maximum(places - 1, 0), np.minimum(places + 1, len(t) - 1)), axis=1)
    chosen = _lowest(profile, beside, BENDS)
    x = grid.reshape(len(t), number, d)[chosen, np.take_along_axis(others, chosen, axis=1)]
    x[chosen < 0] = np.nan
    still = np.zeros(x.shape, dtype=bool)
    still[:, :, bends] = True
    return [Starts(x, still), free(x)]


def _scores(
    form: Columns, t: FloatArray, y: FloatArray, weight: FloatArray, values: FloatArray
) -> FloatArray:
    """Find the sums of squares (C, G) of all curves at all grid points."""
    alike = bool(np.all(weight == weight[:1]))
    scores = np.empty((len(y), len(values)))
    for c in range(1 if alike else len(y)):
        rows = slice(None) if alike else slice(c, c + 1)
        basis = _orthonormal(form.design(t, values).swapaxes(1, 2) * weight[c])
        weighted = y[rows] * weight[rows]
        along = weighted @ basis.reshape(-1, len(t)).T
        explained = np.square(along).reshape(len(weighted), len(values), -1).sum(axis=2)
        scores[rows] = np.square(weighted).sum(axis=1)[:, None] - explained
    return np.where(np.isfinite(scores), scores, np.inf)


def _orthonormal(columns: FloatArray) -> FloatArray:
    """Make orthonormal rows (G, q, n) with the span of the given ones; zero for a dependent one."""
    basis = np.zeros_like(columns)
    with np.errstate(all="ignore"):
        for j in range(columns.shape[1]):
            rest = columns[:, j].copy()
            whole = np.linalg.norm(rest, axis=1)
            for _ in range(2):
                for i in range(j):
                    rest -= np.einsum("gn,gn->g", basis[:, i], rest)[:, None] * basis[:, i]
            length = np.linalg.norm(rest, axis=1)
            basis[:, j] = np.where(length > 1e-9 * whole, 1 / length, 0.0)[:, None] * rest
    return basis
