"""Dynamics that are a map: states after whole updates, and the first that passes a level."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Step = Callable[[float, FloatArray], FloatArray]
"""(updates done, state (d, n)) -> the state after one more, (d, n)"""
Height = Callable[[float, FloatArray], FloatArray]
"""(updates done, state (d, n)) -> observable minus the level (n,)."""

MOST_UPDATES = 100_000


def orbit(step: Step, start: FloatArray, t: FloatArray) -> FloatArray:
    """Return the states of one setting at times `t`, increasing: (n, d), constant in between."""
    whole = np.floor(t)
    states, state = np.empty((t.size, start.size)), start[:, None]
    for update in range(int(whole[-1]) + 1):
        states[whole == update] = state[:, 0]
        state = step(float(update), state)
    return states


def first_update(
    step: Step,
    level: Height,
    start: FloatArray,
    *,
    horizon: float = MOST_UPDATES,
    steady: bool = True,
) -> FloatArray:
    """Return after how many updates each setting first passes the level upward.

    Parameters
    ----------
    step, level : callables
        Of all settings at once.
    start : (d, N) array
        States before the first update. A setting that starts above the level has to fall below
        it first.
    horizon : float
        Where a setting is given up.
    steady : bool
        Whether the map is the same at every update, so that a state that comes back to where it
        was one or two updates ago never passes the level.

    Returns
    -------
    (N,) array
        Infinite where the horizon comes first or the states repeat; nan where the states are no
        numbers or more than `MOST_UPDATES` updates would be needed.
    """
    passed = np.full(start.shape[1], np.nan)
    going = np.full(start.shape[1], True)
    before, state = np.full_like(start, np.nan), np.array(start, dtype=np.float64)
    gap = level(0.0, state)
    for update in range(1, int(min(horizon, MOST_UPDATES)) + 1):
        ahead = step(float(update - 1), state)
        over = level(float(update), ahead)
        found = going & (gap < 0) & (over >= 0)
        passed[found] = update
        repeats = np.all((ahead == state) | (ahead == before), axis=0) & steady & ~found
        passed[going & repeats] = np.inf
        going &= ~found & ~repeats & np.all(np.isfinite(ahead), axis=0)
        if not going.any():
            return passed
        before, state, gap = state, ahead, over
    if horizon <= MOST_UPDATES:
        passed[going] = np.inf
    return passed
