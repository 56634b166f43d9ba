"""How long logs take to be read, and TensorBoard's own reader and tbparse beside.

    python -m benchmarks.readers --peers FOLDER [--rounds 5]      writes benchmarks/readers.md

FOLDER gets an environment with tensorboard and tbparse unless it has one. The logs are written
byte by byte (`benchmarks.log_bytes`). Every reading is a process of its own, sides in turn; what
is imported before the first log can be read is not counted. A reading is one of whole runs: the
curves, checked, with what the logs say of runs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, final

import numpy as np

from benchmarks.log_bytes import event_file, wandb_file
from empirics.readers import read_curves
from papers.tables import Table, to_markdown

HERE = Path(__file__).parent
PEERS = {"event_accumulator": "EventAccumulator, no limit", "tbparse": "tbparse SummaryReader"}
RUNS, TAGS, STEPS = 20, 5, 5_000
WANDB_ROWS, WANDB_KEYS = 6_000, 5
MONITORS, EPISODES = 1_000, 100


@final
@dataclass(frozen=True)
class Workload:
    """Logs to read: who makes them, how many numbers they hold, and what was asked."""

    name: str
    write: Callable[[Path], int]
    seconds: float
    peers: tuple[str, ...] = ()


def event_files(folder: Path) -> int:
    """Write the scalars of twenty runs."""
    tags = [f"losses/loss_{i}" for i in range(TAGS)]
    for run in range(RUNS):
        rows = np.random.default_rng(run).standard_normal((STEPS, TAGS)).astype(np.float32)
        (folder / f"run_{run}").mkdir()
        content = event_file(tags, range(0, 256 * STEPS, 256), rows.tolist())
        (folder / f"run_{run}" / "events.out.tfevents.1.host").write_bytes(content)
    return RUNS * TAGS * STEPS


def offline_run(folder: Path) -> int:
    """Write one offline run of W&B."""
    rows = np.random.default_rng(0).standard_normal((WANDB_ROWS, WANDB_KEYS)).tolist()
    named = ({f"key_{i}": y for i, y in enumerate(row)} for row in rows)
    (folder / "run-abc.wandb").write_bytes(wandb_file(named))
    return WANDB_ROWS * WANDB_KEYS


def monitors(folder: Path) -> int:
    """Write a thousand runs of one monitor file each: return and length of every episode."""
    for run in range(MONITORS):
        rng = np.random.default_rng(run)
        lines = [f'#{{"t_start": {1000.0 + run}, "env_id": "CartPole-v1"}}', "r,l,t"]
        lines += [f"{rng.integers(9, 500)},{rng.integers(9, 500)},{i}.5" for i in range(EPISODES)]
        (folder / f"run_{run}").mkdir()
        (folder / f"run_{run}" / "monitor.csv").write_text("\n".join(lines) + "\n")
    return MONITORS * EPISODES * 2


WORKLOADS = (
    Workload(f"TensorBoard, {RUNS} runs × {TAGS} tags", event_files, 4.0, tuple(PEERS)),
    Workload("W&B, one offline run", offline_run, 1.0),
    Workload(f"Stable-Baselines3, {MONITORS:,} monitor.csv", monitors, 5.0),
)


def own(folder: Path) -> None:
    """Read once, in this process, and say how long it took."""
    import polars  # noqa: F401

    from empirics.readers import finding, formats, logs  # noqa: F401

    wall, processor = time.perf_counter(), time.process_time()
    curves = read_curves(folder).curves
    took = time.perf_counter() - wall, time.process_time() - processor
    total = sum(float(curve.y.sum()) for curve in curves)
    number = sum(curve.n_obs for curve in curves)
    print(json.dumps({"seconds": took, "scalars": number, "sum": total}))


def measured(side: str, folder: Path, peers: Path) -> Mapping[str, Any]:
    """Run one side in a process of its own."""
    if side == "ontogeny":
        command = [sys.executable, "-m", "benchmarks.readers", "--read", str(folder)]
    else:
        command = [str(peers / "bin" / "python"), str(HERE / "reader_peers.py"), side, str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: Mapping[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def rows_of(workload: Workload, rounds: int, peers: Path) -> list[tuple[str | float, ...]]:
    """Measure all sides of one workload in turn; medians over the rounds."""
    sides = ("ontogeny", *workload.peers)
    found: dict[str, list[Mapping[str, Any]]] = {side: [] for side in sides}
    with tempfile.TemporaryDirectory() as name:
        number = workload.write(Path(name))
        size = sum(file.stat().st_size for file in Path(name).rglob("*") if file.is_file())
        for i in range(rounds):
            for side in sides if i % 2 == 0 else sides[::-1]:
                found[side].append(measured(side, Path(name), peers))
    check(number, found)
    seconds = {side: _median(each, 0) for side, each in found.items()}
    return [
        (
            workload.name if side == "ontogeny" else "",
            {"ontogeny": "Ontogeny", **PEERS}[side],
            f"{number:,}",
            f"{size / 1e6:.1f}",
            f"{seconds[side]:.3f}",
            f"{_median(found[side], 1):.3f}",
            f"{seconds[side] / seconds['ontogeny']:.1f}",
            f"{workload.seconds:g}" if side == "ontogeny" else "3 times as long",
        )
        for side in sides
    ]


def check(number: int, found: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Check that every side read every number."""
    sums = [one["sum"] for each in found.values() for one in each]
    for side, each in found.items():
        for one in each:
            if one["scalars"] != number or not np.isclose(one["sum"], sums[0], rtol=1e-9):
                raise SystemExit(f"{side} read {one['scalars']} of {number}, sum {one['sum']}.")


def _median(each: Sequence[Mapping[str, Any]], which: int) -> float:
    return float(statistics.median(one["seconds"][which] for one in each))


def make_peers(folder: Path) -> str:
    """Install the peers unless they are there; say which versions are."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        pip = [str(python), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "tensorboard", "tbparse", "setuptools<81"], check=True)
    said = "from importlib.metadata import version as v; print(v('tensorboard'), v('tbparse'))"
    done = subprocess.run([str(python), "-c", said], check=True, capture_output=True, text=True)
    return "tensorboard {}, tbparse {}".format(*done.stdout.split())


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", type=Path, help="folder of the peers' environment")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.read:
        own(args.read)
        return
    if args.peers is None:
        parser.error("--peers is missing: a folder for the environment of tensorboard and tbparse")
    versions = make_peers(args.peers)
    rows = [row for each in WORKLOADS for row in rows_of(each, args.rounds, args.peers)]
    columns = (
        "logs", "reader", "numbers", "MB", "seconds", "of processor", "times ours", "asked",
    )  # fmt: skip
    table = Table("", columns, tuple(rows))
    out = HERE / "readers.md"
    out.write_text(page(to_markdown(table), versions, args.rounds), encoding="utf-8")
    print(out)


def page(table: str, versions: str, rounds: int) -> str:
    """Return the page of what was measured."""
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    return "\n".join(
        [
            "# How long logs take to be read",
            "",
            "Made by `python -m benchmarks.readers`; see there for what is measured. Medians of "
            f"{rounds} readings; every side read every number, with equal sums.",
            f"ontogeny {version('ontogeny')}, polars {version('polars')}, {versions}, Python "
            f"{platform.python_version()}, {os.cpu_count()} cores, load average at the end {load}.",
            "",
            table.strip(),
            "",
        ]
    )


if __name__ == "__main__":
    main()
