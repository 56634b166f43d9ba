"""The shard organism: agents of the maze, by algorithm and by how much reward comes on the way.

The same network in the same mazes, at an α at which the corner is learned before the cheese, so
that what is alike whatever the algorithm and the reward can be told from what is not. Vary
`algorithm` over a2c, ppo, pqn and reinforce, `process_fraction` from 0 to 1. Each algorithm has its
own number of steps and as many checkpoints, log-spaced over its own training; what they came to is
in `benchmarks/algorithms.md`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from empirics.algorithm import AbstractAlgorithm
from empirics.experiment import Arm, Experiment, log_schedule
from empirics.experiments.goal_switch import maze_agent
from empirics.experiments.small_maze import MAZE, NETWORK
from empirics.policy_gradients import a2c, reinforce_with_critic
from empirics.pqn_config import PQNConfig

_NUM_CHECKPOINTS = 24
_STEPS = 286_720
_MAZE = replace(
    maze_agent(
        MAZE.cells,
        NETWORK,
        _STEPS,
        _NUM_CHECKPOINTS,
        max_steps=MAZE.max_steps,
        num_success_levels=64,
    ),
    environment=replace(MAZE, alpha=0.1),
)
_SHARED: dict[str, Any] = {
    "learning_rate": _MAZE.algorithm.learning_rate,
    "anneal_lr": False,
    "gamma": _MAZE.algorithm.gamma,
}


def _arm(algorithm: AbstractAlgorithm) -> Arm:
    return Arm(algorithm, log_schedule(algorithm, _NUM_CHECKPOINTS))


EXPERIMENT: Experiment = replace(
    _MAZE,
    name="shard-organism",
    label="",
    others=(
        # As many steps on small batches as fit: each rollout gives but one.
        _arm(a2c(**_SHARED, total_timesteps=524_288, num_envs=64, num_steps=8, gae_lambda=0.95)),
        _arm(
            PQNConfig(
                **_SHARED,
                total_timesteps=_STEPS,
                num_envs=256,
                num_steps=16,
                gae_lambda=0.9,
                num_minibatches=8,
                update_epochs=3,
                temperature=0.02,
            )
        ),
        _arm(reinforce_with_critic(**_SHARED, total_timesteps=786_432, num_envs=16, num_steps=64)),
    ),
)
"""Minutes a run."""
