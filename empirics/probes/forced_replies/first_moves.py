"""How often an agent begins a forced win, by the number of moves it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray

from empirics.probe import Policy, Reading, share_reading
from empirics.probes.behavior import action_probabilities
from empirics.row_game.board import Board
from empirics.row_game.config import Pools
from empirics.row_game.forced_line import ForcedLines, forced_lines
from empirics.row_game.observe import observe
from empirics.row_game.positions import Positions
from empirics.row_game.solver import winning_moves

MOVES: Mapping[str, int] = {"one": 1, "two": 2, "three": 3}
"""Moves in which positions of a kind are won."""

CHANCE = "a legal move at random"


@final
@dataclass(frozen=True, eq=False)
class FirstMoves:
    """P(the one move that wins by force) on held-out positions; a `Probe`.

    `p_win_one` is of wins at once, `p_win_two` of threats on two squares at once, `p_win_three` of
    wins with forced replies; their baseline is a legal move at random. `p_threat_three` is the
    probability of *any* threat in the last ones, which needs no look-ahead; shared out among the
    threats there are it is another baseline of `p_win_three`, that of an agent which threatens,
    but whatever. `p_line_three` is the probability of the first and of the third move, where the
    third too is the only one.

    Attributes
    ----------
    board : Board
    max_moves : int
        Of a game (`RowGameConfig`).
    pools : mapping of str to Positions
        Held-out positions by kind.
    """

    board: Board
    max_moves: int
    pools: Pools
    name: str = "first_moves"
    observables: tuple[str, ...] = (
        "p_win_one",
        "p_win_two",
        "p_win_three",
        "p_threat_three",
        "p_line_three",
    )

    def __call__(self, policy: Policy) -> Mapping[str, Reading]:
        """Measure `policy`; se over positions."""
        p = {kind: self._probabilities(policy, self.pools[kind]) for kind in MOVES}
        wins = {kind: (p[kind] * self._wins[kind]).sum(axis=1) for kind in MOVES}
        threats = (p["three"] * self._threats).sum(axis=1)
        which = float((threats / self._threats.sum(axis=1)).mean())
        by_chance = {kind: {CHANCE: self._share_of(self._wins[kind], kind)} for kind in MOVES}
        by_chance["three"]["any threat"] = which
        return {
            **{f"p_win_{kind}": _reading(wins[kind], by_chance[kind]) for kind in MOVES},
            "p_threat_three": _reading(threats, {CHANCE: self._share_of(self._threats, "three")}),
            "p_line_three": self._line(policy),
        }

    def _line(self, policy: Policy) -> Reading:
        """Return the probability of the first and the third move, where both are the only ones."""
        lines, each = self._lines, np.arange(len(self._lines))
        after = lines.after_reply
        first = self._probabilities(policy, lines.positions)[each, lines.first]
        third = self._probabilities(policy, after, moves_made=1)[each, lines.third]
        legal = _legal(self.board, lines.positions) * _legal(self.board, after)
        return _reading(first * third, {CHANCE: float((1 / legal).mean())})

    def _probabilities(
        self, policy: Policy, positions: Positions, moves_made: int = 0
    ) -> NDArray[np.float64]:
        share_left = 1 - moves_made / self.max_moves
        return action_probabilities(
            policy, observe(self.board, positions.own, positions.other, share_left)
        )

    def _share_of(self, squares: NDArray[np.bool_], kind: str) -> float:
        """Return the chance that a legal move at random is one of some squares."""
        return float((squares.sum(axis=1) / _legal(self.board, self.pools[kind])).mean())

    @cached_property
    def _wins(self) -> dict[str, NDArray[np.bool_]]:
        """The moves that win by force, of each kind."""
        return {
            kind: winning_moves(
                self.board, self.pools[kind].own, self.pools[kind].other, moves, by_threats=True
            )
            for kind, moves in MOVES.items()
        }

    @cached_property
    def _threats(self) -> NDArray[np.bool_]:
        """The moves that threaten something in the positions won within three, (n, size²)."""
        own, other = self.pools["three"].own, self.pools["three"].other
        result = self.board.unpack(self.board.full & ~(own | other))
        row, square = np.nonzero(result)
        result[row, square] = self.board.completing(own[row] | (1 << square), other[row]) != 0
        return result

    @cached_property
    def _lines(self) -> ForcedLines:
        return forced_lines(self.board, self.pools["three"])


def _legal(board: Board, positions: Positions) -> NDArray[np.int64]:
    """Return the number of free squares, (n,)."""
    return np.asarray(board.unpack(board.full & ~(positions.own | positions.other)).sum(axis=1))


def _reading(values: NDArray[np.float64], baselines: Mapping[str, float]) -> Reading:
    return share_reading(values, np.arange(values.size), baselines)
