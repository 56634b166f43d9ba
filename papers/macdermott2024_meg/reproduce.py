"""The claims of MacDermott et al. (2024) in exact worlds, and the measure over training."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from empirics.goal_directedness.episodes import Episodes, FloatArray, earned
from empirics.goal_directedness.measure import goal_directedness
from empirics.maze import MazeConfig
from empirics.maze_agent import MazeAgent
from empirics.probes.goal_directedness import MazeGoalDirectedness
from empirics.probes.incentive_plan import IncentivePlan
from papers.claim import Claim, Outcome, compared
from papers.macdermott2024_meg.worlds import (
    cliff_utility,
    corner_grid,
    grid,
    optimal,
    returns_of_random_play,
    strayed,
)
from papers.maze_agents import checksums, maze_agents, said
from papers.publication import Publication
from papers.reproduction import Reproduction
from papers.sections.study import Page
from papers.studies import Progress
from papers.tables import Table
from theory.goal_directedness import meg_of_return

EPSILONS = {
    "epsilon_0": 0.0,
    "epsilon_10_percent": 0.1,
    "epsilon_30_percent": 0.3,
    "epsilon_60_percent": 0.6,
    "epsilon_100_percent": 1.0,
}
NUM_WORLDS = 20
HEIGHT, WIDTH, HORIZON = 4, 6, 12
NUM_CHECKPOINTS = {"quick": 7, "full": 20}
CLIFF = (
    "the paper shows curves, which could not be read as numbers; a cliff of our own making on a "
    f"{HEIGHT} × {WIDTH} grid, without wind and discount, over {HORIZON} steps"
)
SPAN = "the unknown utility is any weighting of the last column's squares and the cliff"


def run(
    publication: Publication,
    *,
    out: Path,
    seed: int,
    scale: str,
    store: Path | None,
    runs: Collection[str] | None = None,
    progress: Progress,
) -> Reproduction:
    """Compute the claims exactly, and follow goal against proxy over the agents' checkpoints.

    Raises
    ------
    ValueError
        If the store has no maze agents.
    """
    progress("Exact worlds", 0, 1)
    claim = publication.claim
    rng = np.random.default_rng(seed)
    worlds = [_random_world(rng) for _ in range(NUM_WORLDS)]
    outcomes = (
        *_grid_outcomes(publication),
        _invariance(claim("invariance"), worlds),
        _bounds(claim("bounds"), worlds),
        _no_influence(claim("no_influence"), worlds),
        _pseudo_terminal(claim("pseudo_terminal"), worlds),
        *_cliff_outcomes(publication),
    )
    progress("Exact worlds", 1, 1)
    agents = maze_agents(store, runs, out=out, seed=seed, scale=scale, progress=progress)
    count = NUM_CHECKPOINTS[scale]
    return Reproduction(
        publication,
        outcomes,
        (
            f"Claims were computed exactly: on grids, and in {NUM_WORLDS} random worlds. " + EXACT,
            f"The measure was then read from {count} checkpoints each of {said(agents)}",
        ),
        (_over_training(agents, count, progress),),
        checksums(agents, count),
    )


EXACT = (
    "MEG is computed by Newton's method on soft values, whose derivatives soft value iteration "
    "carries along."
)


def _grid_outcomes(publication: Publication) -> tuple[Outcome, ...]:
    """Return the outcomes of the claims with numbers, all on one grid."""
    world = corner_grid()
    best = optimal(world, ties=True)
    policies = {name: strayed(best, epsilon) for name, epsilon in EPSILONS.items()}
    values = {name: goal_directedness(world, policy).value for name, policy in policies.items()}
    returns, counts = returns_of_random_play(world)
    rates = {
        name: float(meg_of_return(earned(world, policy)[0, 0], returns, counts))
        for name, policy in policies.items()
    }
    gap = max(abs(values[name] - rates[name]) for name in values)
    share = counts[int(np.argmax(returns))] / sum(counts)
    return (
        compared(publication.claim("grid_values"), values),
        compared(publication.claim("rate_function"), {"largest_gap_in_nats": gap}),
        compared(publication.claim("optimum"), {"nats": -float(np.log(share))}),
    )


def _random_world(rng: np.random.Generator) -> tuple[Episodes, FloatArray]:
    """Return three steps in four states, two actions of three uncertain outcomes, and a policy."""
    world = Episodes(
        rng.integers(4, size=(1, 4, 3)),
        rng.dirichlet(np.ones(3), size=(1, 4, 2)),
        rng.standard_normal((1, 1, 4, 3)),
        rng.dirichlet(np.ones(4), size=1),
        3,
    )
    return world, rng.dirichlet(np.ones(2) / 2, size=(3, 1, 4))


def _invariance(claim: Claim, worlds: Sequence[tuple[Episodes, FloatArray]]) -> Outcome:
    changes = []
    for world, policy in worlds:
        value = goal_directedness(world, policy).value
        for moved in (1e-2 * world.features, 30 * world.features, world.features + 5):
            other = goal_directedness(replace(world, features=moved), policy).value
            changes.append(abs(other - value))
    largest = max(changes)
    return Outcome(claim, {"largest_change_in_nats": largest}, largest < 1e-6, RANDOM)


def _bounds(claim: Claim, worlds: Sequence[tuple[Episodes, FloatArray]]) -> Outcome:
    values = [goal_directedness(world, policy).per_level[0] for world, policy in worlds]
    most = worlds[0][0].horizon * np.log(worlds[0][0].num_actions)
    here = {"least": float(min(values)), "largest": float(max(values)), "bound": float(most)}
    return Outcome(claim, here, here["least"] > -1e-9 and here["largest"] <= most + 1e-9, RANDOM)


def _no_influence(claim: Claim, worlds: Sequence[tuple[Episodes, FloatArray]]) -> Outcome:
    values = [
        goal_directedness(
            replace(world, features=np.broadcast_to(np.float64(1.0), world.features.shape)), policy
        ).value
        for world, policy in worlds
    ]
    return Outcome(claim, {"largest": max(values)}, max(values) < 1e-9, RANDOM)


def _pseudo_terminal(claim: Claim, worlds: Sequence[tuple[Episodes, FloatArray]]) -> Outcome:
    excess = []
    for world, policy in worlds:
        states = np.eye(4)[:, None, world.next_state[0]]  # paid for each step into a state
        pairs = states[::2] + states[1::2]
        of_t, of_s = (
            goal_directedness(replace(world, features=features), policy).value
            for features in (pairs, states)
        )
        excess.append(of_t - of_s)
    here = {"largest_excess_in_nats": max(excess)}
    why = "utilities are sums over steps of a function of the state, T is which pair it lies in; "
    return Outcome(claim, here, max(excess) <= 1e-9, why + RANDOM)


RANDOM = "the paper proves it; here it is checked in small random worlds with random policies"


def _cliff(goals: int) -> tuple[Episodes, Episodes, FloatArray]:
    """Return the cliff world, known utility and unknown, and the optimal policy of the former.

    The unknown utility is any weighting of the squares of the last column and of the cliff.
    """
    start = (HEIGHT - 1) * WIDTH
    worth = cliff_utility(WIDTH, HEIGHT, goals)
    known = grid(worth[None], HEIGHT, WIDTH, HORIZON, start)
    squares = np.eye(HEIGHT * WIDTH)
    parts = np.vstack([squares[WIDTH - 1 :: WIDTH], (worth < 0)[None].astype(np.float64)])
    unknown = grid(parts, HEIGHT, WIDTH, HORIZON, start)
    return known, unknown, optimal(known, ties=False)


def _cliff_outcomes(publication: Publication) -> tuple[Outcome, ...]:
    """Return the outcomes of the claims on policies that stray and goals that widen."""
    known, _, policy = _cliff(1)
    fall = {
        f"epsilon_{percent}_percent": goal_directedness(known, strayed(policy, percent / 100)).value
        for percent in range(0, 101, 20)
    }
    of_known, of_unknown = _by_width()
    lost, lost_unknown = (1 - row[-1] / row[0] for row in (of_known, of_unknown))
    named = [
        {f"width_{i}": value for i, value in enumerate(row, start=1)}
        for row in (of_known, of_unknown)
    ]
    claim = publication.claim
    return (
        Outcome(claim("falls_with_epsilon"), fall, _falls([*fall.values()]), CLIFF),
        Outcome(claim("known_falls_with_width"), named[0], _falls(of_known), CLIFF),
        Outcome(claim("unknown_stays"), named[1], lost_unknown < lost / 2, f"{CLIFF}; {SPAN}"),
    )


def _by_width() -> tuple[list[float], list[float]]:
    """Return the measure of optimal policies by width, for the known utility and unknown."""
    worlds = [_cliff(goals) for goals in range(1, HEIGHT + 1)]
    of_known = [goal_directedness(known, best).value for known, _, best in worlds]
    of_unknown = [goal_directedness(unknown, best).value for _, unknown, best in worlds]
    return of_known, of_unknown


def _falls(values: Sequence[float]) -> bool:
    return all(before > after for before, after in pairwise(values))


def _over_training(agents: Sequence[MazeAgent], count: int, progress: Progress) -> Page:
    """Return the page on goal against proxy along the checkpoints."""
    probes = {each: _probe(each) for each in {agent.environment for agent in agents}}
    rows: list[tuple[str | float, ...]] = []
    for i, agent in enumerate(agents):
        progress("Measuring agents", i, len(agents))
        for env_steps, path in agent.spread(count):
            found = probes[agent.environment](agent.policy(path))
            evidence = found["meg_goal_over_proxy"]
            rows.append(
                (
                    agent.environment.alpha,
                    agent.record.run,
                    env_steps,
                    *(found[f"meg_{end}"].value for end in ("goal", "proxy", "control", "unknown")),
                    evidence.value,
                    0.0 if evidence.se is None else evidence.se,
                )
            )
    progress("Measuring agents", len(agents), len(agents))
    columns = (
        "alpha",
        "run",
        "environment steps",
        *("goal", "proxy", "control", "unknown"),
        "goal over proxy",
        "se over levels",
    )
    return Page(
        "Goal against proxy over training",
        OVER_TRAINING,
        (Table("nats an episode", columns, tuple(rows)),),
    )


OVER_TRAINING = (
    "Of an agent in the maze: how much likelier, in nats an episode, its steps are under the best "
    "policy that pursues the cheese (goal), the corner (proxy), a square that nothing speaks for "
    "(control), or the best weighting of the three (unknown), than under uniform actions.",
    "Goal over proxy is the evidence of an episode for the one over the other. Moves are certain "
    "here, so each known utility's measure is a change of units of one discounted return, and no "
    "mechanism of its own.",
)


def _probe(environment: MazeConfig) -> MazeGoalDirectedness:
    (found,) = (
        probe
        for probe in IncentivePlan().probes(environment)
        if isinstance(probe, MazeGoalDirectedness)
    )
    return found
