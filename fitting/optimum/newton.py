"""Deterministic global minimization: a low-discrepancy search, then Newton from several starts.

No step depends on a random number, so that the same curve always has the same optimum.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Cost = Callable[[FloatArray], FloatArray]

_ENOUGH = 1e-8
_DAMPINGS = np.array([0.0, 1e-2, 1.0, 30.0, 1e3, 1e5])


def spread_out(
    points: FloatArray, cost: FloatArray, number: int, distance: float
) -> NDArray[np.intp]:
    """Pick the best points of which no two are nearer than `distance`, largest coordinate.

    Parameters
    ----------
    points
        Shape (B, d), in the unit cube.
    cost
        Shape (B,).
    number
        How many at most.
    distance
        Smallest separation.
    """
    chosen: list[int] = []
    for i in np.argsort(cost, kind="stable")[: 20 * number]:
        if all(np.abs(points[i] - points[j]).max() >= distance for j in chosen):
            chosen.append(int(i))
        if len(chosen) == number:
            break
    return np.array(chosen, dtype=np.intp)


def newton(
    cost: Cost,
    starts: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    *,
    keep: int = 4,
    screening: int = 4,
    iterations: int = 40,
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """Damped Newton descent inside a box from several starts at once.

    The Hessian is taken by central differences in one batched evaluation, its eigenvalues made
    positive, and six dampings are tried in a second one. After `screening` iterations only the best
    `keep` starts go on.

    Parameters
    ----------
    cost
        (B, d) to (B,).
    starts
        Shape (K, d).
    lower, upper
        Shape (d,); may be infinite.
    keep, screening, iterations
        See above.

    Returns
    -------
    x : ndarray, shape (k, d)
        Best first.
    value : ndarray, shape (k,)
    converged : ndarray of bool, shape (k,)
        Whether the predicted further decrease was below 1e-8.
    """
    x = np.clip(starts, lower, upper)
    value = cost(x)
    converged = np.zeros(len(x), dtype=bool)
    if x.shape[1] == 0:
        return x[:1], value[:1], np.ones(1, dtype=bool)
    width = np.full(x.shape, 1e-3)
    for iteration in range(iterations):
        if iteration == screening:
            best = _distinct(x, value, keep)
            x, value, width, converged = x[best], value[best], width[best], converged[best]
        active = np.flatnonzero(~converged)
        if active.size == 0:
            break
        moved = newton_step(cost, x[active], value[active], width[active], lower, upper)
        x[active], value[active], width[active], converged[active] = moved
    best = np.argsort(value, kind="stable")
    return x[best], value[best], converged[best]


def newton_step(
    cost: Cost,
    x: FloatArray,
    value: FloatArray,
    width: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    *,
    enough: float = _ENOUGH,
    stretches: tuple[float, ...] = (),
) -> tuple[FloatArray, FloatArray, FloatArray, NDArray[np.bool_]]:
    """One Newton step for every row; also the next difference widths and who has converged.

    These are the rows of which the step promises a decrease below `enough`, or that cannot go on.
    `stretches` of the undamped step are tried too: where the logarithm of a small number runs off
    to where it does not matter, Newton's own steps are short.
    """
    gradient, hessian = derivatives(cost, x, value, width)
    k, d = x.shape
    at_end = ((x <= lower) & (gradient > 0)) | ((x >= upper) & (gradient < 0))
    gradient = np.where(at_end, 0.0, gradient)
    fixed = at_end[:, :, None] | at_end[:, None, :]
    hessian = np.where(fixed, np.eye(d), hessian)
    diagonal = np.abs(np.einsum("kii->ki", hessian))
    scale = 1.0 / np.sqrt(np.maximum(diagonal, 1e-8 + 1e-8 * diagonal.max(axis=1, keepdims=True)))
    eigenvalues, vectors = np.linalg.eigh(hessian * scale[:, :, None] * scale[:, None, :])
    along = np.einsum("kij,ki->kj", vectors, gradient * scale)
    size = np.maximum(np.abs(eigenvalues), 1e-6)
    downhill = -along[:, None, :] / (size[:, None, :] + _DAMPINGS[None, :, None])
    longer = [stretch * downhill[:, :1] for stretch in stretches]
    downhill = np.concatenate((downhill, *longer), axis=1)
    step = np.einsum("kij,kaj->kai", vectors, downhill) * scale[:, None, :]
    trial = np.clip(x[:, None, :] + step, lower, upper)
    costs = cost(trial.reshape(-1, d)).reshape(k, -1)
    pick = costs.argmin(axis=1)
    rows = np.arange(k)
    better = costs[rows, pick] < value
    new_x = np.where(better[:, None], trial[rows, pick], x)
    new_value = np.where(better, costs[rows, pick], value)
    decrement = 0.5 * np.sum(along**2 / size, axis=1)
    # A predicted decrease that can no longer be realized is rounding, not a slope.
    done = (decrement < enough) | (~better & (decrement < 1e-4))
    stuck = ~better & ~done
    next_width = np.clip(0.1 * scale, 1e-6, 1e-2)
    next_width = np.where(stuck[:, None], 0.3 * width, next_width)
    done |= stuck & (width.max(axis=1) < 1e-5)
    return new_x, new_value, next_width, done


def derivatives(
    cost: Cost, x: FloatArray, value: FloatArray, width: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Gradient (K, d) and Hessian (K, d, d) by central differences in one call of `cost`.

    Parameters
    ----------
    cost
        (B, d) to (B,).
    x, value
        Shape (K, d) and (K,): where, and the cost there.
    width
        Shape (K, d): half widths of the differences.
    """
    k, d = x.shape
    pairs = [(i, j) for i in range(d) for j in range(i)]
    moves = np.zeros((2 * d + 2 * len(pairs), d))
    for i in range(d):
        moves[2 * i, i], moves[2 * i + 1, i] = 1.0, -1.0
    for p, (i, j) in enumerate(pairs):
        moves[2 * (d + p), [i, j]], moves[2 * (d + p) + 1, [i, j]] = 1.0, -1.0
    points = x[:, None, :] + moves[None] * width[:, None, :]
    costs = cost(points.reshape(-1, d)).reshape(k, -1)
    up, down = costs[:, 0 : 2 * d : 2], costs[:, 1 : 2 * d : 2]
    gradient = (up - down) / (2.0 * width)
    second = up + down - 2.0 * value[:, None]
    hessian = np.zeros((k, d, d))
    hessian[:, np.arange(d), np.arange(d)] = second / width**2
    for p, (i, j) in enumerate(pairs):
        both = costs[:, 2 * (d + p)] + costs[:, 2 * (d + p) + 1] - 2.0 * value
        mixed = 0.5 * (both - second[:, i] - second[:, j]) / (width[:, i] * width[:, j])
        hessian[:, i, j] = hessian[:, j, i] = mixed
    return gradient, hessian


def _distinct(x: FloatArray, value: FloatArray, number: int) -> NDArray[np.intp]:
    """Best rows, without copies of one optimum."""
    chosen: list[int] = []
    for i in np.argsort(value, kind="stable"):
        near = (np.abs(x[i] - x[j]).max() < 1e-2 and value[i] - value[j] < 1.0 for j in chosen)
        if not any(near):
            chosen.append(int(i))
        if len(chosen) == number:
            break
    return np.array(chosen, dtype=np.intp)
