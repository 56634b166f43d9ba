"""Who wins by force: an exact search of few moves, over many positions at once.

A move wins within m moves if it fills a line, or if the other one cannot fill a line now and every
reply leaves a move that wins within m − 1. Two shortcuts change nothing: after a threat, a move
after which a line lacks one stone, only the reply that blocks it has to be looked at; and after a
move that is no threat nothing wins at the next. Replies are all that there are, whatever the
opponent of a game would choose.
"""

from __future__ import annotations

import numpy as np

from empirics.coerce import whole
from empirics.row_game.board import Board, BoolArray, IntArray


def winning_moves(
    board: Board, own: IntArray, other: IntArray, moves: int, *, by_threats: bool = False
) -> BoolArray:
    """Return the moves that win by force within so many moves of one's own, (n, size²).

    Parameters
    ----------
    board : Board
    own, other : (n,) integer array
        Packed stones; `own` is to move, and nobody has won yet.
    moves : int
        At least 1, the winning move counted.
    by_threats : bool
        Whether only wins count in which every move but the last is a threat, so that all
        replies are forced; a small part of the search.
    """
    whole("moves", moves, 1)
    result = board.unpack(board.completing(own, other))
    if moves == 1:
        return result
    row, square = np.nonzero(board.unpack(board.full & ~(own | other)) & ~result)
    after, there = own[row] | (1 << square), other[row]
    safe = board.completing(there, after) == 0
    threat = board.completing(after, there)
    is_one = (threat & (threat - 1)) == 0
    wins = safe & ~is_one
    forced = np.flatnonzero(safe & is_one & (threat != 0))
    replied = there[forced] | threat[forced]
    wins[forced] = can_win(board, after[forced], replied, moves - 1, by_threats=by_threats)
    if moves > 2 and not by_threats:
        quiet = np.flatnonzero(safe & (threat == 0))
        wins[quiet] = _wins_after_any_reply(board, after[quiet], there[quiet], moves - 1)
    result[row, square] = wins
    return result


def can_win(
    board: Board, own: IntArray, other: IntArray, moves: int, *, by_threats: bool = False
) -> BoolArray:
    """Return whether the one to move wins by force within so many moves, (n,)."""
    return np.asarray(winning_moves(board, own, other, moves, by_threats=by_threats).any(axis=1))


def _wins_after_any_reply(board: Board, own: IntArray, other: IntArray, moves: int) -> BoolArray:
    """Return whether every reply leaves a win; on a full board there is none."""
    wins = np.asarray((own | other) != board.full)
    for square in range(board.area):
        bit = 1 << square
        row = np.flatnonzero(wins & ((own | other) & bit == 0))
        wins[row] = can_win(board, own[row], other[row] | bit, moves)
    return wins
