"""Levenberg and Marquardt's descent of many rows at once, on the square that projection leaves.

Marquardt 1963, J. SIAM 11:431, inside a box, with the slope of every column
(`fitting.optimum.projection`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fitting.optimum.coordinates import Coordinates
from fitting.optimum.projection import IntArray, Projection

FloatArray = NDArray[np.float64]
Evaluate = Callable[[FloatArray, IntArray], Projection]

_ROWS = 512  # at a time: what a chunk computes with stays in the processor's cache
_LONGEST = 2.0  # step, in a coordinate
_ENOUGH = 1e-13  # relative decrease of the sum of squares
_LITTLE = 1.0  # damping up to which a step is about as long as Newton's
_PERFECT = 1e-26  # share of y's own square that rounding leaves


def descend_in_chunks(
    evaluate: Evaluate,
    space: Coordinates,
    x: FloatArray,
    owner: IntArray,
    still: NDArray[np.bool_],
    *,
    rounds: int,
    enough: float = _ENOUGH,
) -> tuple[FloatArray, Projection, NDArray[np.bool_]]:
    """Do as `descend` does, with as many rows at a time as the processor's cache holds."""
    parts = [
        descend(evaluate, space, x[chunk], owner[chunk], still[chunk], rounds=rounds, enough=enough)
        for chunk in (slice(i, i + _ROWS) for i in range(0, len(x), _ROWS))
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
    evaluate: Evaluate,
    space: Coordinates,
    x: FloatArray,
    owner: IntArray,
    still: NDArray[np.bool_],
    *,
    rounds: int,
    enough: float = _ENOUGH,
) -> tuple[FloatArray, Projection, NDArray[np.bool_]]:
    """Let all rows of x (B, d) descend after Levenberg and Marquardt, inside the bounds.

    Parameters
    ----------
    evaluate
    space
    x : ndarray, shape (B, d)
        Coordinates.
    owner : ndarray, shape (B,)
        Which curve each row is about.
    still : ndarray of bool, shape (B, d)
        Coordinates that do not move.
    rounds
        Steps at most.
    enough
        Relative decrease of the sum of squares that is not worth a step.

    Returns
    -------
    x : ndarray, shape (B, d)
    found : Projection
        There.
    converged : ndarray of bool, shape (B,)
        Whether nothing more can be gained: see `enough`.
    """
    x = space.inside(x, still)
    found = evaluate(x, owner)
    whole = np.maximum(found.square, np.finfo(np.float64).tiny)
    damping = np.full(len(x), 1e-2)
    converged = found.square <= _PERFECT * whole
    for _ in range(rounds):
        active = np.flatnonzero(~converged & np.isfinite(found.square) & (damping < 1e12))
        if not active.size:
            break
        here = found.at(active)
        step, predicted = _step(space, x[active], here, still[active], damping[active])
        trial = space.inside(x[active] + step, still[active])
        new = evaluate(trial, owner[active])
        gained = here.square - new.square
        better = gained > 0
        good = better & (gained > 0.5 * predicted)
        factor = np.where(good, 0.1, np.where(better, 0.5, 8.0))
        # A short step promises little because it is short.
        near = damping[active] <= _LITTLE
        damping[active] = np.maximum(damping[active] * factor, 1e-9)
        none = (predicted <= enough * here.square) & near
        slow = good & (gained <= enough * here.square) & near
        converged[active] = none | slow | (new.square <= _PERFECT * whole[active])
        moved = active[better]
        x[moved] = trial[better]
        found.put(moved, new.at(better))
    converged |= (damping >= 1e12) & np.isfinite(found.square)
    return x, found, converged


def _step(
    space: Coordinates,
    x: FloatArray,
    found: Projection,
    still: NDArray[np.bool_],
    damping: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return the damped step (B, d), and the decrease of the sum of squares it promises, (B,)."""
    d = x.shape[1]
    slope = space.slopes(space.natural(x))
    descent = found.descent * slope
    curvature = found.curvature * slope[:, :, None] * slope[:, None, :]
    held = still | ((x <= space.lower) & (descent < 0)) | ((x >= space.upper) & (descent > 0))
    descent = np.where(held, 0.0, descent)
    curvature = np.where(held[:, :, None] | held[:, None, :], 0.0, curvature)
    diagonal = np.einsum("bii->bi", curvature)
    least = 1e-10 * diagonal.max(axis=1, keepdims=True) + np.finfo(np.float64).tiny
    scale = 1.0 / np.sqrt(np.maximum(diagonal, least))
    scaled = curvature * scale[:, :, None] * scale[:, None, :]
    scaled += (1e-12 + damping)[:, None, None] * np.eye(d)
    scaled += np.where(held[:, :, None] & np.eye(d, dtype=bool), 1.0, 0.0)
    step = scale * np.linalg.solve(scaled, (descent * scale)[..., None])[..., 0]
    # Shortened as a whole: a step cut in some coordinates only may lead uphill.
    step /= np.maximum(1.0, np.abs(step).max(axis=1, keepdims=True) / _LONGEST)
    promised = 2 * np.einsum("bi,bi->b", step, descent)
    promised -= np.einsum("bi,bij,bj->b", step, curvature, step)
    return step, promised
