"""How often probes of mechanisms say `present` of agents that have none.

Four kinds of agents: networks as training begins; the same with the logits of trained ones, for a
policy that is nearly uniform moves little whatever is done to it; agents that met the goal in the
corner only, of which the mechanisms of a goal should be missing; and agents that have a goal, with
shuffled labels: for every level a coin says which of its two steps counts as the goal's. Training
agents of the third kind takes minutes each, so there are only those of a store. Run from the
repository root; the table is written kind by kind:

    python -m benchmarks.negative_controls --store STORE  # writes benchmarks/negative_controls.md

STORE is what `ontogeny run goal-switch --vary alpha 0 0.2 --seeds 2` or a study made; without it,
the first two kinds only.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from empirics.experiments.goal_switch import QUICK
from empirics.maze import MazeConfig
from empirics.maze_agent import MazeAgent, stored_agents
from empirics.one_thread import one_thread
from empirics.policies.maze_policy import MazePolicy
from empirics.probe import Policy, Probe, Reading
from empirics.probes.decision_regression import DecisionRegression
from empirics.probes.decision_squares import DecisionSquares
from empirics.probes.goal_vector import GoalVector
from empirics.probes.incentive_plan import IncentivePlan
from empirics.probes.retarget import Retarget
from empirics.probes.shard_plan import ShardPlan
from empirics.probes.status import CERTAIN, SMALLEST, is_present
from empirics.provenance import provenance
from fitting.trials.error_rate import ErrorRate

ALLOWED = 0.05
TRAINED_GAIN = 100.0
"""What the last layer is multiplied by to have a gain of 1, as inner layers have, not of 0.01."""


@dataclass(frozen=True)
class Case:
    """A plan, and the observables of its probes that claim a mechanism.

    Attributes
    ----------
    name : str
    probes : callable
        A maze configuration to probes.
    observables : tuple of str
        Those that have a baseline, and of which `status` is asked.
    """

    name: str
    probes: Callable[[MazeConfig], Sequence[Probe]]
    observables: tuple[str, ...]


CASES = (
    Case(
        "shards",
        lambda maze: ShardPlan().probes(maze),
        ("goal_vector_effect", "goal_vector_proxy_effect", "retarget", "decision_accuracy"),
    ),
    Case(
        "goal-directedness",
        lambda maze: IncentivePlan().probes(maze),
        ("meg_goal", "meg_proxy", "meg_control", "meg_unknown", "meg_goal_over_proxy"),
    ),
    Case(
        "incentives",
        lambda maze: IncentivePlan().probes(maze),
        (
            "response_to_goal",
            "response_to_distractor",
            "intent_goal",
            "value_of_goal_information",
            "control_of_goal",
            "control_of_corner",
        ),
    ),
)

OF_A_PROXY = frozenset(
    {
        "goal_vector_proxy_effect",
        "decision_accuracy",
        "meg_proxy",
        "meg_unknown",
        "control_of_corner",
    }
)
"""What an agent that goes for the corner may have without a goal."""

Tally = dict[str, list[Reading]]


def asked_of(maze: MazeConfig) -> list[Probe]:
    """Return the probes that have an observable of a case; signs are not resampled."""
    found = []
    for case in CASES:
        for probe in case.probes(maze):
            if set(case.observables) & set(probe.observables):
                if isinstance(probe, DecisionRegression):
                    probe = replace(probe, resampled=probe.resampled[:1])
                found.append(probe)
    return found


def fresh(number: int, gain: float, maze: MazeConfig) -> Iterator[MazePolicy]:
    """Yield networks of the organism as training begins, the last layer times `gain`."""
    for seed in range(number):
        rng = np.random.default_rng([seed, 6])
        policy = QUICK.experiment.network.build(maze.observation_shape, 4, rng=rng)
        with torch.no_grad():
            policy.actor.weight.mul_(gain)
        yield policy.eval()


def last(agents: Sequence[MazeAgent]) -> Iterator[MazePolicy]:
    """Yield the last checkpoint of each agent."""
    for agent in agents:
        ((_, path),) = agent.spread(1)
        yield agent.policy(path)


def shuffled(probe: Probe, rng: np.random.Generator) -> Probe | None:
    """Return a probe with the goal's and the proxy's step swapped in half the levels.

    None for one that has no such labels.
    """
    if not isinstance(probe, GoalVector | Retarget | DecisionRegression):
        return None
    squares: DecisionSquares = probe.squares
    swap = rng.random(len(squares.levels))[squares.situation.level] < 0.5
    goal = np.where(swap, squares.proxy_step, squares.goal_step)
    proxy = np.where(swap, squares.goal_step, squares.proxy_step)
    return replace(probe, squares=replace(squares, goal_step=goal, proxy_step=proxy))


def read(policies: Iterator[Policy], probes: Sequence[Probe]) -> Tally:
    """Return the readings of every policy by observable."""
    found: Tally = {}
    for policy in policies:
        for probe in probes:
            for name, reading in probe(policy).items():
                found.setdefault(name, []).append(reading)
    return found


def read_shuffled(agents: Sequence[MazeAgent], number: int) -> Tally:
    """Return the readings of agents in turn, each time with newly shuffled labels."""
    rng, found = np.random.default_rng(6), Tally()
    probes = {maze: asked_of(maze) for maze in {agent.environment for agent in agents}}
    policies = list(last(agents))
    for i in range(number):
        agent, policy = agents[i % len(agents)], policies[i % len(agents)]
        drawn = [shuffled(probe, rng) for probe in probes[agent.environment]]
        for name, readings in read(iter([policy]), [one for one in drawn if one]).items():
            found.setdefault(name, []).extend(readings)
    return found


def rows(kind: str, tally: Tally, skipped: frozenset[str] = frozenset()) -> list[str]:
    """Return a row of the table for each observable of a case."""
    result = []
    for name in (name for case in CASES for name in case.observables):
        if name not in tally or name in skipped:
            continue
        readings = tally[name]
        said = Counter(is_present(name, reading) for reading in readings)
        rate = ErrorRate(said[True], len(readings), len(readings))
        above = max(reading.above_baseline or 0.0 for reading in readings)
        verdict = "yes" if rate.upper_bound <= ALLOWED else "no"
        if said[True] <= ALLOWED * len(readings) and verdict == "no":
            verdict = "too few"
        result.append(
            f"| {kind} | {name} | {said[True]}/{len(readings)} | {said[None]} | "
            f"{rate.upper_bound:.3f} | {verdict} | {above:.3f} |"
        )
    return result


def measure(number: int, shuffles: int, store: Path | None) -> Iterator[list[str]]:
    """Yield the rows of the table, kind by kind."""
    maze = replace(QUICK.experiment.environment, distractor=True)
    probes = asked_of(maze)
    for kind, gain in (("fresh, logits of trained size", TRAINED_GAIN), ("fresh", 1.0)):
        yield rows(kind, read(fresh(number, gain, maze), probes))
    if store is None:
        return
    agents = stored_agents(store)
    bare = [agent for agent in agents if agent.environment.alpha == 0]
    for each in {agent.environment for agent in bare}:
        same = [agent for agent in bare if agent.environment == each]
        found = read(last(same), asked_of(each))
        yield rows("trained, goal in the corner only", found, OF_A_PROXY)
    parted = [agent for agent in agents if agent.environment.alpha > 0]
    if parted and shuffles:
        mirrored = frozenset({"goal_vector_proxy_effect"})  # says the goal's over again
        yield rows("trained, labels shuffled", read_shuffled(parted, shuffles), mirrored)


def page(table: Sequence[str], version: str, seconds: float) -> str:
    """Return the report in Markdown."""
    lines = [
        "# How often probes say `present` of agents that have no mechanism",
        "",
        "`python -m benchmarks.negative_controls --store STORE`; see there for the agents.",
        f"Made by {version} in {seconds:.0f} s of processor time. An effect is present when it",
        f"lies above its strongest baseline by more than {SMALLEST:g}, with {CERTAIN:g} standard "
        "errors against it (`status`).",
        f"The bound is the one-sided 95 % one of the rate of `present`; allowed is {ALLOWED:.0%}.",
        "Kinds of agents without a row were not measured.",
        "",
        "| agents | observable | present | undecided | bound | within | largest above baseline |",
        "|---|---|---:|---:|---:|---|---:|",
        *table,
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write the table beside this file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=100, help="fresh networks of each kind")
    parser.add_argument("--shuffles", type=int, default=60)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    arguments = parser.parse_args()
    content = provenance().content()
    version = f"{content['versions']['ontogeny']} {str(content['git_commit'])[:7]}"
    began, table = time.process_time(), []
    with one_thread():
        for found in measure(arguments.number, arguments.shuffles, arguments.store):
            table += found
            report = page(table, version, time.process_time() - began)
            arguments.out.write_text(report, encoding="utf-8")
    print(report, arguments.out, sep="\n")


if __name__ == "__main__":
    main()
