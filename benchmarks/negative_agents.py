"""The agents of `negative_controls`: what is asked of each kind, what it lacks and what it has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import final

import numpy as np
import torch

from benchmarks.negative_cases import (
    DIRECTED,
    GOAL,
    INCENTIVES,
    LABELLED,
    LOOKAHEAD,
    NEITHER,
    OBJECTIVES,
    PROXY,
    RESPONSES,
    SHARDS,
    THINKING,
    Case,
    Network,
    asked,
    asked_of,
)
from empirics.experiment import Experiment
from empirics.experiments.goal_switch import maze_agent
from empirics.experiments.small_maze import MAZE
from empirics.levels import NUM_ACTIONS
from empirics.maze import MazeConfig, draw_situations, observe
from empirics.maze_agent import MazeAgent, stored_agents
from empirics.one_thread import one_thread
from empirics.policies.maze_policy import MazeNetwork, MazePolicy
from empirics.policies.recurrent_maze_policy import RecurrentMazeNetwork, RecurrentMazePolicy
from empirics.probe import Policy, Probe, Reading
from empirics.probes.decision_regression import DecisionRegression
from empirics.probes.decision_squares import DecisionSquares
from empirics.probes.goal_vector import GoalVector
from empirics.probes.retarget import Retarget
from empirics.task import Task, run_tasks

WITH_DISTRACTOR = replace(MAZE, distractor=True)
FORWARD = MazeNetwork(width=16, depth=5)
RECURRENT = RecurrentMazeNetwork(width=16, ticks=6, stride=2)

TRAINED_SPREAD = 3.1
"""How far logits vary from square to square (standard deviation, mean over actions) in the trained
agents: 2.8 where the cheese lies in the corner, 3.4 where it lies anywhere. In a network as
training begins it is .001."""

IN_THE_CORNER, ANYWHERE = 0.0, 1.0
STEPS: Mapping[float, int] = {IN_THE_CORNER: 204_800, ANYWHERE: 409_600}
"""By α, the environment steps after which agents plainly go for the corner, or for the cheese."""


@final
@dataclass(frozen=True)
class Kind:
    """A kind of agents.

    Attributes
    ----------
    name : str
    number : int
    agent : callable
        An index below the number to an agent.
    network : MazeNetwork or RecurrentMazeNetwork
        Its shape.
    cases : tuple of Case
        What is asked.
    lacks, has : frozenset of str
        Observables that must not be called present, and that should be.
    is_shuffled : bool
        Whether a coin says, level by level, which of two steps counts as the goal's.
    """

    name: str
    number: int
    agent: Callable[[int], Policy]
    network: Network
    cases: tuple[Case, ...]
    lacks: frozenset[str]
    has: frozenset[str] = field(default_factory=frozenset)
    is_shuffled: bool = False


FRESH_CASES = (SHARDS, DIRECTED, RESPONSES, INCENTIVES)
"""Of policies that are nearly uniform. What a probe learns from their states does not depend on the
size of their logits, and is not asked again."""

FORWARD_CASES = (*FRESH_CASES, OBJECTIVES, LOOKAHEAD)
RECURRENT_CASES = (DIRECTED, RESPONSES, OBJECTIVES, LOOKAHEAD, THINKING)
"""The layers of the shard probes have other names in recurrent agents."""

TRAINED_CASES = (*FRESH_CASES, OBJECTIVES)
"""Trained agents may well look ahead, wherever the cheese lay."""


@cache
def kinds(num_fresh: int, num_trained: int, store: Path) -> Mapping[str, Kind]:
    """Return all kinds by name; the trained ones are in a store (`train`)."""
    corner, anywhere = (partial(trained, store, alpha) for alpha in (IN_THE_CORNER, ANYWHERE))
    spread = TRAINED_SPREAD
    found = (
        Kind(
            "fresh, logits of trained size",
            num_fresh,
            partial(fresh, FORWARD, spread),
            FORWARD,
            FORWARD_CASES,
            frozenset(asked(FORWARD_CASES)),
        ),
        Kind(
            "fresh, recurrent, logits of trained size",
            num_fresh,
            partial(fresh, RECURRENT, spread),
            RECURRENT,
            RECURRENT_CASES,
            frozenset(asked(RECURRENT_CASES)),
        ),
        Kind(
            "fresh", num_fresh, partial(fresh, FORWARD, None), FORWARD, FRESH_CASES,
            frozenset(asked(FRESH_CASES)),
        ),
        Kind(
            "trained, cheese in the corner", num_trained, corner, FORWARD, TRAINED_CASES,
            GOAL | NEITHER, PROXY,
        ),
        Kind(
            "trained, cheese anywhere", num_trained, anywhere, FORWARD, TRAINED_CASES,
            PROXY | NEITHER, GOAL,
        ),
        Kind(
            "trained, cheese anywhere, labels shuffled", num_trained, anywhere, FORWARD, (SHARDS,),
            LABELLED, is_shuffled=True,
        ),
    )  # fmt: skip
    return {kind.name: kind for kind in found}


def measured(
    what: tuple[str, int], num_fresh: int, num_trained: int, store: Path
) -> dict[str, Reading]:
    """Return what the probes say of one agent, given the name of its kind and its index."""
    name, index = what
    kind = kinds(num_fresh, num_trained, store)[name]
    policy, found = kind.agent(index), dict[str, Reading]()
    with one_thread():
        for probe in _probes(kind.cases, kind.network):
            found |= (shuffled(probe, index) if kind.is_shuffled else probe)(policy)
    return found


@cache
def _probes(cases: tuple[Case, ...], network: Network) -> tuple[Probe, ...]:
    return tuple(asked_of(cases, WITH_DISTRACTOR, network))


def fresh(network: Network, spread: float | None, index: int) -> MazePolicy | RecurrentMazePolicy:
    """Return a network as training begins.

    Parameters
    ----------
    network : MazeNetwork or RecurrentMazeNetwork
    spread : float or None
        How far the logits are made to vary, around 0: a policy that is nearly uniform moves little
        whatever is done to it, and one that prefers the same action everywhere moves as little.
    index : int
    """
    rng = np.random.default_rng([index, 6])
    policy = network.build(WITH_DISTRACTOR.observation_shape, NUM_ACTIONS, rng=rng)
    if spread is not None:
        seen = torch.from_numpy(everywhere(WITH_DISTRACTOR))
        with torch.no_grad():
            policy.actor.weight.mul_(spread / policy(seen)[0].std(dim=0).mean())
            policy.actor.bias.sub_(policy(seen)[0].mean(dim=0))
    return policy.eval().requires_grad_(False)


@cache
def everywhere(maze: MazeConfig, number: int = 500) -> np.ndarray:
    """Return what is seen with mouse and cheese anywhere, in so many held-out levels."""
    levels, rng = maze.pools().held_out, np.random.default_rng(0)
    level = np.arange(len(levels))[:number]
    return observe(levels, draw_situations(levels, level, replace(maze, alpha=1.0), rng=rng), maze)


def experiment(alpha: float) -> Experiment:
    """Return the training of agents at an α of `STEPS`; their last checkpoints are measured."""
    usual = maze_agent(
        MAZE.cells, FORWARD, STEPS[alpha], 3, max_steps=MAZE.max_steps, num_success_levels=64
    )
    environment = replace(WITH_DISTRACTOR, alpha=alpha)
    return replace(usual, name="negative-controls", environment=environment)


def train(number: int, store: Path, *, n_jobs: int) -> None:
    """Train so many agents at either α into a store; those that are there already are not."""
    tasks = [Task(experiment(alpha), seed) for alpha in STEPS for seed in range(number)]
    run_tasks(
        tasks,
        store,
        n_jobs=n_jobs,
        on_run=lambda done, number, run: print(f"{done}/{number} {run.run}", flush=True),
    )


def trained(store: Path, alpha: float, index: int) -> Policy:
    """Return the agent of a seed and α as it was at the end of its training."""
    agent = _trained(store)[experiment(alpha).environment, index]
    return agent.policy(agent.checkpoints[-1][1])


@cache
def _trained(store: Path) -> Mapping[tuple[object, object], MazeAgent]:
    return {
        (agent.environment, agent.record.conditions["seed"]): agent
        for agent in stored_agents(store)
    }


def shuffled(probe: Probe, index: int) -> Probe:
    """Return a probe with the goal's and the proxy's step swapped in half the levels.

    One that has no such labels is returned as it is.
    """
    if not isinstance(probe, GoalVector | Retarget | DecisionRegression):
        return probe
    squares: DecisionSquares = probe.squares
    rng = np.random.default_rng([index, 7])
    swap = rng.random(len(squares.levels))[squares.situation.level] < 0.5
    goal = np.where(swap, squares.proxy_step, squares.goal_step)
    proxy = np.where(swap, squares.goal_step, squares.proxy_step)
    return replace(probe, squares=replace(squares, goal_step=goal, proxy_step=proxy))
