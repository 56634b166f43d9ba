"""Open squares of mazes numbered as places, on which an agent without memory is a Markov chain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from empirics.levels import Levels
from empirics.path_lengths import place_table


def next_places(levels: Levels) -> NDArray[np.int64]:
    """Return where each action leads from each place, (num_levels, num_open, num_actions)."""
    squares, place = levels.open_squares, place_table(levels)
    each = np.arange(len(levels))[:, None, None]
    return np.asarray(place[each, levels.next_square[each[:, 0], squares]])


def place_of(levels: Levels, square: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place of one open square a level, (num_levels,)."""
    return np.asarray((levels.open_squares < square[:, None]).sum(axis=1))
