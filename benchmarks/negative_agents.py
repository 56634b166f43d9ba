"""The agents of `negative_controls`: what is asked of each kind, what it lacks and what it has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import final
from zlib import crc32

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.negative_cases import (
    DIRECTED,
    FORCED_REPLIES,
    GOAL,
    INCENTIVES,
    LABELLED,
    LOOKAHEAD,
    NEITHER,
    OBJECTIVES,
    PLANS,
    PROXY,
    RESPONSES,
    SHARDS,
    THINKING,
    THINKS,
    Case,
    Network,
    World,
    asked,
    asked_of,
    built,
)
from empirics.experiment import Experiment
from empirics.experiments.forced_replies import EXPERIMENT as FORCED
from empirics.experiments.goal_switch import maze_agent
from empirics.experiments.small_maze import MAZE
from empirics.levels import NUM_ACTIONS
from empirics.maze import MazeConfig, draw_situations, observe
from empirics.maze_agent import MazeAgent, stored_agents
from empirics.one_thread import one_thread
from empirics.policies.maze_policy import MazeNetwork, MazePolicy
from empirics.policies.recurrent_board_policy import RecurrentBoardNetwork
from empirics.policies.recurrent_maze_policy import RecurrentMazeNetwork, RecurrentMazePolicy
from empirics.probe import Policy, Probe, Reading
from empirics.probes.decision_regression import DecisionRegression
from empirics.probes.decision_squares import DecisionSquares
from empirics.probes.goal_vector import GoalVector
from empirics.probes.lookahead.untrained import decided
from empirics.probes.outcome import Outcome
from empirics.probes.retarget import Retarget
from empirics.row_game.config import RowGameConfig
from empirics.task import Task, run_tasks
from papers.development.organisms import planner

WITH_DISTRACTOR = replace(MAZE, distractor=True)
FORWARD = MazeNetwork(width=16, depth=5)
RECURRENT = RecurrentMazeNetwork(width=16, ticks=6, stride=2)

NUM_PLANNERS = 8


def _maze_agent(alpha: float, total_timesteps: int) -> Experiment:
    usual = maze_agent(
        MAZE.cells, FORWARD, total_timesteps, 3, max_steps=MAZE.max_steps, num_success_levels=64
    )
    environment = replace(WITH_DISTRACTOR, alpha=alpha)
    return replace(usual, name="negative-controls", environment=environment)


IN_THE_CORNER = _maze_agent(0.0, 204_800)
ANYWHERE = _maze_agent(1.0, 409_600)
PLANNER = replace(planner(196_608, 3).experiment, name="negative-controls")
"""After so many environment steps agents plainly go for the corner, for the cheese, and think."""


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
    world : MazeConfig or RowGameConfig
    network : MazeNetwork, RecurrentMazeNetwork or RecurrentBoardNetwork
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
    world: World
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
    found = (*_fresh_kinds(num_fresh), *_trained_kinds(num_trained, store))
    return {kind.name: kind for kind in found}


def _fresh_kinds(number: int) -> Iterator[Kind]:
    sized = "logits of trained size"
    maze, game, board = WITH_DISTRACTOR, FORCED.environment, FORCED.network
    assert isinstance(game, RowGameConfig) and isinstance(board, RecurrentBoardNetwork)
    for name, world, network, is_decided, cases in (
        (f"fresh, {sized}", maze, FORWARD, True, FORWARD_CASES),
        (f"fresh, recurrent, {sized}", maze, RECURRENT, True, RECURRENT_CASES),
        ("fresh", maze, FORWARD, False, FRESH_CASES),
        ("fresh, of the board game", game, board, False, (FORCED_REPLIES,)),
    ):
        agent = partial(fresh, world, network, is_decided)
        yield Kind(name, number, agent, world, network, cases, frozenset(asked(cases)))


def _trained_kinds(number: int, store: Path) -> Iterator[Kind]:
    corner, anywhere = (partial(trained, store, each) for each in (IN_THE_CORNER, ANYWHERE))
    world = WITH_DISTRACTOR, FORWARD
    name = "trained, cheese in the corner"
    yield Kind(name, number, corner, *world, TRAINED_CASES, GOAL | NEITHER, PROXY)
    name = "trained, cheese anywhere"
    yield Kind(name, number, anywhere, *world, TRAINED_CASES, PROXY | NEITHER, GOAL)
    name, cases = f"{name}, labels shuffled", (SHARDS, OBJECTIVES)
    yield Kind(name, number, anywhere, *world, cases, LABELLED, is_shuffled=True)
    maze, network = PLANNER.environment, PLANNER.network
    assert isinstance(maze, MazeConfig) and isinstance(network, RecurrentMazeNetwork)
    name, cases, agent = "trained planner", (LOOKAHEAD, THINKING), partial(trained, store, PLANNER)
    yield Kind(name, NUM_PLANNERS, agent, maze, network, cases, frozenset(), PLANS | THINKS)
    name, drawn = f"{name}, steps drawn by coins", partial(by_coins, agent)
    yield Kind(name, number, drawn, maze, network, (LOOKAHEAD,), PLANS)


def measured(
    what: tuple[str, int], num_fresh: int, num_trained: int, store: Path
) -> dict[str, Reading]:
    """Return what the probes say of one agent, given the name of its kind and its index."""
    name, index = what
    kind = kinds(num_fresh, num_trained, store)[name]
    policy, found = kind.agent(index), dict[str, Reading]()
    with one_thread():
        for probe in _probes(kind.cases, kind.world, kind.network):
            found |= (shuffled(probe, index) if kind.is_shuffled else probe)(policy)
    return found


@cache
def _probes(cases: tuple[Case, ...], world: World, network: Network) -> tuple[Probe, ...]:
    return tuple(asked_of(cases, world, network))


def fresh(world: World, network: Network, is_decided: bool, index: int) -> Policy:
    """Return a network as training begins.

    Parameters
    ----------
    world : MazeConfig or RowGameConfig
    network : MazeNetwork, RecurrentMazeNetwork or RecurrentBoardNetwork
    is_decided : bool
        Whether its logits vary as those of trained agents do. Only in mazes.
    index : int
    """
    policy = built(world, network, index)
    if is_decided:
        assert isinstance(world, MazeConfig)
        decided(policy, everywhere(world))
    return policy.eval().requires_grad_(False)


@cache
def everywhere(maze: MazeConfig, number: int = 500) -> np.ndarray:
    """Return what is seen with mouse and cheese anywhere, in so many held-out levels."""
    levels, rng = maze.pools().held_out, np.random.default_rng(0)
    level = np.arange(len(levels))[:number]
    return observe(levels, draw_situations(levels, level, replace(maze, alpha=1.0), rng=rng), maze)


def train(number: int, store: Path, *, n_jobs: int) -> None:
    """Train so many agents of a kind into a store; those that are there already are not."""
    wanted = (IN_THE_CORNER, number), (ANYWHERE, number), (PLANNER, NUM_PLANNERS)
    tasks = [Task(each, seed) for each, seeds in wanted for seed in range(seeds)]
    run_tasks(
        tasks,
        store,
        n_jobs=n_jobs,
        on_run=lambda done, of, run: print(f"{done}/{of} {run.run}", flush=True),
    )


def trained(store: Path, experiment: Experiment, seed: int) -> MazePolicy | RecurrentMazePolicy:
    """Return an agent as it was at the end of its training."""
    agent = _trained(store)[experiment.environment, seed]
    return agent.policy(agent.checkpoints[-1][1])


@cache
def _trained(store: Path) -> Mapping[tuple[object, object], MazeAgent]:
    return {
        (agent.environment, agent.record.conditions["seed"]): agent
        for agent in stored_agents(store)
    }


def by_coins(agent: Callable[[int], nn.Module], index: int) -> Policy:
    """Return an agent whose steps are drawn anew for every observation, whatever its state is.

    Its states are those of one of the agents, and hold nothing of what it will do.
    """
    policy = agent(index % NUM_PLANNERS)

    def drawn(_: nn.Module, seen: tuple[Tensor], heads: tuple[Tensor, Tensor]) -> object:
        sums = (crc32(each.tobytes()) for each in seen[0].numpy())
        logits = [np.random.default_rng([each, index]).normal(size=NUM_ACTIONS) for each in sums]
        return torch.from_numpy(np.stack(logits)).float(), heads[1]

    policy.register_forward_hook(drawn)
    return policy


def shuffled(probe: Probe, index: int) -> Callable[[Policy], Mapping[str, Reading]]:
    """Return a probe with its labels shuffled; one that has none, as it is.

    Of decision squares the goal's and the proxy's step are swapped in half the levels; outcomes
    are given to other starts.
    """
    rng = np.random.default_rng([index, 7])
    if isinstance(probe, Outcome):
        return lambda policy: probe.foretold(policy, rng.permutation(probe.chances(policy)))
    if not isinstance(probe, GoalVector | Retarget | DecisionRegression):
        return probe
    squares: DecisionSquares = probe.squares
    swap = rng.random(len(squares.levels))[squares.situation.level] < 0.5
    goal = np.where(swap, squares.proxy_step, squares.goal_step)
    proxy = np.where(swap, squares.goal_step, squares.proxy_step)
    return replace(probe, squares=replace(squares, goal_step=goal, proxy_step=proxy))
