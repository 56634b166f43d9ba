"""How often probes of mechanisms say `present` of agents that have none, and of agents that do.

    python -m benchmarks.negative_controls --jobs 2  # writes benchmarks/negative_controls.md

Without a mechanism are: networks as training begins; the same, feed-forward and recurrent, with
logits that vary as much as those of trained ones, for a policy that is nearly uniform moves little,
whatever is done to it; agents that met the cheese in the corner only, which lack a goal; agents
that met it anywhere, which lack a proxy; the latter with shuffled labels (for every level a coin
says which of its two steps counts as the goal's; outcomes belong to other starts); and planners
whose steps are drawn by coins, so that no state holds a plan. A probe that always says `absent`
passes all that, so the second table is of the mechanisms that trained agents have.

Agents are trained into --store, where they are not there already; it takes an hour on two cores.
What is asked of which is in `negative_agents` and `negative_cases`.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.negative_agents import Kind, kinds, measured, train
from benchmarks.negative_cases import asked
from empirics.engine import results
from empirics.probe import Reading
from empirics.probes.status import CERTAIN, SMALLEST, is_present
from empirics.provenance import provenance
from fitting.trials.error_rate import ErrorRate
from papers.tables import Cell, Table, to_markdown

ALLOWED = 0.05
"""The rate of `present` among agents without the mechanism."""

WHAT = ("agents", "observable", "present", "undecided")
LACKING = (*WHAT, "upper bound", "within", "largest effect")
HAVING = (*WHAT, "lower bound", "smallest effect")
DECIMALS = {"upper bound": 3, "lower bound": 3, "largest effect": 3, "smallest effect": 3}
Row = tuple[Cell, ...]


def row(kind: Kind, name: str, readings: Sequence[Reading]) -> Row:
    """Return what was said of one mechanism of agents that lack it, or of those that have it."""
    said = Counter(is_present(name, reading) for reading in readings)
    rate = ErrorRate(said[True], len(readings), len(readings))
    effects = [above for reading in readings if (above := reading.above_baseline) is not None]
    counts = kind.name, name, f"{rate.wrong}/{rate.number}", said[None]
    if name in kind.has:
        return *counts, rate.lower_bound, min(effects)
    few = rate.wrong <= ALLOWED * rate.number
    within = "yes" if rate.upper_bound <= ALLOWED else "too few" if few else "no"
    return *counts, rate.upper_bound, within, max(effects)


def page(lacking: Sequence[Row], having: Sequence[Row], seconds: float) -> str:
    """Return the report in Markdown."""
    made = provenance().content()
    lines = [
        "# How often probes say `present` of agents that have no mechanism",
        "",
        "`python -m benchmarks.negative_controls --jobs 2`; see there for the agents, which live "
        "in mazes of 7 × 7 squares.",
        f"Made by {made['versions']['ontogeny']} {str(made['git_commit'])[:7]} in {seconds:.0f} s, "
        "training apart. An effect is present where it",
        f"lies above its strongest baseline by more than {SMALLEST:g} and {CERTAIN:g} standard "
        "errors (`status`).",
        f"The bound is the one-sided upper one, at 95 %, of the rate of `present`; allowed is "
        f"{ALLOWED:.0%}. Effects are above the strongest baseline.",
        "",
        to_markdown(Table("", LACKING, tuple(lacking), decimals=DECIMALS)),
        "",
        "## Of agents that have it",
        "",
        "The bound is the one-sided lower one, at 95 %.",
        "",
        to_markdown(Table("", HAVING, tuple(having), decimals=DECIMALS)),
    ]
    return "\n".join(lines) + "\n"


def _lost(agent: tuple[str, int], sentence: str) -> dict[str, Reading]:
    raise SystemExit(f"{agent}: {sentence}.")


def main() -> None:
    """Train what is missing, measure, and write the page kind by kind."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fresh", type=int, default=300, help="untrained networks of each kind")
    parser.add_argument("--trained", type=int, default=100, help="trained agents of each kind")
    parser.add_argument("--store", type=Path, default=Path("results/negative-controls"))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    args = parser.parse_args()
    train(args.trained, args.store, n_jobs=args.jobs)
    began = time.monotonic()
    wanted = kinds(args.fresh, args.trained, args.store)
    measure = partial(measured, num_fresh=args.fresh, num_trained=args.trained, store=args.store)
    lacking: list[Row] = []
    having: list[Row] = []
    for kind in wanted.values():
        agents = [(kind.name, index) for index in range(kind.number)]
        found = results(measure, agents, n_jobs=args.jobs, lost=_lost)
        for table, names in ((lacking, kind.lacks), (having, kind.has)):
            table += [
                row(kind, name, [readings[name] for readings in found])
                for name in asked(kind.cases)
                if name in names
            ]
        args.out.write_text(page(lacking, having, time.monotonic() - began), encoding="utf-8")
        print(f"{kind.name}: {time.monotonic() - began:.0f} s", flush=True)
    print(args.out)


if __name__ == "__main__":
    main()
