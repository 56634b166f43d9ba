"""Positions to start from: drawn by chance, sifted by the solver, apart under all symmetries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from empirics.row_game.board import Board, BoolArray, IntArray
from empirics.row_game.solver import can_win, winning_moves
from theory.curve import relock

CHUNK = 2000
"""Positions drawn at a time."""

DRY = 10
"""Chunks without a new position after which there are taken to be no more."""

NO_SQUARES = np.zeros(0, dtype=np.int64)


@final
@dataclass(frozen=True, eq=False)
class Positions:
    """Positions in which nobody has won, and the one not to move could not win at once.

    Attributes
    ----------
    own, other : (n,) integer array
        Packed stones; `own` is to move.
    """

    own: IntArray
    other: IntArray

    def __post_init__(self) -> None:
        for name in ("own", "other"):
            array = np.array(getattr(self, name), dtype=np.int64)
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        relock(self, state)

    def __len__(self) -> int:
        return int(self.own.size)

    def __getitem__(self, chosen: slice | IntArray | BoolArray) -> Positions:
        return Positions(self.own[chosen], self.other[chosen])

    def __add__(self, more: Positions) -> Positions:
        return Positions(
            np.concatenate([self.own, more.own]), np.concatenate([self.other, more.other])
        )


def images(board: Board, positions: Positions) -> Positions:
    """Return the positions turned and mirrored in all eight ways, image by image, (8 · n,)."""
    grid = np.arange(board.area).reshape(board.size, board.size)
    turned = [np.rot90(each, k).ravel() for each in (grid, grid.T) for k in range(4)]
    own, other = board.unpack(positions.own), board.unpack(positions.other)
    return Positions(
        np.concatenate([board.pack(own[:, way]) for way in turned]),
        np.concatenate([board.pack(other[:, way]) for way in turned]),
    )


def has_no_win(board: Board, positions: Positions) -> BoolArray:
    """Return whether no three moves of threats win, (n,)."""
    return ~can_win(board, positions.own, positions.other, 3, by_threats=True)


def wins_in_one(board: Board, positions: Positions) -> BoolArray:
    """Return whether exactly one move fills a line, (n,)."""
    return np.asarray(winning_moves(board, positions.own, positions.other, 1).sum(axis=1) == 1)


def wins_in_two(board: Board, positions: Positions) -> BoolArray:
    """Return whether none wins at once and exactly one move within two, (n,).

    It threatens two squares at once, of which only one can be blocked.
    """
    own, other = positions.own, positions.other
    only = winning_moves(board, own, other, 2).sum(axis=1) == 1
    return np.asarray(only & (board.completing(own, other) == 0))


def wins_in_three(board: Board, positions: Positions) -> BoolArray:
    """Return whether none wins within two and exactly one within three, by threats, (n,).

    That no other move wins is asked of all moves, quiet ones too.
    """
    own, other = positions.own, positions.other
    found = ~can_win(board, own, other, 2)
    row = np.flatnonzero(found)
    for by_threats in (True, False):
        moves = winning_moves(board, own[row], other[row], 3, by_threats=by_threats)
        row = row[moves.sum(axis=1) == 1]
    found[:] = False
    found[row] = True
    return found


KINDS: Mapping[str, Callable[[Board, Positions], BoolArray]] = {
    "none": has_no_win,
    "one": wins_in_one,
    "two": wins_in_two,
    "three": wins_in_three,
}
"""Positions by the number of moves in which the one to move wins by force."""


def draw_positions(
    board: Board,
    kind: str,
    number: int,
    *,
    stones: tuple[int, int],
    rng: np.random.Generator,
) -> Positions:
    """Draw positions of a kind, no two of which are images of one another.

    The one to move has between so many stones; the other one as many, or one more, as if the
    other one had begun. In none could the other one win at once.

    Parameters
    ----------
    board : Board
    kind : str
        Of `KINDS`.
    number : int
    stones : pair of int
        Least and most stones of the one to move.
    rng : numpy.random.Generator

    Raises
    ------
    ValueError
        If the board has no more such positions.
    """
    found, known, dry = Positions(NO_SQUARES, NO_SQUARES), NO_SQUARES, 0
    while len(found) < number:
        new = _some_positions(board, stones, rng=rng)
        new = new[KINDS[kind](board, new)]
        names, first = np.unique(_names(board, new), return_index=True)
        is_new = ~np.isin(names, known)
        found, known = found + new[first[is_new]], np.concatenate([known, names[is_new]])
        dry = 0 if is_new.any() else dry + 1
        if dry == DRY:
            raise ValueError(
                f"only {len(found)} of {number} positions of kind {kind!r} with {stones[0]} to "
                f"{stones[1]} stones were found on {board}; ask for fewer or another board."
            )
    return found[:number]


def _some_positions(
    board: Board, stones: tuple[int, int], *, rng: np.random.Generator
) -> Positions:
    """Return those of `CHUNK` random positions that `Positions` may hold."""
    rank = rng.random((CHUNK, board.area)).argsort(axis=1).argsort(axis=1)
    mine = rng.integers(stones[0], stones[1] + 1, size=(CHUNK, 1))
    theirs = mine + rng.integers(2, size=(CHUNK, 1))
    own = board.pack(rank < mine)
    other = board.pack((rank >= mine) & (rank < mine + theirs))
    is_open = ~board.has_line(own) & ~board.has_line(other)
    is_open &= board.completing(other, own) == 0
    return Positions(own[is_open], other[is_open])


def _names(board: Board, positions: Positions) -> IntArray:
    """Return one integer a position, the same for all its images, (n,)."""
    every = images(board, positions)
    names = every.own | every.other << board.area
    return np.asarray(names.reshape(8, -1).min(axis=0))
