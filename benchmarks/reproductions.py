"""Published claims on the agents of the study of development, organism by organism.

    python -m ontogeny study development --scale full --out results/development-full
    python -m benchmarks.reproductions --store results/development-full/store

For each paper the agents of the organism that its claims are about are copied into a store of their
own, and `ontogeny reproduce PAPER --store` is run on it. benchmarks/reproductions.md has the claims
of each report, without its readings and figures.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path

from empirics.maze_agent import stored_agents
from empirics.provenance import provenance
from empirics.store import Store
from ontogeny.cli import main as command_line

PAGE = Path(__file__).with_suffix(".md")
ORGANISMS = {
    "mini2023_maze_policy": "mixed",
    "colognese2023_objectives": "objective",
    "jenner2024_lookahead": "planner",
    "macdermott2024_meg": "mixed",
}
"""Whose claims are about which organism."""


def copy_agents(store: Path, organism: str, folder: Path) -> int:
    """Copy the agents of an organism that were trained without an intervention; say how many."""
    records = [
        record
        for record in Store(store, create=False).runs()
        if record.conditions.get("experiment") == organism
        and not any(name.startswith("window_") for name in record.conditions)
    ]
    copied = Store(folder)
    for record in records:
        copied.append_run(record)
        name = Path("checkpoints", record.run_id)
        shutil.copytree(store / name, folder / name)
    return len(stored_agents(folder))


def claims(report: Path) -> list[str]:
    """Return the verdict of a report and its table of claims."""
    lines = report.with_suffix(".md").read_text(encoding="utf-8").splitlines()
    verdict = next(line for line in lines if line.startswith("**"))
    first = next(i for i, line in enumerate(lines) if line.startswith("| claim"))
    last = next(i for i in range(first, len(lines)) if not lines[i].startswith("|"))
    return [verdict, "", *lines[first:last]]


def main() -> None:
    """Reproduce, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", type=Path, required=True)
    args = parser.parse_args()
    began, blocks = time.process_time(), []
    with tempfile.TemporaryDirectory() as name:
        for paper, organism in ORGANISMS.items():
            folder, out = Path(name, paper, "store"), Path(name, paper, "out")
            number = copy_agents(args.store, organism, folder)
            words = ["reproduce", paper, "--store", str(folder), "--out", str(out), "--quiet"]
            if command_line(words):
                raise SystemExit(1)
            title = f"## {paper}, on {number} agents of {organism}"
            blocks += [title, "", *claims(out / "report.html"), ""]
    made = provenance().content()
    head = [
        "# Published claims on the agents of the study of development",
        "",
        "`python -m benchmarks.reproductions --store results/development-full/store`; see there. "
        f"Made by {made['versions']['ontogeny']} {str(made['git_commit'])[:7]} in "
        f"{time.process_time() - began:.0f} s of processor time.",
        "",
    ]
    PAGE.write_text("\n".join([*head, *blocks]).rstrip("\n") + "\n", encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
