"""Logged curves of real runs, for benchmarks that want data nobody here made.

A folder holds `learned_planner/*.csv` (one run a file), `jaxgmg_corner/*.csv` (one run a column)
and `sb3_zoo/*/*/*.monitor.csv` (several environments a run).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from theory.curve import Curve

FOLDER = Path(__file__).parent.parent.parent / "shared" / "data"
POINTS = 100  # of a curve of single episodes, each the mean of as many episodes
LEAST = 16


def read(folder: Path) -> Iterator[tuple[str, Curve]]:
    """Give every curve with its source; those that do not vary in the first half are left out."""
    for source, reader in (
        ("learned_planner", _planner),
        ("jaxgmg_corner", _corner),
        ("sb3_zoo", _zoo),
    ):
        for curve in reader(folder / source):
            if curve.n_obs >= LEAST and np.ptp(curve.y[: curve.n_obs // 2]) > 0:
                yield source, curve


def _planner(folder: Path) -> Iterator[Curve]:
    for path in sorted(folder.glob("*.csv")):
        frame = pl.read_csv(path)
        for name in frame.columns[1:]:
            if "/00_" in name:
                yield _curve(name, path.name.removesuffix(".test.csv"), frame["step"], frame[name])


def _corner(folder: Path) -> Iterator[Curve]:
    for path in sorted(folder.glob("*.csv")):
        frame = pl.read_csv(path)
        for name in frame.columns[1:]:
            if not name.endswith(("__MIN", "__MAX")):
                run, observable = name.split(" - ", 1)
                yield _curve(observable, run, frame["Step"], frame[name])


def _zoo(folder: Path) -> Iterator[Curve]:
    for run in sorted(folder.glob("*/*/")):
        frames = [pl.read_csv(path, skip_rows=1) for path in sorted(run.glob("*.monitor.csv"))]
        if not frames:
            continue
        episodes = pl.concat(frames).sort("t", maintain_order=True)
        bins = np.array_split(np.arange(len(episodes)), min(POINTS, len(episodes)))
        steps, returns = np.cumsum(episodes["l"].to_numpy()), episodes["r"].to_numpy()
        t = [float(steps[part[-1]]) for part in bins]
        y = [float(returns[part].mean()) for part in bins]
        yield _curve("episodic_return", f"{run.parent.name}/{run.name}", pl.Series(t), pl.Series(y))


def _curve(observable: str, run: str, t: pl.Series, y: pl.Series) -> Curve:
    table = pl.DataFrame({"t": t, "y": y}).drop_nulls().group_by("t").mean().sort("t")
    times, values = (table[c].cast(pl.Float64).to_numpy() for c in ("t", "y"))
    return Curve(observable=observable, run=run, t=times, y=values)
