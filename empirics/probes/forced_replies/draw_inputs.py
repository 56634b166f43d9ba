"""Inputs of patching: forced wins that a weak agent misses, and stones that undo them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

import numpy as np
from numpy.typing import NDArray

from empirics.probe import Policy
from empirics.probes.behavior import action_probabilities
from empirics.probes.lookahead.corruption import judged
from empirics.probes.lookahead.draw_inputs import NoInputs
from empirics.probes.lookahead.inputs import Filters
from empirics.row_game.board import Board, BoolArray, IntArray
from empirics.row_game.config import RowGameConfig
from empirics.row_game.forced_line import ForcedLines, forced_lines
from empirics.row_game.observe import observe
from empirics.row_game.positions import Positions
from empirics.row_game.solver import can_win

FILTERS = Filters(hard=0.1, far=2)
"""There are some fifteen legal moves; a stone next to the first move may be part of its threat."""


@final
@dataclass(frozen=True, eq=False)
class ReplyInputs:
    """Positions won by one line with a forced reply, each with a corruption.

    Attributes
    ----------
    board : Board
    lines : ForcedLines
        (n,)
    corrupted : Positions
        (n,) the positions with one stone more or less: nothing wins by force any more.
    changed : (n,) integer array
        The square of that stone.
    fallen : mapping of str to int
        How many candidates fell at each filter, in order.
    """

    board: Board
    lines: ForcedLines
    corrupted: Positions
    changed: IntArray
    fallen: Mapping[str, int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "fallen", MappingProxyType(dict(self.fallen)))

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def observation(self) -> NDArray[np.float32]:
        """What the agent sees, (n, planes, size, size)."""
        return observe(self.board, self.lines.positions.own, self.lines.positions.other)

    @property
    def corrupted_observation(self) -> NDArray[np.float32]:
        """The same after the corruption."""
        return observe(self.board, self.corrupted.own, self.corrupted.other)


def draw_reply_inputs(
    config: RowGameConfig,
    positions: Positions,
    *,
    weak: Policy,
    strong: Policy,
    num_inputs: int = 64,
    filters: Filters = FILTERS,
) -> ReplyInputs:
    """Choose inputs by two agents, as Jenner et al. 2024 choose puzzles; nothing is left to chance.

    Parameters
    ----------
    config : RowGameConfig
    positions : Positions
        Of kind "three", held out.
    weak : Policy
        For which the first move is to be hard, such as an early checkpoint of the same run.
    strong : Policy
        Which finds the first and the third move, such as the last checkpoint.
    num_inputs : int
        The most that are kept.
    filters : Filters

    Raises
    ------
    NoInputs
        If no position passes; the sentence says how many fell at each filter.
    """
    board, fallen = config.board, dict[str, int]()
    lines = forced_lines(board, positions)
    fallen["more than one line"] = len(positions) - len(lines)
    is_hard = _p(weak, board, lines.positions, lines.first) < filters.hard
    lines = _sifted(lines, is_hard, "not hard for the weak agent", fallen)
    is_solved = _p(strong, board, lines.positions, lines.first) > filters.solved
    left = 1 - 1 / config.max_moves
    is_solved &= _p(strong, board, lines.after_reply, lines.third, left) > filters.solved
    lines = _sifted(lines, is_solved, "not solved by the strong agent", fallen)

    row, corrupted, changed = undoing_stones(board, lines, filters.far)
    before = lines.positions[row]
    falls, is_unnoticed, divergence = judged(
        observe(board, before.own, before.other),
        observe(board, corrupted.own, corrupted.other),
        lines.first[row],
        weak=weak,
        strong=strong,
        filters=filters,
    )
    stage = np.zeros(len(lines), dtype=np.int64)
    np.maximum.at(stage, row, 1 + falls + (falls & is_unnoticed))
    for reached, why_not in enumerate(
        (
            "no such corruption",
            "solved as before by the strong agent",
            "noticed by the weak agent",
        )
    ):
        fallen[why_not] = int((stage == reached).sum())
    _check_any(stage == 3, fallen)
    good = np.flatnonzero(falls & is_unnoticed)
    good = good[np.argsort(divergence[good], kind="stable")]
    kept, first = np.unique(row[good], return_index=True)
    fallen["more than asked for"] = max(0, len(kept) - num_inputs)
    chosen = good[first][:num_inputs]
    return ReplyInputs(board, lines[row[chosen]], corrupted[chosen], changed[chosen], fallen)


def undoing_stones(
    board: Board, lines: ForcedLines, far: int
) -> tuple[IntArray, Positions, IntArray]:
    """Return every change of one stone after which the win is gone and the threat is still there.

    A stone is taken away, or put on an empty square; not on a square of the line of play, and at
    least `far` from the first move, the larger of rows and columns. Afterwards nobody can win at
    once, the first move still threatens the square of the reply and no other, and nothing wins by
    threats within three moves.

    Returns
    -------
    row : (k,) integer array
        Which line.
    corrupted : Positions
        (k,)
    changed : (k,) integer array
        The square of the stone.
    """
    rows, squares = np.nonzero(_may_change(board, lines, far))
    own, other, bit = lines.positions.own[rows], lines.positions.other[rows], 1 << squares
    taken = (own | other) & bit != 0
    # An empty square has two ways to change: either side's stone on it.
    row = np.concatenate([rows, rows[~taken]])
    own = np.concatenate([np.where(taken, own & ~bit, own | bit), own[~taken]])
    other = np.concatenate([other & ~bit, other[~taken] | bit[~taken]])
    square = np.concatenate([squares, squares[~taken]])
    first, reply = 1 << lines.first[row], 1 << lines.reply[row]
    fits = ~board.has_line(own) & ~board.has_line(other)
    fits &= (board.completing(own, other) | board.completing(other, own)) == 0
    fits &= board.completing(own | first, other) == reply
    kept = np.flatnonzero(fits)
    kept = kept[~can_win(board, own[kept], other[kept], 3, by_threats=True)]
    return row[kept], Positions(own[kept], other[kept]), square[kept]


def _may_change(board: Board, lines: ForcedLines, far: int) -> BoolArray:
    """Return the squares that are far from the first move and not in the line of play."""
    place, first = np.arange(board.area), lines.first[:, None]
    rows = np.abs(place // board.size - first // board.size)
    columns = np.abs(place % board.size - first % board.size)
    in_line = (place == lines.reply[:, None]) | (place == lines.third[:, None])
    return np.asarray((np.maximum(rows, columns) >= far) & ~in_line)


def _p(
    policy: Policy, board: Board, positions: Positions, move: IntArray, share_left: float = 1.0
) -> NDArray[np.float64]:
    p = action_probabilities(policy, observe(board, positions.own, positions.other, share_left))
    return np.asarray(p[np.arange(len(p)), move])


def _sifted(
    lines: ForcedLines, passes: BoolArray, why_not: str, fallen: dict[str, int]
) -> ForcedLines:
    """Return the lines that pass, and count the others."""
    fallen[why_not] = int((~passes).sum())
    _check_any(passes, fallen)
    return lines[np.flatnonzero(passes)]


def _check_any(passes: BoolArray, fallen: dict[str, int]) -> None:
    if not passes.any():
        said = ", ".join(f"{why_not}: {count}" for why_not, count in fallen.items())
        raise NoInputs(
            f"no position is hard for the weak agent and solved by the strong one ({said}); take a "
            "weak agent that has begun to learn, a stronger one, or more positions."
        )
