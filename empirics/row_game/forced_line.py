"""The line of play of a win whose replies are forced: first move, reply, third move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, final

import numpy as np

from empirics.row_game.board import Board, IntArray
from empirics.row_game.positions import Positions
from empirics.row_game.solver import winning_moves
from theory.curve import relock


@final
@dataclass(frozen=True, eq=False)
class ForcedLines:
    """Positions won within three moves of one's own by one line of play, and no other.

    The first move threatens one square, the reply takes it, and the third move threatens two
    squares at once, of which the opponent can block but one. Each of the three is the only one.

    Attributes
    ----------
    positions : Positions
        (n,)
    first, reply, third : (n,) integer array
        Squares, in the order of play.
    """

    positions: Positions
    first: IntArray
    reply: IntArray
    third: IntArray

    def __post_init__(self) -> None:
        for name in ("first", "reply", "third"):
            array = np.array(getattr(self, name), dtype=np.int64)
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        relock(self, state)

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, chosen: IntArray) -> ForcedLines:
        return ForcedLines(*(getattr(self, field.name)[chosen] for field in fields(self)))

    @property
    def after_reply(self) -> Positions:
        """The positions in which the third move is to be made."""
        own, other = self.positions.own, self.positions.other
        return Positions(own | (1 << self.first), other | (1 << self.reply))


def forced_lines(board: Board, positions: Positions) -> ForcedLines:
    """Return the lines of those positions that have one; the others are left out.

    Parameters
    ----------
    board : Board
    positions : Positions
        In which nobody can win within two moves, such as those of kind "three".
    """
    own, other = positions.own, positions.other
    wins = winning_moves(board, own, other, 3)
    row = np.flatnonzero(wins.sum(axis=1) == 1)
    own, other, first = own[row], other[row], wins[row].argmax(axis=1)
    after = own | (1 << first)
    threat = board.completing(after, other)
    thirds = winning_moves(board, after, other | threat, 2)
    is_line = (threat != 0) & (threat & (threat - 1) == 0) & (thirds.sum(axis=1) == 1)
    kept = Positions(own[is_line], other[is_line])
    reply = board.unpack(threat[is_line]).argmax(axis=1)
    return ForcedLines(kept, first[is_line], reply, thirds[is_line].argmax(axis=1))
