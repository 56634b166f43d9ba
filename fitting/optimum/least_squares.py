"""The least-squares optimum of one form on many curves, all at once.

From the lowest points of a grid (`fitting.optimum.grid_starts`), and from where a form's stages
(`fitting.optimum.stage_search`) or bends may lie, `fitting.optimum.descent` goes down: curves times
starts are rows of one array. Then each stage is held against all others that it could be
(`fitting.optimum.stage_exchange`), and Newton's method ends what crawls. No step depends on a
random number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.optimum.coordinates import Coordinates
from fitting.optimum.descent import Evaluate, descend_in_chunks
from fitting.optimum.grid_starts import Starts, Transport, free, from_bends, from_grid
from fitting.optimum.newton import newton
from fitting.optimum.projection import Columns, IntArray, Projection, project
from fitting.optimum.stage_exchange import exchanged
from fitting.optimum.stage_search import stage_starts
from fitting.optimum.stage_sum import stage_sum
from theory.form import Form

FloatArray = NDArray[np.float64]

STARTS = {1: 6, 2: 16, 3: 20, 4: 40, 5: 40, 6: 120}
"""Starts from the grid, at most, by the number of nonlinear parameters."""

MOST_STARTS = 60
"""The same where there are more parameters."""

_HEATS = ((5, 1 / 3), (8, 1 / 8))  # rounds of descent, and the share of all starts left then
_LATE = (40, 3)  # rounds more, and how many are left then
_LAST_ROUNDS = 200
_LEAST_LEFT = {1: 3, 2: 3, 3: 3}
_LEAST_LEFT_OF_MANY = 6
_SHARE_ROUNDS = 4
_NATS = 50.0  # as log likelihoods of a hundred points, in which Newton's precision is stated


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
        Values to descend from beside those found here.
    effort
        Share of the grid, the starts and the rounds that a first look needs; 1 for the answer.
    """
    d = len(form.nonlinear)

    def evaluate(x: FloatArray, owner: IntArray) -> Projection:
        return project(form, t, y, weight, owner, space.natural(x))

    if d == 0:
        nothing = np.zeros((len(y), 0))
        only = evaluate(nothing, np.arange(len(y)))
        return Optimum(nothing, only.linear, only.square, np.isfinite(only.square), nothing > 0)
    number = max(_least_left(d), round(effort * STARTS.get(d, MOST_STARTS)))
    groups = [from_grid(form, t, y, weight, space, transport, number, effort)]
    if isinstance(form, Form) and form.breakpoints:
        groups += from_bends(form, t, y, weight, space, transport)
    stages = stage_sum(form) if isinstance(form, Form) else None
    if isinstance(form, Form) and stages is not None:
        values = stage_starts(form, stages, t, y, weight, transport)
        groups.append(_shares_found(evaluate, space, _places(space, values), stages.shares))
    if starts is not None:
        groups.append(free(_places(space, starts)))
    rounds = max(15, round(effort * _LAST_ROUNDS))
    found = _descended(evaluate, space, _joined(groups), rounds)
    if isinstance(form, Form) and stages is not None and effort == 1.0:
        values = exchanged(form, stages, t, y, weight, transport, found.nonlinear)
        more = _shares_found(evaluate, space, _places(space, values), stages.shares)
        here = free(_places(space, found.nonlinear[:, None]))
        found = _descended(evaluate, space, _joined([here, more]), rounds)
    return found


def _joined(groups: Sequence[Starts]) -> Starts:
    return Starts(
        np.concatenate([group.x for group in groups], axis=1),
        np.concatenate([group.still for group in groups], axis=1),
    )


def _least_left(d: int) -> int:
    return _LEAST_LEFT.get(d, _LEAST_LEFT_OF_MANY)


def _places(space: Coordinates, values: FloatArray) -> FloatArray:
    return space.of(values.reshape(-1, values.shape[-1]).copy()).reshape(values.shape)


def _shares_found(
    evaluate: Evaluate, space: Coordinates, x: FloatArray, shares: tuple[int, ...]
) -> Starts:
    """Divide the gain as well as can be between stages that stay where they are."""
    if not shares:
        return free(x)
    size, number, d = x.shape
    still = np.ones((size * number, d), dtype=bool)
    still[:, shares] = False
    owner = np.repeat(np.arange(size), number)
    found, _, _ = descend_in_chunks(
        evaluate, space, x.reshape(-1, d), owner, still, rounds=_SHARE_ROUNDS
    )
    return free(found.reshape(x.shape))


def _descended(evaluate: Evaluate, space: Coordinates, starts: Starts, last_rounds: int) -> Optimum:
    """Descend from all starts a little way, from the better ones further, from few to the end."""
    x, still = starts.x, starts.still
    size, whole, d = x.shape
    early = [(rounds, max(_least_left(d), round(share * whole))) for rounds, share in _HEATS]
    for rounds, left in (*early, _LATE, (last_rounds, 1)):
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
        kept = _distinct(flat.reshape(x.shape), square.reshape(size, number), left)
        rows = np.arange(size)[:, None] * number + kept
        x, still = flat[rows], held[rows]
        x[~np.isfinite(square[rows])] = np.nan
    last = np.searchsorted(live, rows[:, 0])
    x, end, done = flat[rows[:, 0]], found.at(last), done[last]
    _finish(evaluate, space, x, end, done)
    return Optimum(
        space.natural(x),
        end.linear,
        end.square,
        done,
        (x <= space.lower + 1e-6) | (x >= space.upper - 1e-6),
    )


def _finish(
    evaluate: Evaluate, space: Coordinates, x: FloatArray, end: Projection, done: NDArray[np.bool_]
) -> None:
    """Go on by Newton where the descent crawls, as on large residuals of strongly curved forms."""

    def at(place: FloatArray, c: int) -> tuple[FloatArray, Projection]:
        inside = space.inside(place, np.zeros(place.shape, dtype=bool))
        return inside, evaluate(inside, np.full(len(place), c))

    def cost(place: FloatArray, c: int) -> FloatArray:
        return np.asarray(_NATS * np.log(at(place, c)[1].square / end.square[c]))

    for c in map(int, np.flatnonzero(~done & np.isfinite(end.square))):
        places, _, converged = newton(partial(cost, c=c), x[c : c + 1], space.lower, space.upper)
        place, better = at(places[:1], c)
        if better.square[0] <= end.square[c]:
            x[c], done[c] = place[0], converged[0]
            end.put(np.array([c]), better)


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
