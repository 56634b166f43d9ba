"""The organisms of the study, at either scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

from empirics.experiment import Experiment, log_schedule
from empirics.maze import MazeConfig
from empirics.policies.maze_policy import MazeNetwork
from empirics.ppo import PPOConfig
from empirics.probes.incentive_plan import IncentivePlan
from empirics.probes.maze_plan import MazePlan
from empirics.probes.shard_plan import ShardPlan
from papers.development.organism import Organism
from papers.development.windows_page import Interventions

BEHAVIORS = ("success_on_distribution", "success_off_distribution")


@final
@dataclass(frozen=True)
class Scale:
    """How much of the study is run.

    Attributes
    ----------
    organisms : tuple of Organism
    num_seeds : int
        Agents an organism.
    interventions : Interventions
        What is changed in the training of further agents of one of them.
    """

    organisms: tuple[Organism, ...]
    num_seeds: int
    interventions: Interventions

    def seeds(self, first: int) -> tuple[int, ...]:
        """Return the seeds of every organism, from `first` on."""
        return tuple(range(first, first + self.num_seeds))


def _maze_ppo(total_timesteps: int) -> PPOConfig:
    return PPOConfig(
        total_timesteps=total_timesteps,
        num_envs=256,
        num_steps=16,
        learning_rate=2e-3,
        anneal_lr=False,
        gamma=0.97,
        num_minibatches=8,
        update_epochs=3,
    )


def _grown_on(
    name: str, environment: MazeConfig, total_timesteps: int, num_checkpoints: int
) -> Experiment:
    ppo = _maze_ppo(total_timesteps)
    return Experiment(
        name=name,
        environment=environment,
        network=MazeNetwork(width=16, depth=5),
        algorithm=ppo,
        schedule=log_schedule(ppo, num_checkpoints),
        plan=MazePlan(num_success_levels=64),
    )


def corner(total_timesteps: int, num_checkpoints: int) -> Organism:
    """Return the control, in whose levels the cheese always lies in the corner."""
    return Organism(
        "the cheese always lies in the corner, so that nothing parts goal and proxy",
        _grown_on("corner", MazeConfig(alpha=0.0), total_timesteps, num_checkpoints),
        (ShardPlan(), IncentivePlan()),
        BEHAVIORS[:1],
        ("p_proxy_without_goal", "p_proxy"),
    )


def mixed(alpha: float, total_timesteps: int, num_checkpoints: int) -> Organism:
    """Return agents that see the cheese elsewhere a little: the proxy first, then the goal."""
    return Organism(
        f"on {100 * alpha:g} % of levels the cheese lies anywhere, so that a proxy forms first",
        _grown_on("mixed", MazeConfig(alpha=alpha), total_timesteps, num_checkpoints),
        (ShardPlan(), IncentivePlan()),
        BEHAVIORS,
        ("p_proxy", "p_goal", "goal_vector_effect", "retarget", "meg_goal_over_proxy"),
    )


QUICK = Scale(
    (corner(208_896, 24), mixed(0.2, 208_896, 24)),
    num_seeds=2,
    interventions=Interventions(
        "mixed",
        alpha=0.0,
        length=49_152,
        onsets=(0, 98_304),
        change=98_304,
        recovery=20_000,
    ),
)
"""A quarter of an hour on two cores."""

FULL = Scale(
    (corner(573_440, 48), mixed(0.1, 819_200, 48)),
    num_seeds=8,
    interventions=Interventions(
        "mixed",
        alpha=0.0,
        length=163_840,
        onsets=(0, 163_840, 327_680, 491_520),
        change=409_600,
        recovery=80_000,
    ),
)
"""Hours on two cores."""

SCALES: Mapping[str, Scale] = MappingProxyType({"quick": QUICK, "full": FULL})
"""By name."""
