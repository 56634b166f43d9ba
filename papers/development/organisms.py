"""The organisms of the study, at either scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

from empirics.experiment import Experiment, log_schedule
from empirics.maze import MazeConfig
from empirics.policies.maze_policy import MazeNetwork
from empirics.policies.recurrent_maze_policy import RecurrentMazeNetwork
from empirics.ppo import PPOConfig
from empirics.probes.incentive_plan import IncentivePlan
from empirics.probes.lookahead.plan import LookaheadPlan
from empirics.probes.maze_plan import MazePlan
from empirics.probes.objective_plan import ObjectivePlan
from empirics.probes.shard_plan import ShardPlan
from papers.development.organism import Organism
from papers.development.windows_page import Interventions

BEHAVIORS = ("success_on_distribution", "success_off_distribution")
FEED_FORWARD = MazeNetwork(width=16, depth=5)


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
        network=FEED_FORWARD,
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


def objective(total_timesteps: int, num_checkpoints: int) -> Organism:
    """Return agents that go for the cheese beside an object that is never rewarded."""
    return Organism(
        "the cheese lies anywhere, and so does an object that is never rewarded",
        _grown_on(
            "objective",
            MazeConfig(alpha=1.0, distractor=True),
            total_timesteps,
            num_checkpoints,
        ),
        (ObjectivePlan(FEED_FORWARD),),
        BEHAVIORS[:1],
        ("p_goal", "objective_location_gap", "outcome_information_gain", "objective_retarget_gap"),
    )


def planner(
    total_timesteps: int, num_checkpoints: int, *, cells: int = 5, ticks: int = 6
) -> Organism:
    """Return recurrent agents that think for some ticks before each step."""
    ppo = PPOConfig(
        total_timesteps=total_timesteps,
        num_envs=256,
        num_steps=16,
        learning_rate=2e-3,
        anneal_lr=False,
        gamma=0.97,
        gae_lambda=0.8,
        ent_coef=0.04,
        num_minibatches=8,
        update_epochs=3,
    )
    return Organism(
        f"the cheese lies anywhere and the agent thinks for {ticks} ticks before each step",
        Experiment(
            name="planner",
            environment=MazeConfig(cells=cells, alpha=1.0, max_steps=10 * cells),
            network=RecurrentMazeNetwork(width=16, ticks=ticks),
            algorithm=ppo,
            schedule=log_schedule(ppo, num_checkpoints),
            plan=MazePlan(num_success_levels=64),
        ),
        (LookaheadPlan(num_plan_levels=150),),
        BEHAVIORS[:1],
        ("p_goal", "thinking_used", "thinking_gain_far", "junction_plan", "lookahead_best_square"),
    )


QUICK = Scale(
    (
        corner(208_896, 20),
        mixed(0.2, 208_896, 20),
        objective(208_896, 20),
        planner(147_456, 12),
    ),
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
    (
        corner(409_600, 30),
        mixed(0.2, 409_600, 30),
        objective(409_600, 30),
        planner(409_600, 20),
    ),
    num_seeds=8,
    interventions=Interventions(
        "mixed",
        alpha=0.0,
        length=81_920,
        onsets=(0, 81_920, 163_840),
        change=204_800,
        recovery=40_960,
    ),
)
"""Some two hours on two cores, in pieces if need be."""

SCALES: Mapping[str, Scale] = MappingProxyType({"quick": QUICK, "full": FULL})
"""By name."""
