"""The game of forced replies: win in a few moves against an opponent that has to answer threats.

The agent is to move, in a position in which the opponent threatens nothing. The opponent fills a
line if it can; else it blocks, if the agent could fill one (the forced reply); else it plays
anywhere. The agent earns 1 for a line of its own and −1 for one of the opponent, and 0 when
`max_moves` of its moves are over or the board is full, as chess problems are to be solved in so
many moves.

A move on a stone loses at once. Policies of `empirics.policies.recurrent_board_policy` never
make one: what is occupied is masked in their logits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, final

import numpy as np

from empirics.coerce import coerce_fields, whole
from empirics.row_game.board import Board
from empirics.row_game.positions import KINDS, Positions, draw_positions

if TYPE_CHECKING:
    from empirics.row_game.environment import RowGame

Pools = Mapping[str, Positions]
"""Positions by kind."""


@final
@dataclass(frozen=True)
class RowGameConfig:
    """Everything that decides what the game is.

    Attributes
    ----------
    size, length : int
        Of the board (`Board`).
    max_moves : int
        The agent's moves after which the game is a draw.
    one_share, two_share, three_share : float
        Shares of starts from which exactly one move wins by force: at once, within two moves, and
        within three, all replies forced. In all others no three moves win by threats.
    min_stones, max_stones : int
        Of the agent at the start; the opponent has as many or one more.
    num_train_positions, num_held_out_positions : int
        Positions of each kind in the two pools; no two are images of one another.
    position_seed : int
        Seed of the pools; the same in every run of an experiment.

    Raises
    ------
    ValueError
        For a value that makes no game.
    """

    size: int = 5
    length: int = 4
    max_moves: int = 3
    one_share: float = 0.2
    two_share: float = 0.3
    three_share: float = 0.4
    min_stones: int = 4
    max_stones: int = 6
    num_train_positions: int = 2000
    num_held_out_positions: int = 400
    position_seed: int = 0

    def __post_init__(self) -> None:
        coerce_fields(self)
        area = self.board.area
        for name in ("max_moves", "min_stones", "num_train_positions", "num_held_out_positions"):
            whole(name, getattr(self, name), 1)
        whole("position_seed", self.position_seed, 0)
        shares = self.one_share, self.two_share, self.three_share
        if min(shares) < 0 or sum(shares) > 1 + 1e-9:
            raise ValueError(
                "one_share, two_share and three_share are parts of all starts, at least 0 and at "
                f"most 1 together; they are {', '.join(map(str, shares))}."
            )
        if not self.min_stones <= self.max_stones <= (area - 2) // 2:
            raise ValueError(
                f"max_stones must be from min_stones to {(area - 2) // 2}, so that a square is "
                f"free; they are {self.min_stones} and {self.max_stones}."
            )

    @property
    def board(self) -> Board:
        """The board."""
        return Board(self.size, self.length)

    @property
    def observation_shape(self) -> tuple[int, int, int]:
        """Shape of an observation: own stones, the opponent's, the share of moves left."""
        return 3, self.size, self.size

    @property
    def shares(self) -> Mapping[str, float]:
        """Share of starts of each kind."""
        one, two, three = self.one_share, self.two_share, self.three_share
        rest = max(0.0, 1.0 - one - two - three)
        return {"none": rest, "one": one, "two": two, "three": three}

    @property
    def conditions(self) -> dict[str, bool | int | float]:
        """The configuration as rows of a ledger."""
        return asdict(self)

    def make(self, num_envs: int, seed: int) -> RowGame:
        """Return an environment on the training positions."""
        from empirics.row_game.environment import RowGame

        return RowGame(self, num_envs, rng=np.random.default_rng(seed))

    def pools(self) -> tuple[Pools, Pools]:
        """Return the training and the held-out positions (the same at every call)."""
        numbers = self.num_train_positions, self.num_held_out_positions
        stones = self.min_stones, self.max_stones
        return _pools(self.board, stones, *numbers, self.position_seed)


@lru_cache(maxsize=4)
def _pools(
    board: Board, stones: tuple[int, int], num_train: int, num_held_out: int, seed: int
) -> tuple[Pools, Pools]:
    streams = np.random.SeedSequence(seed).spawn(len(KINDS))
    drawn = {
        kind: draw_positions(
            board, kind, num_train + num_held_out, stones=stones, rng=np.random.default_rng(stream)
        )
        for kind, stream in zip(KINDS, streams, strict=True)
    }
    train = {kind: positions[:num_train] for kind, positions in drawn.items()}
    held_out = {kind: positions[num_train:] for kind, positions in drawn.items()}
    return MappingProxyType(train), MappingProxyType(held_out)
