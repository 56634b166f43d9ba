"""How undecided the policy is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from empirics.levels import NUM_ACTIONS, Levels
from empirics.maze import MazeConfig, Situation, draw_situations, observe
from empirics.probe import Policy, Reading, level_mean
from empirics.probes.behavior import action_probabilities


@final
@dataclass(frozen=True, eq=False)
class PolicyEntropy:
    """Mean entropy of the policy, in nats, on first observations of held-out levels.

    Attributes
    ----------
    levels : Levels
    config : MazeConfig
    situation : Situation
        On the training distribution; the same at every checkpoint.
    """

    levels: Levels
    config: MazeConfig
    situation: Situation
    name: str = "policy_entropy"
    observables: tuple[str, ...] = ("policy_entropy",)

    def __call__(self, policy: Policy) -> Mapping[str, Reading]:
        """Measure `policy`; se over levels."""
        p = action_probabilities(policy, observe(self.levels, self.situation, self.config))
        largest = math.log(NUM_ACTIONS)
        # log 1 where p is 0: the limit of p log p.
        entropy = -(p * np.log(np.where(p > 0, p, 1.0))).sum(axis=1)
        mean, se, n_levels = level_mean(np.clip(entropy, 0.0, largest), self.situation.level)
        return {
            "policy_entropy": Reading(
                min(mean, largest),
                se,
                n_levels=n_levels,
                unit="nats",
                support=(0.0, largest),
                baselines={"uniform": largest},
                se_is_shared=True,
            )
        }


def draw_policy_entropy(
    levels: Levels, config: MazeConfig, *, rng: np.random.Generator
) -> PolicyEntropy:
    """Draw one first observation a level."""
    situation = draw_situations(levels, np.arange(len(levels)), config, rng=rng)
    return PolicyEntropy(levels, config, situation)
