"""The least-squares optimum of one form on many curves, all at once.

A grid over the nonlinear parameters, the linear ones solved for (`fitting.projection`), is scored
on all curves by one matrix product. From the best points that stand apart, Levenberg and
Marquardt's descent (Marquardt 1963, J. SIAM 11:431) with the symbolic slope of every column: curves
times starts are rows of one array. No step depends on a random number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from fitting.coordinates import Coordinates
from fitting.optimum import low_discrepancy
from fitting.projection import Columns, IntArray, Projection, project

FloatArray = NDArray[np.float64]
Transport = Callable[[FloatArray], FloatArray]
Evaluate = Callable[[FloatArray, IntArray], Projection]

GRID = 512
"""Grid points for each nonlinear parameter."""

STARTS = 24
"""Starts for each nonlinear parameter, up to `_MOST_STARTS`."""

_MOST_STARTS = 60

_HEATS = ((5, 1 / 3), (8, 1 / 8))  # rounds of descent, and the share of all starts left then
_LAST_ROUNDS = 200
_LEAST_LEFT = 3
_ROWS = 512  # at a time: what a chunk computes with stays in the processor's cache
_LONGEST = 2.0  # step, in a coordinate
_ENOUGH = 1e-13  # relative decrease of the sum of squares
_PERFECT = 1e-26  # share of y's own square that rounding leaves


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
        Values to descend from beside the best of the grid.
    effort
        Share of the grid and of the starts that a first look needs; 1 for the answer.
    """
    d = len(form.nonlinear)

    def evaluate(x: FloatArray, owner: IntArray) -> Projection:
        return project(form, t, y, weight, owner, space.natural(x))

    if d == 0:
        owner = np.arange(len(y))
        found = evaluate(np.zeros((len(y), 0)), owner)
        nothing = np.zeros((len(y), 0))
        return Optimum(nothing, found.linear, found.square, np.isfinite(found.square), nothing > 0)
    # Stretched, so that the ends of every range are on the grid as well.
    size = max(32, round(effort * GRID * d))
    cube, near = _cube(size, d)
    values = transport(ndtri(cube))
    grid = space.of(values)
    scores = _scores(form, t, y, weight, values)
    chosen = _apart(near, scores, max(_LEAST_LEFT, round(effort * min(STARTS * d, _MOST_STARTS))))
    x = grid[chosen]
    if starts is not None:
        more = space.of(starts.reshape(-1, d)).reshape(len(y), -1, d)
        x = np.concatenate((x, more), axis=1)
    return _descended(evaluate, space, x, max(15, round(effort * _LAST_ROUNDS)))


@lru_cache(maxsize=16)
def _cube(size: int, d: int) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Spread points (size, d) over the unit cube, and say which are near each other."""
    cube = np.clip(1.1 * low_discrepancy(size, d) - 0.05, 1e-9, 1 - 1e-9)
    spacing = max(0.06, size ** (-1 / d))
    near = np.ones((size, size), dtype=bool)
    for column in cube.T:
        near &= np.abs(column[:, None] - column) < spacing
    for array in (cube, near):
        array.setflags(write=False)
    return cube, near


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


def _apart(near: NDArray[np.bool_], scores: FloatArray, number: int) -> IntArray:
    """Pick for every curve the best grid points of which no two are near, (C, number)."""
    left = scores.copy()
    curves = np.arange(len(scores))
    chosen = np.empty((len(scores), number), dtype=np.intp)
    for k in range(number):
        chosen[:, k] = left.argmin(axis=1)
        left[near[chosen[:, k]]] = np.inf
        # When nothing is left, the best again: a copy does no harm.
        gone = ~np.isfinite(left[curves].min(axis=1))
        left[gone] = scores[gone]
    return chosen


def _descended(evaluate: Evaluate, space: Coordinates, x: FloatArray, last_rounds: int) -> Optimum:
    """Descend from starts (C, K, d): all a little way, the better ones further, few to the end."""
    size, starts, _ = x.shape
    for rounds, share in (*_HEATS, (last_rounds, 0.0)):
        number = x.shape[1]
        owner = np.repeat(np.arange(size), number)
        flat, found, converged = _in_chunks(
            evaluate, space, x.reshape(size * number, -1), owner, rounds
        )
        left = max(_LEAST_LEFT, round(share * starts)) if share else 1
        kept = _distinct(flat.reshape(x.shape), found.square.reshape(size, number), left)
        rows = np.arange(size)[:, None] * number + kept
        x = flat[rows]
    last, x = rows[:, 0], x[:, 0]
    return Optimum(
        space.natural(x),
        found.linear[last],
        found.square[last],
        converged[last],
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


def _in_chunks(
    evaluate: Evaluate, space: Coordinates, x: FloatArray, owner: IntArray, rounds: int
) -> tuple[FloatArray, Projection, NDArray[np.bool_]]:
    parts = [
        descend(evaluate, space, x[i : i + _ROWS], owner[i : i + _ROWS], rounds)
        for i in range(0, len(x), _ROWS)
    ]
    places, found, converged = zip(*parts, strict=True)
    joined = Projection(
        np.concatenate([one.square for one in found]),
        np.concatenate([one.linear for one in found]),
        np.concatenate([one.descent for one in found]),
        np.concatenate([one.curvature for one in found]),
    )
    return np.concatenate(places), joined, np.concatenate(converged)


def descend(
    evaluate: Evaluate, space: Coordinates, x: FloatArray, owner: IntArray, rounds: int
) -> tuple[FloatArray, Projection, NDArray[np.bool_]]:
    """Let all rows of x (B, d) descend after Levenberg and Marquardt, inside the bounds.

    Returns
    -------
    x : ndarray, shape (B, d)
    found : Projection
        There.
    converged : ndarray of bool, shape (B,)
        Whether nothing more can be gained: see `_ENOUGH`.
    """
    x = space.inside(x)
    found = evaluate(x, owner)
    whole = np.maximum(found.square, np.finfo(np.float64).tiny)
    damping = np.full(len(x), 1e-2)
    converged = found.square <= _PERFECT * whole
    for _ in range(rounds):
        active = np.flatnonzero(~converged & np.isfinite(found.square) & (damping < 1e12))
        if not active.size:
            break
        here = found.at(active)
        step, predicted = _step(space, x[active], here, damping[active])
        trial = space.inside(x[active] + step)
        new = evaluate(trial, owner[active])
        gained = here.square - new.square
        better = gained > 0
        good = better & (gained > 0.5 * predicted)
        factor = np.where(good, 0.1, np.where(better, 0.5, 8.0))
        damping[active] = np.maximum(damping[active] * factor, 1e-9)
        none = predicted <= _ENOUGH * here.square
        slow = good & (gained <= _ENOUGH * here.square)
        converged[active] = none | slow | (new.square <= _PERFECT * whole[active])
        moved = active[better]
        x[moved] = trial[better]
        found.put(moved, new.at(better))
    converged |= (damping >= 1e12) & np.isfinite(found.square)
    return x, found, converged


def _step(
    space: Coordinates, x: FloatArray, found: Projection, damping: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the damped step (B, d), and the decrease of the sum of squares it promises, (B,)."""
    d = x.shape[1]
    slope = space.slopes(space.natural(x))
    descent = found.descent * slope
    curvature = found.curvature * slope[:, :, None] * slope[:, None, :]
    held = ((x <= space.lower) & (descent < 0)) | ((x >= space.upper) & (descent > 0))
    descent = np.where(held, 0.0, descent)
    curvature = np.where(held[:, :, None] | held[:, None, :], 0.0, curvature)
    diagonal = np.einsum("bii->bi", curvature)
    least = 1e-10 * diagonal.max(axis=1, keepdims=True) + np.finfo(np.float64).tiny
    scale = 1.0 / np.sqrt(np.maximum(diagonal, least))
    scaled = curvature * scale[:, :, None] * scale[:, None, :]
    scaled += (1e-12 + damping)[:, None, None] * np.eye(d)
    scaled += np.where(held[:, :, None] & np.eye(d, dtype=bool), 1.0, 0.0)
    step = scale * np.linalg.solve(scaled, (descent * scale)[..., None])[..., 0]
    step = np.clip(step, -_LONGEST, _LONGEST)
    promised = 2 * np.einsum("bi,bi->b", step, descent)
    promised -= np.einsum("bi,bij,bj->b", step, curvature, step)
    return step, promised
