"""What `negative_controls` asks: the observables of probes that claim a mechanism."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, final

import numpy as np

from benchmarks.maze_walkers import CrowFlies, Solver
from empirics.levels import NUM_ACTIONS
from empirics.maze import MazeConfig
from empirics.policies.maze_policy import MazeNetwork, MazePolicy
from empirics.policies.recurrent_board_policy import RecurrentBoardNetwork, RecurrentBoardPolicy
from empirics.policies.recurrent_maze_policy import RecurrentMazeNetwork, RecurrentMazePolicy
from empirics.probe import Probe
from empirics.probes.decision_regression import DecisionRegression
from empirics.probes.forced_replies.plan import ForcedRepliesPlan
from empirics.probes.incentive_plan import IncentivePlan
from empirics.probes.lookahead.patching import LookaheadPatching
from empirics.probes.lookahead.plan import LookaheadPlan
from empirics.probes.objective_plan import ObjectivePlan
from empirics.probes.shard_plan import ShardPlan
from empirics.row_game.config import RowGameConfig

World = MazeConfig | RowGameConfig
Network = MazeNetwork | RecurrentMazeNetwork | RecurrentBoardNetwork


@final
@dataclass(frozen=True)
class Case:
    """A plan, and the observables of its probes that claim a mechanism.

    Attributes
    ----------
    name : str
    probes : callable
        A world and the shape of its agents to probes.
    observables : tuple of str
        Those that have a baseline, and of which `status` is asked.
    """

    name: str
    probes: Callable[[Any, Any], Sequence[Probe]]
    observables: tuple[str, ...]


def lookahead(maze: MazeConfig, network: MazeNetwork | RecurrentMazeNetwork) -> Sequence[Probe]:
    """Return the probes of look-ahead.

    Agents that have learned nothing cannot choose positions that they solve: those of patching are
    solved by the shortest path, and are hard for who goes as the crow flies.
    """
    policy = built(maze, network, 0)
    return (patching(maze), *LookaheadPlan().without_patching(maze, policy))


def built(
    world: World, network: Network, seed: int
) -> MazePolicy | RecurrentMazePolicy | RecurrentBoardPolicy:
    """Return a network of a shape, as training in a world begins."""
    num_actions = world.board.area if isinstance(world, RowGameConfig) else NUM_ACTIONS
    rng = np.random.default_rng([seed, 6])
    return network.build(world.observation_shape, num_actions, rng=rng)


@cache
def patching(maze: MazeConfig) -> LookaheadPatching:
    """Return the probe of patching; it takes a while to draw."""
    return LookaheadPlan().patching(maze, weak=CrowFlies(), strong=Solver())


SHARDS = Case(
    "shards",
    lambda maze, _: ShardPlan().probes(maze),
    ("goal_vector_effect", "goal_vector_proxy_effect", "retarget", "decision_accuracy_gain"),
)
DIRECTED = Case(
    "goal-directedness",
    lambda maze, _: IncentivePlan().probes(maze),
    ("meg_goal", "meg_proxy", "meg_control", "meg_unknown", "meg_goal_over_proxy"),
)
INCENTIVES = Case(
    "incentives",
    lambda maze, _: IncentivePlan().probes(maze),
    ("value_of_goal_information", "control_of_goal", "control_of_corner"),
)
RESPONSES = Case(
    "responses",
    lambda maze, _: IncentivePlan().probes(maze),
    ("response_to_goal", "response_to_distractor", "intent_goal"),
)
OBJECTIVES = Case(
    "objectives",
    lambda maze, network: ObjectivePlan.of(network).probes(maze),
    ("outcome_information_gain", "objective_location_gap", "objective_retarget_gap"),
)
LOOKAHEAD = Case(
    "look-ahead",
    lookahead,
    ("lookahead_patching", "lookahead_best_square", "second_move", "junction_plan")
    + ("plan_steering",),
)
THINKING = Case("thinking", lookahead, ("thinking_gain", "thinking_gain_far"))
"""Of recurrent agents only: others gain nothing by construction."""

FORCED_REPLIES = Case(
    "forced replies",
    lambda game, network: (ForcedRepliesPlan().third_move(game, built(game, network, 0)),),
    ("third_move",),
)
"""Patching is of positions that a trained agent chooses."""

GOAL = frozenset(
    {
        "goal_vector_effect",
        "retarget",
        "meg_goal",
        "meg_goal_over_proxy",
        "value_of_goal_information",
        "control_of_goal",
        "response_to_goal",
        "intent_goal",
        "objective_location_gap",
        "objective_retarget_gap",
    }
)
"""What only an agent that goes for the cheese, wherever it lies, has."""

PROXY = frozenset({"meg_proxy", "control_of_corner"})
"""What only an agent that goes for the corner has."""

NEITHER = frozenset({"meg_control", "response_to_distractor"})
"""What neither has."""

PLANS = frozenset({"second_move", "junction_plan"})
"""What only an agent has whose states hold the steps that it will take."""

THINKS = frozenset({"thinking_gain_far", "lookahead_best_square"})
"""What else an agent that thinks before each step has."""

LABELLED = frozenset(
    {"goal_vector_effect", "retarget", "decision_accuracy_gain", "outcome_information_gain"}
)
"""What depends on which step of a decision square is called the goal's, or on which outcome is
called that of an episode."""


def asked(cases: Sequence[Case]) -> tuple[str, ...]:
    """Return the observables of cases, in their order."""
    return tuple(name for case in cases for name in case.observables)


def asked_of(cases: Sequence[Case], world: World, network: Network) -> list[Probe]:
    """Return the probes that have an observable of the cases, once; signs are not resampled."""
    found: dict[str, Probe] = {}
    for case in cases:
        if not any(set(case.observables) & set(probe.observables) for probe in found.values()):
            made = case.probes(world, network)
            found |= {
                probe.name: probe for probe in made if set(probe.observables) & set(asked(cases))
            }
    return [
        replace(probe, resampled=probe.resampled[:1])
        if isinstance(probe, DecisionRegression)
        else probe
        for probe in found.values()
    ]
