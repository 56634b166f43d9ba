"""The organisms of the study, at either scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import final

from empirics.experiment import Experiment
from empirics.experiments.goal_switch import maze_agent
from empirics.experiments.small_maze import MAZE, NETWORK
from empirics.maze import MazeConfig
from empirics.policies.recurrent_maze_policy import RecurrentMazeNetwork
from empirics.ppo_config import PPOConfig
from empirics.probes.incentive_plan import IncentivePlan
from empirics.probes.lookahead.plan import LookaheadPlan
from empirics.probes.lookahead.thinking import DISTANCES, TIMES
from empirics.probes.objective_plan import ObjectivePlan
from empirics.probes.shard_plan import ShardPlan
from papers.development.organism import Organism
from papers.development.windows_page import Interventions

BEHAVIOR = "success_on_distribution"


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


def _grown_on(
    name: str, environment: MazeConfig, total_timesteps: int, num_checkpoints: int
) -> Experiment:
    """Return the maze agent of the goal switch in another maze."""
    usual = maze_agent(
        environment.cells,
        NETWORK,
        total_timesteps,
        num_checkpoints,
        max_steps=environment.max_steps,
        num_success_levels=64,
    )
    return replace(usual, name=name, environment=environment)


def corner(total_timesteps: int, num_checkpoints: int) -> Organism:
    """Return the control, in whose levels the cheese always lies in the corner."""
    maze = replace(MAZE, alpha=0.0)
    return Organism(
        "the cheese always lies in the corner, so that nothing parts goal and proxy",
        _grown_on("corner", maze, total_timesteps, num_checkpoints),
        (ShardPlan(), IncentivePlan()),
        (BEHAVIOR,),
        ("p_proxy_without_goal",),
        ("p_proxy", "p_goal", "retarget"),
    )


def mixed(alpha: float, total_timesteps: int, num_checkpoints: int) -> Organism:
    """Return agents that see the cheese elsewhere a little: the proxy first, then the goal."""
    maze = replace(MAZE, alpha=alpha)
    return Organism(
        f"on {100 * alpha:g} % of levels the cheese lies anywhere, so that a proxy forms first",
        _grown_on("mixed", maze, total_timesteps, num_checkpoints),
        (ShardPlan(), IncentivePlan()),
        (BEHAVIOR,),
        ("p_proxy", "p_goal", "retarget", "meg_goal_over_proxy"),
        ("goal_vector_effect", "decision_accuracy_gain"),
        learning_rules=True,
    )


def objective(total_timesteps: int, num_checkpoints: int) -> Organism:
    """Return agents that go for the cheese beside an object that is never rewarded."""
    maze = replace(MAZE, alpha=1.0, distractor=True)
    return Organism(
        "the cheese lies anywhere, and so does an object that is never rewarded",
        _grown_on("objective", maze, total_timesteps, num_checkpoints),
        (ObjectivePlan(NETWORK),),
        (BEHAVIOR,),
        ("p_goal", "objective_location_gap", "objective_retarget_gap"),
    )


def two_keys(total_timesteps: int, num_checkpoints: int) -> Organism:
    """Return agents that a key tells, level by level, which of two objects to go for."""
    maze = replace(MAZE, alpha=1.0, distractor=True, two_keys=True)
    return Organism(
        "cheese and a second object lie anywhere, and a key says which of them is rewarded",
        _grown_on("two-keys", maze, total_timesteps, num_checkpoints),
        (ObjectivePlan(NETWORK),),
        (BEHAVIOR,),
        ("p_goal", "objective_location_gap", "objective_retarget_gap"),
    )


def planner(total_timesteps: int, num_checkpoints: int, *, ticks: int = 8) -> Organism:
    """Return recurrent agents that think for some ticks before each step."""
    maze = replace(MAZE, alpha=1.0)
    usual = _grown_on("planner", maze, total_timesteps, num_checkpoints)
    assert isinstance(usual.algorithm, PPOConfig)
    # Far from the cheese nothing is learned until what is near is: the bonus keeps agents moving.
    algorithm = replace(usual.algorithm, gae_lambda=0.8, ent_coef=0.04)
    network = RecurrentMazeNetwork(width=16, ticks=ticks)
    return Organism(
        f"the cheese lies anywhere and the agent thinks for {ticks} ticks before each step",
        replace(usual, network=network, algorithm=algorithm),
        (LookaheadPlan(num_plan_levels=150),),
        (BEHAVIOR,),
        ("thinking_used", "junction_plan", "lookahead_best_square"),
        (
            *(f"p_correct_{time}_{where}" for where in DISTANCES for time in TIMES),
            "thinking_gain_far",
            "second_move",
            "plan_steering",
            "lookahead_patching",
        ),
    )


QUICK = Scale(
    (
        corner(208_896, 20),
        mixed(0.1, 286_720, 20),
        objective(286_720, 20),
        planner(196_608, 14),
    ),
    num_seeds=2,
    interventions=Interventions(
        "mixed",
        alpha=0.0,
        length=49_152,
        onsets=(0, 98_304),
        change=143_360,
        recovery=20_480,
        num_seeds=2,
    ),
)
"""Ten to twelve minutes on two cores (`benchmarks/development.md`)."""

FULL = Scale(
    (
        corner(409_600, 24),
        mixed(0.1, 573_440, 24),
        objective(573_440, 24),
        two_keys(737_280, 24),
        planner(327_680, 20),
    ),
    num_seeds=8,
    interventions=Interventions(
        "mixed",
        alpha=0.0,
        length=81_920,
        onsets=(0, 163_840),
        change=286_720,
        recovery=40_960,
        num_seeds=4,
    ),
)
"""Some five quarters of an hour on two cores, in pieces if need be."""

SCALES: Mapping[str, Scale] = MappingProxyType({"quick": QUICK, "full": FULL})
"""By name."""
