"""The least-squares optimum of one form on many curves, all at once.

A grid over the nonlinear parameters, the linear ones solved for (`fitting.projection`), is scored
on all curves by one matrix product. From its lowest points, each lower than its neighbors, and from
where a form's stages (`fitting.stage_search`) or bends may lie, `fitting.descent` goes down: curves
times starts are rows of one array. No step depends on a random number.
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

from fitting.coordinates import Coordinates
from fitting.descent import Evaluate, descend_in_chunks
from fitting.optimum import low_discrepancy
from fitting.projection import Columns, IntArray, Projection, project
from fitting.stage_search import stage_starts
from fitting.stage_sum import stage_sum
from theory.form import Form

FloatArray = NDArray[np.float64]
Transport = Callable[[FloatArray], FloatArray]

GRID = 512
"""Grid points for each nonlinear parameter."""

STARTS = {1: 4, 2: 8, 3: 16}
"""Starts from the grid, at most, by the number of nonlinear parameters."""

MOST_STARTS = 40
"""The same where there are more parameters."""

BENDS = 12
"""Data points, at most, at which a bend is tried."""

_NEIGHBORS = {1: 2, 2: 8, 3: 14}
_MOST_NEIGHBORS = 20
_BEND_GRID = 24  # values of the other parameters for each place of a bend
_HEATS = ((5, 1 / 3), (8, 1 / 8))  # rounds of descent, and the share of all starts left then
_LAST_ROUNDS = 200
_LEAST_LEFT = 3
_SHARE_ROUNDS = 4


@final
@dataclass(frozen=True, eq=False)
class Optimum:
    """The best of one form on each of C curves.

    Attributes
    ----------
    nonlinear : ndarray, shape (C, d)
    linear : ndarray, shape (C, q)
    square : ndarray, shape (C,)
        Weighted residual sum of squares.
    converged : ndarray of bool, shape (C,)
    at_bound : ndarray of bool, shape (C, d)
        Which nonlinear parameters ended at the edge of their range.
    """

    nonlinear: FloatArray
    linear: FloatArray
    square: FloatArray
    converged: NDArray[np.bool_]
    at_bound: NDArray[np.bool_]


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


def best(
    form: Columns,
    t: FloatArray,
    y: FloatArray,
    weight: FloatArray,
    space: Coordinates,
    transport: Transport,
    starts: FloatArray | None = None,
    *,
    effort: float = 1.0,
) -> Optimum:
    """Minimize the weighted sum of squares of every curve.

    Parameters
    ----------
    form
    t : ndarray, shape (n,)
    y, weight : ndarray, shape (C, n)
        Residuals are multiplied by the weight.
    space
        Coordinates of the form's nonlinear parameters.
    transport : callable
        Values (G, d) of those parameters from standard normal deviates: the prior, over which
        the grid is spread.
    starts : ndarray, shape (C, K, d), optional
        Values to descend from beside those found here.
    effort
        Share of the grid, the starts and the rounds that a first look needs; 1 for the answer.
    """
    d = len(form.nonlinear)

    def evaluate(x: FloatArray, owner: IntArray) -> Projection:
        return project(form, t, y, weight, owner, space.natural(x))

    if d == 0:
        owner = np.arange(len(y))
        found = evaluate(np.zeros((len(y), 0)), owner)
        nothing = np.zeros((len(y), 0))
        return Optimum(nothing, found.linear, found.square, np.isfinite(found.square), nothing > 0)
    groups = [_from_grid(form, t, y, weight, space, transport, effort)]
    if isinstance(form, Form) and form.breakpoints:
        groups += _from_bends(form, t, y, weight, space, transport)
    if isinstance(form, Form) and (stages := stage_sum(form)) is not None:
        values = stage_starts(form, stages, t, y, weight, transport)
        groups.append(_shares_found(evaluate, space, _places(space, values), stages.shares))
    if starts is not None:
        groups.append(_free(_places(space, starts)))
    x = np.concatenate([group.x for group in groups], axis=1)
    still = np.concatenate([group.still for group in groups], axis=1)
    return _descended(evaluate, space, Starts(x, still), max(15, round(effort * _LAST_ROUNDS)))


def _places(space: Coordinates, values: FloatArray) -> FloatArray:
    return space.of(values.reshape(-1, values.shape[-1]).copy()).reshape(values.shape)


def _free(x: FloatArray) -> Starts:
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


def _from_grid(
    form: Columns,
    t: FloatArray,
    y: FloatArray,
    weight: FloatArray,
    space: Coordinates,
    transport: Transport,
    effort: float,
) -> Starts:
    d = len(form.nonlinear)
    size = max(32, round(effort * GRID * d))
    values = transport(ndtri(_cube(size, d)))
    scores = _scores(form, t, y, weight, values)
    number = max(_LEAST_LEFT, round(effort * STARTS.get(d, MOST_STARTS)))
    chosen = _lowest(scores, _neighbors(size, d), number)
    x = space.of(values)[chosen]
    x[chosen < 0] = np.nan
    return _free(x)


def _lowest(scores: FloatArray, near: IntArray, number: int) -> IntArray:
    """Pick for every curve the best grid points that no neighbor beats, (C, number); else -1."""
    lowest = np.ones(scores.shape, dtype=bool)
    for column in near.T:
        lowest &= scores <= scores[:, column]
    values = np.where(lowest, scores, np.inf)
    number = min(number, scores.shape[1])
    chosen = np.argpartition(values, number - 1, axis=1)[:, :number]
    return np.where(np.isfinite(np.take_along_axis(values, chosen, axis=1)), chosen, -1)


def _from_bends(
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
    return [Starts(x, still), _free(x)]


def _shares_found(
    evaluate: Evaluate, space: Coordinates, x: FloatArray, shares: tuple[int, ...]
) -> Starts:
    """Divide the gain as well as can be between stages that stay where they are."""
    if not shares:
        return _free(x)
    size, number, d = x.shape
    still = np.ones((size * number, d), dtype=bool)
    still[:, shares] = False
    owner = np.repeat(np.arange(size), number)
    found, _, _ = descend_in_chunks(
        evaluate, space, x.reshape(-1, d), owner, still, rounds=_SHARE_ROUNDS
    )
    return _free(found.reshape(x.shape))


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


def _descended(evaluate: Evaluate, space: Coordinates, starts: Starts, last_rounds: int) -> Optimum:
    """Descend from all starts a little way, from the better ones further, from few to the end."""
    x, still = starts.x, starts.still
    size, whole, d = x.shape
    for rounds, share in (*_HEATS, (last_rounds, 0.0)):
        number = x.shape[1]
        live = np.flatnonzero(np.isfinite(x[:, :, 0]))
        flat, held = x.reshape(-1, d), still.reshape(-1, d)
        owner = live // number
        moved, found, done = descend_in_chunks(
            evaluate, space, flat[live], owner, held[live], rounds=rounds
        )
        flat[live] = moved
        square = np.full(size * number, np.inf)
        square[live] = found.square
        left = max(_LEAST_LEFT, round(share * whole)) if share else 1
        kept = _distinct(flat.reshape(x.shape), square.reshape(size, number), left)
        rows = np.arange(size)[:, None] * number + kept
        x, still = flat[rows], held[rows]
        x[~np.isfinite(square[rows])] = np.nan
    last = np.searchsorted(live, rows[:, 0])
    x = flat[rows[:, 0]]
    return Optimum(
        space.natural(x),
        found.linear[last],
        found.square[last],
        done[last],
        (x <= space.lower + 1e-6) | (x >= space.upper - 1e-6),
    )


def _distinct(x: FloatArray, square: FloatArray, most: int) -> IntArray:
    """Pick the best starts (C, k) of each curve, without copies of one optimum."""
    size, number, _ = x.shape
    left = square.copy()
    chosen = np.empty((size, min(most, number)), dtype=np.intp)
    curves = np.arange(size)
    for k in range(chosen.shape[1]):
        chosen[:, k] = left.argmin(axis=1)
        here = x[curves, chosen[:, k]][:, None]
        value = square[curves, chosen[:, k]][:, None]
        copies = (np.abs(x - here).max(axis=2) < 1e-2) & (square - value < 1e-3 * value)
        left[copies] = np.inf
    return chosen
