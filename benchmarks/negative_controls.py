"""How often probes of mechanisms say `present` of agents that have none.

Four kinds of agents: networks as training begins; the same, feed-forward and recurrent, with logits
that vary as much as those of trained ones, for a policy that is nearly uniform moves little,
whatever is done to it; agents that met the goal in the corner only, of which those of a goal should
be missing; and agents that have a goal, with shuffled labels: for every level a coin says which of
its two steps counts as the goal's. Training agents of the third kind takes minutes each, so there
are only those of a store. Run from the repository root; the table is written kind by kind:

    python -m benchmarks.negative_controls --store STORE  # writes benchmarks/negative_controls.md

STORE is what `ontogeny run goal-switch --vary alpha 0 0.2 --seeds 2` or a study made; of it those
that are feed-forward and met no distractor. Without it, the fresh kinds only. What is asked of
which is in `negative_cases`. With `--observables NAME ...` only these are measured, and their rows
of the page are replaced:

    python -m benchmarks.negative_controls --number 300 --observables decision_accuracy_gain
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from benchmarks.negative_cases import (
    FORWARD,
    MAZE,
    OF_A_PROXY,
    OF_FORWARD,
    OF_RECURRENT,
    OF_TRAINED,
    OF_UNIFORM,
    RECURRENT,
    SHARDS,
    TRAINED_SPREAD,
    Case,
    Network,
    asked,
    asked_of,
    chosen,
    fresh,
)
from empirics.maze_agent import MazeAgent, stored_agents
from empirics.one_thread import one_thread
from empirics.policies.maze_policy import MazeNetwork
from empirics.probe import Policy, Probe, Reading
from empirics.probes.decision_regression import DecisionRegression
from empirics.probes.decision_squares import DecisionSquares
from empirics.probes.goal_vector import GoalVector
from empirics.probes.retarget import Retarget
from empirics.probes.status import CERTAIN, SMALLEST, is_present
from empirics.provenance import provenance
from fitting.trials.error_rate import ErrorRate

ALLOWED = 0.05

Tally = dict[str, list[Reading]]
Task = Callable[[], list[str]]


def last(agents: Sequence[MazeAgent]) -> Iterator[Policy]:
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


def read_shuffled(agents: Sequence[MazeAgent], number: int, cases: Sequence[Case]) -> Tally:
    """Return the readings of agents in turn, each time with newly shuffled labels."""
    rng, found = np.random.default_rng(6), Tally()
    kinds = {(agent.environment, agent.network) for agent in agents}
    probes = {kind: asked_of(cases, *kind) for kind in kinds}
    policies = list(last(agents))
    for i in range(number):
        agent, policy = agents[i % len(agents)], policies[i % len(agents)]
        drawn = [shuffled(probe, rng) for probe in probes[agent.environment, agent.network]]
        for name, readings in read(iter([policy]), [one for one in drawn if one]).items():
            found.setdefault(name, []).extend(readings)
    return found


def rows(
    kind: str, cases: Sequence[Case], tally: Tally, skipped: frozenset[str] = frozenset()
) -> list[str]:
    """Return a row of the table for each observable of a case."""
    result = []
    for name in (name for case in cases for name in case.observables):
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


def tasks(
    number: int, shuffles: int, store: Path | None, observables: frozenset[str] | None = None
) -> list[Task]:
    """Return what gives the rows of the table, kind by kind; or of some observables."""
    few = partial(chosen, observables=observables)
    sized = ", logits of trained size"
    result = [
        partial(measure_fresh, f"fresh{sized}", number, FORWARD, TRAINED_SPREAD, few(OF_FORWARD)),
        partial(
            measure_fresh,
            f"fresh, recurrent{sized}",
            number,
            RECURRENT,
            TRAINED_SPREAD,
            few(OF_RECURRENT),
        ),
        partial(measure_fresh, "fresh", number, FORWARD, None, few(OF_UNIFORM)),
    ]
    # Of recurrent agents the layers of the shard probes have other names.
    agents = [
        agent
        for agent in (() if store is None else stored_agents(store))
        if isinstance(agent.network, MazeNetwork) and not agent.environment.distractor
    ]
    bare = [agent for agent in agents if agent.environment.alpha == 0]
    parted = [agent for agent in agents if agent.environment.alpha > 0]
    for kind in {(agent.environment, agent.network) for agent in bare}:
        same = [agent for agent in bare if (agent.environment, agent.network) == kind]
        result.append(partial(measure_bare, same, few(OF_TRAINED)))
    if parted and shuffles:
        result.append(partial(measure_shuffled, parted, shuffles, few([SHARDS])))
    return result


def measure_fresh(
    kind: str, number: int, network: Network, spread: float | None, cases: Sequence[Case]
) -> list[str]:
    """Return the rows of networks as training begins."""
    found = read(fresh(number, network, spread), asked_of(cases, MAZE, network))
    return rows(kind, cases, found)


def measure_bare(agents: Sequence[MazeAgent], cases: Sequence[Case]) -> list[str]:
    """Return the rows of agents of one kind that met the goal in the corner only."""
    probes = asked_of(cases, agents[0].environment, agents[0].network)
    return rows("trained, goal in the corner only", cases, read(last(agents), probes), OF_A_PROXY)


def measure_shuffled(agents: Sequence[MazeAgent], number: int, cases: Sequence[Case]) -> list[str]:
    """Return the rows of agents that have a goal, with shuffled labels."""
    mirrored = frozenset({"goal_vector_proxy_effect"})  # says the goal's over again
    return rows("trained, labels shuffled", cases, read_shuffled(agents, number, cases), mirrored)


def timed(task: Task) -> tuple[list[str], float]:
    """Return rows, and the seconds of processor time that they took."""
    began = time.process_time()
    with one_thread():
        return task(), time.process_time() - began


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
        "Kinds of agents and observables without a row were not measured.",
        "",
        "| agents | observable | present | undecided | bound | within | largest above baseline |",
        "|---|---|---:|---:|---:|---|---:|",
        *table,
    ]
    return "\n".join(lines) + "\n"


def updated(report: str, table: Sequence[str], said: str) -> str:
    """Return a report with rows replaced, or put behind their kind, and a line on them."""
    lines = report.splitlines()
    rule = next(i for i, line in enumerate(lines) if line.startswith("|---"))
    head, old = lines[: rule - 2], lines[rule + 1 :]
    for row in table:
        places = [i for i, other in enumerate(old) if _key(other) == _key(row)]
        same = [i for i, other in enumerate(old) if _key(other)[0] == _key(row)[0]]
        if places:
            old[places[0]] = row
        else:
            old.insert(same[-1] + 1 if same else len(old), row)
    return "\n".join([*head, "", said, *lines[rule - 2 : rule + 1], *old]) + "\n"


def _key(row: str) -> tuple[str, str]:
    _, kind, name, *_ = (part.strip() for part in row.split("|"))
    return kind, name


def observables_from(names: Sequence[str]) -> frozenset[str]:
    """Return the observables asked for.

    Raises
    ------
    ValueError
        If one is asked of no kind of agents.
    """
    known = asked([*OF_FORWARD, *OF_RECURRENT, *OF_TRAINED, *OF_UNIFORM])
    for name in names:
        if name not in known:
            raise ValueError(
                f"{name!r} is asked of no agents; choose from {', '.join(sorted(known))}."
            )
    return frozenset(names)


def main() -> None:
    """Measure and write the table beside this file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=100, help="fresh networks of each kind")
    parser.add_argument("--shuffles", type=int, default=60)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--observables", nargs="+", default=[], help="measure only these")
    parser.add_argument("--n-jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    arguments = parser.parse_args()
    try:
        few = observables_from(arguments.observables) or None
    except ValueError as error:
        parser.error(str(error))
    before = arguments.out.read_text(encoding="utf-8") if few else ""
    content = provenance().content()
    version = f"{content['versions']['ontogeny']} {str(content['git_commit'])[:7]}"
    table, seconds = [], 0.0
    every = tasks(arguments.number, arguments.shuffles, arguments.store, few)
    for found, took in Parallel(arguments.n_jobs, return_as="generator")(
        map(delayed(timed), every)
    ):
        table, seconds = table + found, seconds + took
        report = page(table, version, seconds)
        if few:
            names = ", ".join(sorted(few))
            said = f"Measured anew by {version} in {seconds:.0f} s of processor time: {names}."
            report = updated(before, table, said)
        arguments.out.write_text(report, encoding="utf-8")
    print(report, arguments.out, sep="\n")


if __name__ == "__main__":
    main()
