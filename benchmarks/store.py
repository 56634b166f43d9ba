"""What the store costs: size, writing, reading, growth, and memory.

    python -m benchmarks.store              writes benchmarks/store.md

Curves are a logistic rise with white noise, drawn as float32 and stored as Float64. Each reading
opens the store anew and gives checked curves (`Store.curves`), not a table. Processor seconds
stand beside wall seconds: on a busy machine the latter say little. The peer is one Parquet table
of the same rows, sorted by observable and run, read by polars without any check.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl

from empirics.run_record import RunRecord
from empirics.store import Store
from empirics.store_summary import summary_of
from theory.curve import Curve, Progress

HERE = Path(__file__).parent
OBSERVABLES = tuple(f"observable_{i}" for i in range(5))
GROWTH = ((100, 500), (1_000, 500), (10_000, 500))
LIMIT_GIB, LONG_RUNS, LONG_POINTS = 6, 1_200, 20_000
BATCH = 100
"""Runs that are made and appended at a time where the whole must not be in memory."""


def curves_of(runs: range, n_points: int) -> Iterator[Curve]:
    """Yield the curves of some runs."""
    t = 100.0 * np.arange(n_points)
    rise = 1 / (1 + np.exp(-10 * (t / t[-1] - 0.5)))
    for run in runs:
        rng = np.random.default_rng(run)
        for observable in OBSERVABLES:
            y = (rise + 0.05 * rng.standard_normal(n_points)).astype(np.float32)
            yield Curve(
                observable,
                t,
                y,
                progress=Progress.ENV_STEPS,
                run=f"run {run}",
                run_id=f"{run:016x}",
                conditions={"seed": run % 8, "alpha": 0.1 * (run // 8 % 4)},
            )


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return wall and processor seconds of some work."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def size_of(folder: Path) -> float:
    """Return the megabytes of the files below a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*.parquet")) / 1e6


def readings(folder: Path) -> dict[str, tuple[float, float]]:
    """Time what is read of a store, each time opened anew."""
    return {
        "one observable": timed(lambda: Store(folder).curves(OBSERVABLES[1])),
        "one run": timed(lambda: Store(folder).curves(run="run 5")),
        "one run, again": _again(folder),
        "summary": timed(lambda: summary_of(Store(folder))),
    }


def _again(folder: Path) -> tuple[float, float]:
    store = Store(folder)
    store.curves(run="run 6")
    return timed(lambda: store.curves(run="run 5"))


def targets(folder: Path, n_runs: int, n_points: int) -> list[str]:
    """Measure the store of the targets, and the table of its peer."""
    curves = list(curves_of(range(n_runs), n_points))
    rows = {"write": timed(lambda: Store(folder / "store").append_curves(curves))}
    rows |= readings(folder / "store")
    (path,) = (folder / "store" / "curves").iterdir()
    table = pl.read_parquet(path).select("run_id", "observable", "t", "y")
    plain = folder / "plain.parquet"
    peer = {"write": timed(lambda: table.write_parquet(plain, row_group_size=100_000))}
    of_one = pl.scan_parquet(plain)
    peer["one observable"] = timed(
        lambda: of_one.filter(pl.col("observable") == OBSERVABLES[1]).collect()
    )
    peer["one run"] = timed(lambda: of_one.filter(pl.col("run_id") == f"{5:016x}").collect())
    lines = [
        f"| size, MB | {size_of(folder / 'store'):.1f} | "
        f"| {plain.stat().st_size / 1e6:.1f} | | 110 |"
    ]
    goals = {"write": "5", "one observable": "0.2", "one run": "0.05"}
    for name, (wall, processor) in rows.items():
        beside = peer.get(name)
        said = f"{beside[0]:.3f} | {beside[1]:.3f}" if beside else " | "
        lines.append(f"| {name} | {wall:.3f} | {processor:.3f} | {said} | {goals.get(name, '')} |")
    return lines


def growth(folder: Path) -> list[str]:
    """Measure stores of more and more runs, appended in batches with their records."""
    lines = []
    for n_runs, n_points in GROWTH:
        store = Store(folder / str(n_runs))

        def write(store: Store = store, n_runs: int = n_runs, n_points: int = n_points) -> None:
            for first in range(0, n_runs, 10 * BATCH):
                runs = range(first, min(first + 10 * BATCH, n_runs))
                store.append_curves(curves_of(runs, n_points))
                for run in runs:
                    store.append_run(RunRecord(f"run {run}", f"{run:016x}"))

        wall, processor = timed(write)
        found = readings(store.path)
        cells = " | ".join(f"{found[name][0]:.2f} ({found[name][1]:.2f})" for name in found)
        lines.append(
            f"| {n_runs} | {n_points} | {size_of(store.path):.1f} | {wall:.1f} ({processor:.1f}) "
            f"| {cells} |"
        )
    return lines


def bounded(folder: Path, n_runs: int, n_points: int, limit: float) -> None:
    """In a process of its own: write, walk through and export a store larger than the limit."""
    resource.setrlimit(resource.RLIMIT_AS, (int(limit * 2**30),) * 2)
    from empirics.exported_table import export_table

    store = Store(folder)
    for first in range(0, n_runs, BATCH):
        store.append_curves(curves_of(range(first, first + BATCH), n_points))
    n_rows = sum(c.n_obs for portion in store.portions() for c in portion.curves)
    export_table(store, folder.parent / "all.parquet")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{n_rows} rows, {n_rows * 56 / 2**30:.1f} GiB as columns, peak {peak:.2f} GiB")


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--points", type=int, default=5_000)
    parser.add_argument("--limit", type=float, default=LIMIT_GIB, help="GiB of address space")
    parser.add_argument("--long-runs", type=int, default=LONG_RUNS, help="runs of the last part")
    parser.add_argument("--long-points", type=int, default=LONG_POINTS)
    parser.add_argument("--bounded", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=HERE / "store.md")
    args = parser.parse_args()
    if args.bounded:
        bounded(args.bounded, args.long_runs, args.long_points, args.limit)
        return
    with tempfile.TemporaryDirectory() as name:
        of_targets = targets(Path(name), args.runs, args.points)
    with tempfile.TemporaryDirectory() as name:
        of_growth = growth(Path(name))
    with tempfile.TemporaryDirectory() as name:
        words = ["--bounded", f"{name}/store", "--limit", str(args.limit)]
        words += ["--long-runs", str(args.long_runs), "--long-points", str(args.long_points)]
        command = [sys.executable, "-m", "benchmarks.store", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        said = done.stdout.strip() or done.stderr.strip().splitlines()[-1]
    args.out.write_text(page(args, of_targets, of_growth, said), encoding="utf-8")
    print(args.out)


def page(args: argparse.Namespace, of_targets: list[str], of_growth: list[str], said: str) -> str:
    """Return the page of what was measured."""
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    return "\n".join(
        [
            "# What the store costs",
            "",
            "Made by `python -m benchmarks.store`; see there for what is measured.",
            f"polars {pl.__version__}, Python {platform.python_version()}, {os.cpu_count()} cores, "
            f"load average at the end {load}.",
            "",
            f"{args.runs} runs × {args.points} points × {len(OBSERVABLES)} observables, seconds:",
            "",
            "| | store, wall | processor | plain Parquet, wall | processor | target |",
            "|---|---:|---:|---:|---:|---:|",
            *of_targets,
            "",
            "Growth, seconds of wall time, in brackets of processor time; with a record a run:",
            "",
            "| runs | points a curve | MB | write | one observable | one run | one run, again "
            "| summary |",
            "|---:|---:|---:|---:|---:|---:|---:|---:|",
            *of_growth,
            "",
            f"Written, read and exported to Parquet in portions below {args.limit:g} GiB of "
            f"address space: {said}.",
            "",
        ]
    )


if __name__ == "__main__":
    main()
