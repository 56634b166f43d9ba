"""What the agent sees of a position."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from empirics.row_game.board import Board, IntArray

OWN_PLANE, OTHER_PLANE, LEFT_PLANE = range(3)


def observe(
    board: Board, own: IntArray, other: IntArray, share_left: ArrayLike = 1.0
) -> NDArray[np.float32]:
    """Return what is seen, (n, 3, size, size): both sides' stones, and the share of moves left.

    Parameters
    ----------
    board : Board
    own, other : (n,) integer array
        Packed stones.
    share_left : float or (n,) array
        Moves that the agent has left, as a share of those at the start: a plane of that number.
    """
    planes = np.empty((own.size, 3, board.area), dtype=np.float32)
    planes[:, OWN_PLANE], planes[:, OTHER_PLANE] = board.unpack(own), board.unpack(other)
    planes[:, LEFT_PLANE] = np.reshape(share_left, (-1, 1))
    return planes.reshape(-1, 3, board.size, board.size)
