"""Open squares of mazes numbered as places, on which an agent without memory is a Markov chain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from empirics.levels import Levels, distances
from empirics.path_lengths import place_table


def next_places(levels: Levels) -> NDArray[np.int64]:
    """Return where each action leads from each place, (num_levels, num_open, num_actions)."""
    squares, place = levels.open_squares, place_table(levels)
    each = np.arange(len(levels))[:, None, None]
    return np.asarray(place[each, levels.next_square[each[:, 0], squares]])


def reached_first(
    levels: Levels, goal: NDArray[np.int64], other: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return the squares from which the goal can be reached without the other object.

    Parameters
    ----------
    levels : Levels
    goal, other : (num_levels,) integer array
        Open squares of each level.

    Returns
    -------
    (num_levels, size²) bool array
        False on walls and on the other object.
    """
    to_goal, to_other = (distances(levels, each).astype(np.int64) for each in (goal, other))
    apart = to_goal[np.arange(len(levels)), other][:, None]
    return np.asarray((to_goal >= 0) & (to_other + apart > to_goal))


def place_of(levels: Levels, square: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place of one open square a level, (num_levels,)."""
    return np.asarray((levels.open_squares < square[:, None]).sum(axis=1))
