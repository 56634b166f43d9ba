"""The junctions on an agent's way that it has yet to come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from empirics.levels import NUM_ACTIONS
from empirics.probes.lookahead.routes import Routes

IntArray = NDArray[np.int64]


@final
@dataclass(frozen=True, eq=False)
class Junctions:
    """Squares with three or more ways, and what the agent does there.

    Attributes
    ----------
    row : (k,) integer array
        Which maze.
    square : (k,) integer array
        The junction.
    step, other : (k,) integer array
        The step that the agent takes, and one that it could take instead without turning back.
    """

    row: IntArray
    square: IntArray
    step: IntArray
    other: IntArray

    def __len__(self) -> int:
        return len(self.row)


def junctions_on(routes: Routes, moves: IntArray) -> Junctions:
    """Return the junctions on routes, but for the start.

    Parameters
    ----------
    routes : Routes
    moves : (n, size², num_actions) integer array
        Where each action leads in the mazes of the routes.
    """
    row, time = np.nonzero(routes.steps[:, 1:] >= 0)
    square, step = routes.squares[row, time + 1], routes.steps[row, time + 1]
    back = (routes.steps[row, time] + NUM_ACTIONS // 2) % NUM_ACTIONS
    is_other = moves[row, square] != square[:, None]
    each = np.arange(len(row))
    is_other[each, back] = is_other[each, step] = False
    is_junction = is_other.any(axis=1)
    found = Junctions(row, square, step, is_other.argmax(axis=1))
    return Junctions(*(array[is_junction] for array in vars(found).values()))
