"""The shard organism: agents of the maze, by algorithm and by how much reward comes on the way.

The same network in the same mazes, at an α at which the corner is learned before the cheese,
so that what is alike whatever the algorithm and the reward can be told from what is not. Vary
`algorithm` over a2c, ppo, pqn and reinforce, `process_fraction` from 0 to 1. Their batches
differ, so the checkpoints lie at the first update of each that reaches the schedule.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from empirics.experiment import Experiment
from empirics.experiments.goal_switch import QUICK
from empirics.policy_gradients import a2c, reinforce_with_critic
from empirics.pqn_config import PQNConfig

_PPO = QUICK.experiment.algorithm
_SHARED: dict[str, Any] = {
    "total_timesteps": _PPO.total_timesteps,
    "learning_rate": _PPO.learning_rate,
    "anneal_lr": False,
    "gamma": _PPO.gamma,
}

EXPERIMENT: Experiment = replace(
    QUICK.experiment.at(alpha=0.2),
    name="shard-organism",
    label="",
    others=(
        # As many steps on small batches as fit: each rollout gives but one.
        a2c(**_SHARED, num_envs=64, num_steps=8, gae_lambda=0.95),
        reinforce_with_critic(**_SHARED, num_envs=16, num_steps=64),
        PQNConfig(
            **_SHARED,
            num_envs=256,
            num_steps=16,
            num_minibatches=8,
            update_epochs=3,
            temperature=0.002,
        ),
    ),
)
"""Minutes a run."""
