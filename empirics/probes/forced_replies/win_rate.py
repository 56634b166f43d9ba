"""How often an agent wins and loses against the opponent it was trained with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from empirics.probe import Policy, Reading, level_mean
from empirics.probes.behavior import action_probabilities
from empirics.row_game.config import Pools, RowGameConfig
from empirics.row_game.environment import opponent_reply
from empirics.row_game.observe import observe
from empirics.row_game.positions import KINDS


@final
@dataclass(frozen=True, eq=False)
class WinRate:
    """The share of games won and lost from held-out positions of each kind; a `Probe`.

    One game a position, with moves and replies drawn by a generator of the same seed at every
    checkpoint. `win_rate` and `loss_rate` weight the kinds as in training.

    Attributes
    ----------
    config : RowGameConfig
    pools : mapping of str to Positions
        Held-out positions by kind.
    seed : int
    """

    config: RowGameConfig
    pools: Pools
    seed: int = 0
    name: str = "win_rate"
    observables: tuple[str, ...] = (
        "win_rate",
        "loss_rate",
        *(f"win_rate_{kind}" for kind in KINDS),
    )

    def __call__(self, policy: Policy) -> Mapping[str, Reading]:
        """Measure `policy`; se over positions."""
        played = {kind: self._play(policy, kind, i) for i, kind in enumerate(KINDS)}
        result = {f"win_rate_{kind}": _reading([(1.0, won)]) for kind, (won, _) in played.items()}
        shares = self.config.shares
        return {
            "win_rate": _reading([(shares[kind], won) for kind, (won, _) in played.items()]),
            "loss_rate": _reading([(shares[kind], lost) for kind, (_, lost) in played.items()]),
            **result,
        }

    def _play(
        self, policy: Policy, kind: str, number: int
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return which games are won and which are lost, (n,)."""
        board, moves = self.config.board, self.config.max_moves
        own, other = self.pools[kind].own.copy(), self.pools[kind].other.copy()
        won, lost = np.zeros((2, own.size), dtype=np.bool_)
        rng = np.random.default_rng([self.seed, number])
        for move in range(moves):
            playing = np.flatnonzero(~won & ~lost & ((own | other) != board.full))
            if not playing.size:
                break
            seen = observe(board, own[playing], other[playing], 1 - move / moves)
            bit = 1 << drawn(action_probabilities(policy, seen), rng=rng)
            lost[playing] = (own[playing] | other[playing]) & bit != 0
            own[playing] |= np.where(lost[playing], 0, bit)
            won[playing] = board.has_line(own[playing])
            answered = playing[~won[playing] & ~lost[playing]]
            other[answered] |= opponent_reply(board, own[answered], other[answered], rng=rng)
            lost[answered] = board.has_line(other[answered])
        return won, lost


def drawn(p: NDArray[np.float64], *, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return an action a row, (n,), drawn by its probabilities (n, num_actions)."""
    past = rng.random((len(p), 1)) * p.sum(axis=1, keepdims=True) >= p.cumsum(axis=1)
    return np.asarray(np.minimum(past.sum(axis=1), p.shape[1] - 1))


def _reading(parts: list[tuple[float, NDArray[np.bool_]]]) -> Reading:
    """Return a weighted mean of shares of games, each with its own positions."""
    means = [
        (weight, *level_mean(won.astype(np.float64), np.arange(won.size))) for weight, won in parts
    ]
    value = sum(weight * mean for weight, mean, _, _ in means)
    variance = sum((weight * (se or 0.0)) ** 2 for weight, _, se, _ in means)
    n = sum(number for *_, number in means)
    return Reading(
        min(value, 1.0), variance**0.5, n_levels=n, support=(0.0, 1.0), se_is_shared=True
    )
