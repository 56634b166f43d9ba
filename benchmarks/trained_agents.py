"""What the trained agents of the negative controls came to, and how far their logits vary.

    python -m benchmarks.trained_agents --jobs 2  # writes benchmarks/trained_agents.md

Those that are not in --store yet are trained; it takes an hour on two cores.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from benchmarks.negative_agents import (
    ANYWHERE,
    FORWARD,
    IN_THE_CORNER,
    NUM_PLANNERS,
    PLANNER,
    WITH_DISTRACTOR,
    everywhere,
    fresh,
    train,
    trained,
)
from empirics.maze import MazeConfig
from empirics.probe import Policy
from empirics.probes.lookahead.untrained import logit_spread
from empirics.probes.maze_plan import MazePlan
from empirics.provenance import provenance
from papers.tables import Cell, Table, to_markdown

COLUMNS = ("agents", "number", "P(goal)", "P(proxy)", "spread of logits", "least", "most")


def row(
    name: str, world: MazeConfig, agent: Callable[[int], Policy], number: int
) -> tuple[Cell, ...]:
    """Return means over agents, and the least and greatest spread of their logits."""
    goal_and_proxy, *_ = MazePlan().probes(world)
    seen = everywhere(world)
    readings, spreads = [], []
    for index in range(number):
        policy = agent(index)
        found = goal_and_proxy(policy)
        readings.append([found["p_goal"].value, found["p_proxy"].value])
        spreads.append(logit_spread(policy, seen))
    p_goal, p_proxy = (float(mean) for mean in np.mean(readings, axis=0))
    return name, number, p_goal, p_proxy, float(np.mean(spreads)), min(spreads), max(spreads)


def main() -> None:
    """Train what is missing, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trained", type=int, default=100, help="trained agents of each kind")
    parser.add_argument("--store", type=Path, default=Path("results/negative-controls"))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    args = parser.parse_args()
    train(args.trained, args.store, n_jobs=args.jobs)
    of = partial(partial, trained, args.store)
    planners = PLANNER.environment
    assert isinstance(planners, MazeConfig)
    rows = (
        row("cheese in the corner", WITH_DISTRACTOR, of(IN_THE_CORNER), args.trained),
        row("cheese anywhere", WITH_DISTRACTOR, of(ANYWHERE), args.trained),
        row("planners", planners, of(PLANNER), NUM_PLANNERS),
        row(
            "fresh", WITH_DISTRACTOR, partial(fresh, WITH_DISTRACTOR, FORWARD, False), args.trained
        ),
    )
    made = provenance().content()
    head = (
        "# What the trained agents of the negative controls came to\n\n"
        "`python -m benchmarks.trained_agents --jobs 2`; see there. Made by "
        f"{made['versions']['ontogeny']} {str(made['git_commit'])[:7]}. Means over agents. "
        "The spread is the standard deviation of a logit over what is seen with mouse and cheese "
        "anywhere, the mean over actions; then that of the least and the most decided agent.\n\n"
    )
    table = to_markdown(Table("", COLUMNS, rows, digits=3))
    args.out.write_text(head + table + "\n", encoding="utf-8")
    print(args.out)


if __name__ == "__main__":
    main()
