"""The shard organism: agents of the maze, by algorithm and by how much reward comes on the way.

The same mazes, at an α at which the corner is learned before the cheese, so that what is alike
whatever the algorithm and the reward can be told from what is not. Vary `algorithm` over a2c,
ppo, pqn and reinforce, `process_fraction` from 0 to 1. Each trains for as long as it needs and has
as many checkpoints, log-spaced over its own training (`benchmarks/algorithms.md`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from empirics.algorithm import AbstractAlgorithm
from empirics.experiment import Arm, Experiment, Shape, log_schedule
from empirics.experiments.goal_switch import QUICK
from empirics.policies.tempered import TemperedNetwork
from empirics.policy_gradients import a2c, reinforce_with_critic
from empirics.pqn_config import PQNConfig

_MAZE = QUICK.experiment.at(alpha=0.2)
_NUM_CHECKPOINTS = len(_MAZE.schedule)
_SHARED: dict[str, Any] = {"anneal_lr": False, "gamma": _MAZE.algorithm.gamma}
_STEP: dict[str, Any] = {"learning_rate": _MAZE.algorithm.learning_rate}


def _arm(algorithm: AbstractAlgorithm, network: Shape = _MAZE.network) -> Arm:
    return Arm(algorithm, network, log_schedule(algorithm, _NUM_CHECKPOINTS))


EXPERIMENT: Experiment = replace(
    _MAZE,
    name="shard-organism",
    label="",
    others=(
        # As many steps on small batches as fit: each rollout gives but one.
        _arm(
            a2c(
                **_SHARED,
                **_STEP,
                total_timesteps=524_288,
                num_envs=64,
                num_steps=8,
                gae_lambda=0.95,
            )
        ),
        _arm(
            reinforce_with_critic(
                **_SHARED, **_STEP, total_timesteps=786_432, num_envs=16, num_steps=64
            )
        ),
        _arm(
            PQNConfig(
                **_SHARED,
                total_timesteps=299_008,
                num_envs=64,
                num_steps=16,
                learning_rate=1e-3,
                num_minibatches=8,
                temperature=0.01,
            ),
            TemperedNetwork(_MAZE.network, temperature=0.02),
        ),
    ),
)
"""Minutes a run."""
