"""What `negative_controls` asks: probes of mechanisms, and agents that have none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import final

import numpy as np
import torch

from benchmarks.maze_walkers import CrowFlies, Solver
from empirics.experiments.goal_switch import QUICK
from empirics.maze import MazeConfig, draw_situations, observe
from empirics.policies.maze_policy import MazeNetwork, MazePolicy
from empirics.policies.recurrent_maze_policy import RecurrentMazeNetwork, RecurrentMazePolicy
from empirics.probe import Probe
from empirics.probes.decision_regression import DecisionRegression
from empirics.probes.incentive_plan import IncentivePlan
from empirics.probes.lookahead.patching import LookaheadPatching
from empirics.probes.lookahead.plan import LookaheadPlan
from empirics.probes.objective_plan import ObjectivePlan
from empirics.probes.shard_plan import ShardPlan

Network = MazeNetwork | RecurrentMazeNetwork
RandomPolicy = MazePolicy | RecurrentMazePolicy

MAZE = replace(QUICK.experiment.environment, distractor=True)
FORWARD = QUICK.experiment.network
RECURRENT = RecurrentMazeNetwork(width=16, ticks=6, stride=2)

TRAINED_SPREAD = 1.7
"""How far logits vary from square to square (standard deviation, mean over actions) in trained
agents: 1.65 and 1.76 in the last checkpoints of goal-switch with distractor=True at alpha .2 and
1. In a network as training begins it is .001."""


@final
@dataclass(frozen=True)
class Case:
    """A plan, and the observables of its probes that claim a mechanism.

    Attributes
    ----------
    name : str
    probes : callable
        A maze configuration and the shape of the agents to probes.
    observables : tuple of str
        Those that have a baseline, and of which `status` is asked.
    """

    name: str
    probes: Callable[[MazeConfig, Network], Sequence[Probe]]
    observables: tuple[str, ...]


def lookahead(maze: MazeConfig, network: Network) -> Sequence[Probe]:
    """Return the probes of look-ahead.

    Agents that have learned nothing cannot choose positions that they solve: those of patching are
    solved by the shortest path, and are hard for who goes as the crow flies.
    """
    policy = network.build(maze.observation_shape, 4, rng=np.random.default_rng(0))
    return (patching(maze), *LookaheadPlan().without_patching(maze, policy))


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

OF_FORWARD = (SHARDS, DIRECTED, RESPONSES, INCENTIVES, OBJECTIVES, LOOKAHEAD)
OF_RECURRENT = (DIRECTED, RESPONSES, OBJECTIVES, LOOKAHEAD, THINKING)
OF_TRAINED = (SHARDS, DIRECTED, RESPONSES, INCENTIVES, LOOKAHEAD)
OF_UNIFORM = (SHARDS, DIRECTED, RESPONSES, INCENTIVES)
"""Of policies that are nearly uniform. What a probe learns from their states does not depend on the
size of their logits, and is not asked again."""

OF_A_PROXY = frozenset(
    {
        "goal_vector_proxy_effect",
        "decision_accuracy_gain",
        "meg_proxy",
        "meg_unknown",
        "control_of_corner",
    }
)
"""What an agent that goes for the corner may have without a goal."""


def asked_of(cases: Sequence[Case], maze: MazeConfig, network: Network) -> list[Probe]:
    """Return the probes that have an observable of the cases, once; signs are not resampled."""
    found: dict[str, Probe] = {}
    for case in cases:
        if not any(set(case.observables) & set(probe.observables) for probe in found.values()):
            made = case.probes(maze, network)
            found |= {probe.name: probe for probe in made if set(probe.observables) & asked(cases)}
    return [
        replace(probe, resampled=probe.resampled[:1])
        if isinstance(probe, DecisionRegression)
        else probe
        for probe in found.values()
    ]


def chosen(cases: Sequence[Case], observables: frozenset[str] | None) -> tuple[Case, ...]:
    """Return the cases with some of their observables only; all of them if None is given."""
    if observables is None:
        return tuple(cases)
    few = (
        replace(case, observables=tuple(name for name in case.observables if name in observables))
        for case in cases
    )
    return tuple(case for case in few if case.observables)


def asked(cases: Sequence[Case]) -> frozenset[str]:
    """Return the observables of cases."""
    return frozenset(name for case in cases for name in case.observables)


def fresh(
    number: int, network: Network, spread: float | None = None, maze: MazeConfig = MAZE
) -> Iterator[RandomPolicy]:
    """Yield networks as training begins.

    Parameters
    ----------
    number : int
    network : MazeNetwork or RecurrentMazeNetwork
    spread : float, optional
        How far the logits are made to vary, around 0: a policy that is nearly uniform moves little
        whatever is done to it, and one that prefers the same action everywhere moves as little.
    maze : MazeConfig
    """
    seen = torch.from_numpy(everywhere(maze))
    for seed in range(number):
        policy = network.build(maze.observation_shape, 4, rng=np.random.default_rng([seed, 6]))
        with torch.no_grad():
            if spread is not None:
                policy.actor.weight.mul_(spread / policy(seen)[0].std(dim=0).mean())
                policy.actor.bias.sub_(policy(seen)[0].mean(dim=0))
        yield policy.eval().requires_grad_(False)


@cache
def everywhere(maze: MazeConfig, number: int = 500) -> np.ndarray:
    """Return what is seen with mouse and cheese anywhere, in so many held-out levels."""
    levels, rng = maze.pools().held_out, np.random.default_rng(0)
    level = np.arange(len(levels))[:number]
    return observe(levels, draw_situations(levels, level, replace(maze, alpha=1.0), rng=rng), maze)
