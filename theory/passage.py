"""When mean-field dynamics first reach a level, for many settings at once.

The 5(4) pair of Dormand and Prince (1980, J. Comput. Appl. Math. 6:19) with a step size of its own
for every setting, all settings advancing as one array; the passage is found by bisection on a
quartic dense output (Hairer, Nørsett and Wanner 1993, Solving ODEs I, eq. II.6.12).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Velocity = Callable[[FloatArray, FloatArray, NDArray[np.intp]], FloatArray]
"""(t (n,), state (d, n), which settings (n,)) -> d state / d t (d, n)"""
Level = Callable[[FloatArray, FloatArray, NDArray[np.intp]], FloatArray]
"""The same arguments -> observable minus the level (n,)."""

NODES = np.array([0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1])
TABLEAU = np.array(
    [
        [0, 0, 0, 0, 0, 0],
        [1 / 5, 0, 0, 0, 0, 0],
        [3 / 40, 9 / 40, 0, 0, 0, 0],
        [44 / 45, -56 / 15, 32 / 9, 0, 0, 0],
        [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729, 0, 0],
        [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656, 0],
        [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
    ]
)
ERROR = np.array([71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40])
DENSE = np.array(
    [
        -12715105075 / 11282082432,
        0,
        87487479700 / 32700410799,
        -10690763975 / 1880347072,
        701980252875 / 199316789632,
        -1453857185 / 822651844,
        69997945 / 29380423,
    ]
)
MOST_STEPS = 3000
BISECTIONS = 45


def first_passage(
    velocity: Velocity,
    level: Level,
    start: FloatArray,
    *,
    horizon: float = 1e12,
    rtol: float = 1e-6,
    atol: float = 1e-10,
) -> FloatArray:
    """Return when each setting first passes the level upward.

    Parameters
    ----------
    velocity, level : callables
        Of the settings that are still under way.
    start : (d, N) array
        States at progress 0. A setting that starts above the level has to fall below it first.
    horizon : float
        Where a setting is given up.
    rtol, atol : float
        Of a step, root mean square over the components.

    Returns
    -------
    (N,) array
        Infinite where the horizon comes first; nan where `MOST_STEPS` steps lead to neither (stiff
        dynamics, or a rest below the level) or the dynamics break down.
    """
    passed = np.full(start.shape[1], np.inf)
    which = np.arange(start.shape[1])
    t, state = np.zeros(which.size), np.array(start, dtype=np.float64)
    slope = velocity(t, state, which)
    gap = level(t, state, which)
    step = 1e-3 * (atol + np.abs(state)).max(axis=0) / (np.abs(slope).max(axis=0) + 1e-300)
    step = np.clip(step, 1e-8, 1e-2)
    for _ in range(MOST_STEPS):
        stages = _stages(velocity, t, state, slope, step, which)
        ahead = state + step * np.tensordot(TABLEAU[6], stages[:6], 1)
        scale = atol + rtol * np.maximum(np.abs(state), np.abs(ahead))
        with np.errstate(all="ignore"):
            error = step * np.tensordot(ERROR, stages, 1) / scale
            size = np.sqrt(np.mean(error**2, axis=0))
        size = np.where(np.isfinite(size), size, 1e9)
        fine = size <= 1
        over = level(t + step, ahead, which)
        found = fine & (gap < 0) & (over >= 0)
        if found.any():
            passed[which[found]] = _bisected(
                level, t, state, ahead, stages, step, which, np.flatnonzero(found)
            )
        t = np.where(fine, t + step, t)
        state = np.where(fine, ahead, state)
        slope, gap = np.where(fine, stages[6], slope), np.where(fine, over, gap)
        step = step * np.clip(0.9 * np.maximum(size, 1e-10) ** -0.2, 0.2, 5.0)
        stuck = step <= 1e-14 * np.maximum(t, 1e-290)
        passed[which[stuck & ~found]] = np.nan
        going = ~found & ~stuck & (t < horizon)
        if not going.all():
            which, t, step, gap = which[going], t[going], step[going], gap[going]
            state, slope = state[:, going], slope[:, going]
        if which.size == 0:
            return passed
    passed[which] = np.nan
    return passed


def _stages(
    velocity: Velocity,
    t: FloatArray,
    state: FloatArray,
    slope: FloatArray,
    step: FloatArray,
    which: NDArray[np.intp],
) -> FloatArray:
    """Return the seven slopes of a step, (7, d, n)."""
    stages = np.empty((7, *state.shape))
    stages[0] = slope
    with np.errstate(all="ignore"):
        for i in range(1, 7):
            moved = state + step * np.tensordot(TABLEAU[i, :i], stages[:i], 1)
            stages[i] = velocity(t + NODES[i] * step, moved, which)
    return stages


def _bisected(
    level: Level,
    t: FloatArray,
    state: FloatArray,
    ahead: FloatArray,
    stages: FloatArray,
    step: FloatArray,
    which: NDArray[np.intp],
    found: NDArray[np.intp],
) -> FloatArray:
    """Return the passages within the last step of the settings `found`."""
    t, step, which = t[found], step[found], which[found]
    state, ahead, stages = state[:, found], ahead[:, found], stages[:, :, found]
    moved = ahead - state
    bend = step * stages[0] - moved
    twist = moved - step * stages[6] - bend
    curl = step * np.tensordot(DENSE, stages, 1)
    low, high = np.zeros(t.size), np.ones(t.size)
    for _ in range(BISECTIONS):
        x = (low + high) / 2
        inside = state + x * (moved + (1 - x) * (bend + x * (twist + (1 - x) * curl)))
        above = level(t + x * step, inside, which) >= 0
        low, high = np.where(above, low, x), np.where(above, x, high)
    return np.asarray(t + high * step)
