"""An open grid with the reward in one corner, small enough for exact values.

The tabular relative of `empirics.maze`: the same moves and the same corner, without walls.
"""

from __future__ import annotations

import numpy as np
import torch

from empirics.coerce import whole
from empirics.levels import MOVES, NUM_ACTIONS
from empirics.tabular.mdp import TabularMDP


def corner_mdp(size: int = 3, gamma: float = 0.9) -> TabularMDP:
    """Return a size × size grid: reward 1 for the step into the corner, which is the end.

    States are squares row by row, the corner is state 0 and absorbing; actions are those of the
    mazes, and a step into the border stays. The start is uniform over the other squares. From d
    steps away the best return is gamma^(d - 1).

    Parameters
    ----------
    size : int
        Squares a side, at least 2.
    gamma : float
    """
    size = whole("size", size, 2)
    squares = np.arange(size**2)
    row, column = np.divmod(squares, size)
    to_row = np.clip(row[:, None] + MOVES[:, 0], 0, size - 1)
    to_column = np.clip(column[:, None] + MOVES[:, 1], 0, size - 1)
    target = to_row * size + to_column
    target[0] = 0
    transition = np.zeros((size**2, NUM_ACTIONS, size**2))
    transition[squares[:, None], np.arange(NUM_ACTIONS), target] = 1.0
    reward = (target == 0).astype(float)
    reward[0] = 0.0
    start = np.full(size**2, 1 / (size**2 - 1))
    start[0] = 0.0
    return TabularMDP(
        torch.from_numpy(transition), torch.from_numpy(reward), torch.from_numpy(start), gamma
    )
