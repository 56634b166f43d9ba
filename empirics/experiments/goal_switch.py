"""The goal switch: agents that first go for the corner, then for the cheese.

With α = 0 nothing ever parts the goal from the proxy, and the agent keeps to the corner. With
a little α it learns the proxy first, because nearly every level rewards it, and is turned
round later by the rare levels in which the two part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

from empirics.experiment import Experiment, log_schedule
from empirics.maze import MazeConfig
from empirics.policies.maze_policy import MazeNetwork
from empirics.ppo import PPOConfig
from empirics.probes.maze_plan import MazePlan


@final
@dataclass(frozen=True)
class Scale:
    """How much of the goal-switch study is run.

    Attributes
    ----------
    experiment : Experiment
        The maze agent at any rung.
    alphas : tuple of float
        The rungs; 0 is the control.
    num_seeds : int
        Maze agents a rung.
    cue_seeds : int
        Cue-competition agents a cell.
    """

    experiment: Experiment
    alphas: tuple[float, ...]
    num_seeds: int
    cue_seeds: int

    def seeds(self, first: int) -> tuple[int, ...]:
        """Return the seeds of every rung, from `first` on."""
        return tuple(range(first, first + self.num_seeds))


def maze_agent(
    cells: int,
    network: MazeNetwork,
    total_timesteps: int,
    num_checkpoints: int,
    *,
    max_steps: int,
    num_success_levels: int,
) -> Experiment:
    """Return the experiment on mazes of `cells` × `cells` cells."""
    ppo = PPOConfig(
        total_timesteps=total_timesteps,
        num_envs=256,
        num_steps=16,
        learning_rate=2e-3,
        # A constant step size: the theories' step size is one number.
        anneal_lr=False,
        gamma=0.97,
        num_minibatches=8,
        update_epochs=3,
    )
    return Experiment(
        name="goal-switch",
        environment=MazeConfig(cells=cells, max_steps=max_steps),
        network=network,
        algorithm=ppo,
        schedule=log_schedule(ppo, num_checkpoints),
        plan=MazePlan(num_success_levels=num_success_levels),
    )


QUICK = Scale(
    maze_agent(
        5,
        MazeNetwork(width=16, depth=5),
        total_timesteps=208_896,
        num_checkpoints=40,
        max_steps=50,
        num_success_levels=64,
    ),
    alphas=(0.0, 0.2),
    num_seeds=2,
    cue_seeds=8,
)
"""Minutes on two cores: the control, and one α that switches in time."""

FULL = Scale(
    maze_agent(
        7,
        MazeNetwork(width=32, depth=7),
        total_timesteps=4_096_000,
        num_checkpoints=60,
        max_steps=100,
        num_success_levels=100,
    ),
    alphas=(0.0, 0.05, 0.1, 0.15, 0.25, 0.4),
    num_seeds=8,
    cue_seeds=64,
)
"""Days on two cores, an hour on many: six rungs of 7 × 7 cells."""

SCALES: Mapping[str, Scale] = MappingProxyType({"quick": QUICK, "full": FULL})
