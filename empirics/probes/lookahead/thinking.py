"""Thinking time: what an agent gains from fewer or more ticks than it was trained with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray

from empirics.levels import Levels, distances, first_steps
from empirics.maze import MazeConfig, Situation, draw_situations, observe
from empirics.policies.recurrent_maze_policy import RecurrentMazePolicy
from empirics.probe import Policy, Reading, share_reading
from empirics.probes.behavior import action_probabilities
from empirics.probes.goal_vector import change_reading
from empirics.probes.lookahead.routes import open_ways

TIMES = {"few": 1 / 3, "trained": 1.0, "more": 4 / 3, "twice": 2.0}
"""Ticks as multiples of those in training."""

DISTANCES = ("near", "far")


@final
@dataclass(frozen=True, eq=False)
class Thinking:
    """P(correct first step) by the number of ticks, for near and far cheeses; a `Probe`.

    `thinking_gain` is what ticks beyond training add, a third more; `thinking_used` is what the
    trained ticks add to a third of them. An agent without ticks gains nothing, by construction.

    Attributes
    ----------
    levels : Levels
    config : MazeConfig
    situation : Situation
        (n,) one of each level.

    References
    ----------
    Bush et al. 2025 (arXiv 2504.01871) and Taufeeque et al. 2024 (arXiv 2407.15421), who give
    thinking steps before the first action.
    """

    levels: Levels
    config: MazeConfig
    situation: Situation
    name: str = "thinking"
    observables: tuple[str, ...] = (
        "thinking_gain",
        "thinking_gain_near",
        "thinking_gain_far",
        "thinking_used",
        *(f"p_correct_{time}_{where}" for time in TIMES for where in DISTANCES),
    )

    def __call__(self, policy: Policy) -> Mapping[str, Reading]:
        """Measure `policy`; se over levels."""
        correct = {time: self._correct(policy, share) for time, share in TIMES.items()}
        more, used = correct["more"] - correct["trained"], correct["trained"] - correct["few"]
        level, far, nothing = self.situation.level, self.is_far, {"no more ticks": 0.0}
        return {
            "thinking_gain": change_reading(more, level, nothing),
            "thinking_gain_near": change_reading(more[~far], level[~far], nothing),
            "thinking_gain_far": change_reading(more[far], level[far], nothing),
            "thinking_used": change_reading(used, level, {"as many ticks": 0.0}),
            **{
                f"p_correct_{time}_{where}": self._share(p, far == (where == "far"))
                for time, p in correct.items()
                for where in DISTANCES
            },
        }

    def _correct(self, policy: Policy, share: float) -> NDArray[np.float64]:
        seen = self._observation
        p = action_probabilities(with_share_of_ticks(policy, share), seen)
        return np.asarray(p[np.arange(len(p)), self._best])

    def _share(self, p: NDArray[np.float64], chosen: NDArray[np.bool_]) -> Reading:
        some = {"some open step": float((1.0 / self._ways[chosen]).mean())}
        return share_reading(p[chosen], self.situation.level[chosen], some)

    @property
    def steps(self) -> NDArray[np.int64]:
        """The length of each path, in squares, (n,)."""
        now = self.situation
        from_cheese = distances(self.levels[now.level], now.cheese)
        return from_cheese[np.arange(len(now)), now.mouse].astype(np.int64)

    @cached_property
    def is_far(self) -> NDArray[np.bool_]:
        """Which paths are longer than the median, (n,)."""
        steps = self.steps
        return np.asarray(steps > np.median(steps))

    @cached_property
    def _observation(self) -> NDArray[np.float32]:
        return observe(self.levels, self.situation, self.config)

    @cached_property
    def _best(self) -> NDArray[np.int64]:
        now = self.situation
        return first_steps(self.levels[now.level], now.cheese)[np.arange(len(now)), now.mouse]

    @cached_property
    def _ways(self) -> NDArray[np.int64]:
        return open_ways(self.levels)[self.situation.level, self.situation.mouse]


def with_share_of_ticks(policy: Policy, share: float) -> Policy:
    """Return the policy with so many times its ticks, at least one; itself if it has none."""
    if not isinstance(policy, RecurrentMazePolicy):
        return policy
    return policy.with_ticks(max(1, round(share * policy.ticks)))


def draw_thinking(
    levels: Levels, config: MazeConfig, *, num_levels: int = 400, rng: np.random.Generator
) -> Thinking:
    """Draw a mouse and a cheese, anywhere, on so many levels.

    Half of the paths, those longer than their median, count as far.

    Raises
    ------
    ValueError
        If all paths are equally long, so that none is far.
    """
    level = rng.permutation(len(levels))[:num_levels]
    situation = draw_situations(levels, level, replace(config, alpha=1.0), rng=rng)
    probe = Thinking(levels, config, situation)
    if not probe.is_far.any():
        raise ValueError(
            f"far targets need paths longer than the median; of those of {len(level)} levels none "
            "is. Draw from more or larger levels."
        )
    return probe
