"""How long all probes of the study of development take on one checkpoint of eight agents.

    python -m ontogeny study development --scale full --out results/development-full
    python -m benchmarks.probes --store results/development-full/store

The last checkpoint of every agent of an organism is measured under the organism's own plans and
that of its experiment, on two processes; asked are 20 seconds.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from empirics.maze_agent import stored_agents
from empirics.probed_checkpoints import probe_agents
from empirics.provenance import provenance
from papers.development.organisms import FULL
from papers.tables import Table, to_markdown

PAGE = Path(__file__).with_suffix(".md")
JOBS = 2


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", type=Path, required=True)
    args = parser.parse_args()
    agents = [
        agent
        for agent in stored_agents(args.store)
        if not any(name.startswith("window_") for name in agent.record.conditions)
    ]
    rows = []
    for organism in FULL.organisms:
        mine = [a for a in agents if a.record.conditions["experiment"] == organism.name]
        if not mine:
            continue
        last = [agent.checkpoints[-1][0] for agent in mine]
        plans = (organism.experiment.plan, *organism.plans)
        with tempfile.TemporaryDirectory() as name:
            began = time.monotonic()
            found = probe_agents(mine, plans, Path(name), num_checkpoints=1, n_jobs=JOBS)
            seconds = time.monotonic() - began
        steps = [readings[-1][0] for readings in found]
        if steps != last:
            raise SystemExit(f"measured were {steps}, and not the last checkpoints, {last}.")
        number = len(found[0][-1][1])
        rows.append((organism.name, len(mine), number, f"{seconds:.1f}"))
    absent = [each.name for each in FULL.organisms if each.name not in {row[0] for row in rows}]
    table = Table("", ("organism", "agents", "observables", "seconds"), tuple(rows))
    made = provenance().content()
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    head = (
        "# How long all probes take on one checkpoint of eight agents\n\n"
        "`python -m benchmarks.probes --store results/development-full/store`; see there. Made by "
        f"{made['versions']['ontogeny']} {str(made['git_commit'])[:7]}, {os.cpu_count()} cores, "
        f"load average at the end {load}."
        + (f" Not in that store: {', '.join(absent)}." if absent else "")
        + "\n\n"
    )
    PAGE.write_text(head + to_markdown(table) + "\n", encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
