"""Reward for progress: what a step brings of the way to the goal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from empirics.levels import Levels
from empirics.path_lengths import path_lengths, place_table
from empirics.situation import Situation

IntArray = NDArray[np.int64]


@final
class Progress:
    """Steps left to the goal, and the share of the way that each step is.

    The shares of an episode that reaches the goal add up to 1, whatever its detours: a step back
    takes away what the step forth gave.

    Parameters
    ----------
    levels : Levels
    now : Situation
        The beginnings of the first episodes; changed in place as the mice move.
    """

    def __init__(self, levels: Levels, now: Situation) -> None:
        # Flat tables, as in the environment: half the time of indexing by several arrays.
        self._place = place_table(levels).reshape(-1)
        self._lengths = path_lengths(levels).reshape(-1)
        self._area, self._num_open = levels.size**2, levels.num_open
        self._left = self._steps_left(now)
        self._start = self._left.copy()

    def begin(self, ended: IntArray, new: Situation) -> None:
        """Start the episodes `new` where one ended."""
        self._left[ended] = self._start[ended] = self._steps_left(new)

    def step(self, now: Situation) -> NDArray[np.float64]:
        """Return the share of the way, (num_envs,), that the last step was; negative for back."""
        before, self._left = self._left, self._steps_left(now)
        return np.asarray((before - self._left) / self._start)

    def state(self) -> dict[str, IntArray]:
        """Return the steps from start to goal: all that positions do not tell."""
        return {"steps_from_start": self._start.copy()}

    def restore(self, state: Mapping[str, NDArray[Any]], now: Situation) -> None:
        """Go on exactly from what `state` returned."""
        self._start = np.array(state["steps_from_start"], dtype=np.int64)
        self._left = self._steps_left(now)

    def _steps_left(self, now: Situation) -> IntArray:
        mouse = self._place[now.level * self._area + now.mouse]
        goal = self._place[now.level * self._area + now.goal]
        entry = (now.level * self._num_open + mouse) * self._num_open + goal
        return np.asarray(self._lengths[entry], dtype=np.int64)
