"""Charts of W&B exported as CSV: a file shows one observable, and a group of columns each run.

The columns of a run are ``run - observable`` and, of what the chart draws around it,
``run - observable__MIN`` and ``__MAX``: bounds of what the chart pools, which are no observables.
The files of a folder show the same runs, unless two of them show one observable of one run with
different values: then nothing says which runs are the same, and each file is read for itself.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from empirics.notes import counted, listed
from empirics.provenance import sha256_of
from empirics.readers.cells import cells_of, why_no_number
from empirics.readers.names import CLOCKS, PROGRESS, RUNS, known
from empirics.readers.opening import header_of, open_table, separator_of
from empirics.readers.series import LoggedRun, Series, digest_of

BETWEEN = " - "
BOUNDS = ("__MIN", "__MAX")
STEP = "_step"
PARQUET = b"PAR1"
LONGEST = 1 << 22
"""Bytes of a header: thousands of runs."""

CLOCK_NAMES = (*CLOCKS, "relative time (wall)", "relative time (process)", "wall time")
SAME = (
    "several files show one observable of one run with different values: each is read for itself."
)

Floats = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class Chart:
    """What a file shows: the series of each run; and the columns and cells left out."""

    path: Path
    runs: Mapping[str, tuple[Series, ...]]
    bounds: tuple[str, ...]
    others: tuple[str, ...]
    n_empty: int


def is_chart_export(path: Path, head: bytes) -> bool:
    """Tell whether a file is an exported chart, by the bounds among its columns."""
    if BETWEEN.encode() not in head and not head.startswith(PARQUET):
        return False
    try:
        names = _names(path)
    except (csv.Error, pl.exceptions.PolarsError):
        return False
    return bool(_charted(names)) and not known(names, RUNS) and bool(_axis(names))


def _names(path: Path) -> list[str]:
    """Return the names of the columns of a file."""
    with path.open("rb") as file:
        line = file.readline(LONGEST)
    if line.startswith(PARQUET):
        return list(pl.read_parquet_schema(path))
    text = line.decode("utf-8-sig", "replace")
    return header_of(text, separator_of(text))


def read_chart_exports(paths: Sequence[Path], label: str) -> list[LoggedRun]:
    """Read the exported charts of a folder.

    Raises
    ------
    ValueError
        If a file is damaged, or a cell is no number.
    """
    charts = [_chart(path) for path in paths]
    if not _agree(charts):
        return [run for chart in charts for run in _runs([chart], f"{chart.path.stem}/", (SAME,))]
    return _runs(charts)


def _charted(names: Sequence[str]) -> list[str]:
    """Return the columns that have bounds beside them and name a run."""
    there = set(names)
    return [n for n in names if BETWEEN in n and all(f"{n}{bound}" in there for bound in BOUNDS)]


def _axis(names: Sequence[str]) -> str | None:
    return next(iter(known(names, (*PROGRESS, *CLOCK_NAMES))), None)


def _chart(path: Path) -> Chart:
    table, _ = open_table(path)
    names = table.columns
    axis = _axis(names)
    if axis is None:
        raise ValueError(f"{path} has no column of progress; columns: {', '.join(sorted(names))}.")
    charted = _charted(names)
    bounds = [f"{name}{bound}" for name in charted for bound in BOUNDS]
    others = [name for name in names if name not in {axis, *charted, *bounds}]
    x = _numbers(table, axis, path)
    steps, runs = dict[str, Floats](), dict[str, list[Series]]()
    for name in charted:
        run, key = name.rsplit(BETWEEN, 1)
        if key == STEP:
            steps[run] = _numbers(table, name, path)
    n_empty = 0
    for name in charted:
        run, key = name.rsplit(BETWEEN, 1)
        said = (~table[name].is_null() & ~table[axis].is_null()).to_numpy()
        if key == STEP or not said.any():
            continue
        axes = {axis: x[said], **({STEP: steps[run][said]} if run in steps else {})}
        runs.setdefault(run, []).append(Series(key, axes, _numbers(table, name, path)[said]))
        n_empty += int((~said).sum())
    if not runs:
        raise ValueError(f"{path} shows no value of any run.")
    series = {run: tuple(of) for run, of in runs.items()}
    return Chart(path, series, tuple(bounds), tuple(others), n_empty)


def _notes(charts: Sequence[Chart]) -> tuple[str, ...]:
    bounds = [name for chart in charts for name in chart.bounds]
    others = [name for chart in charts for name in chart.others]
    n_empty = sum(chart.n_empty for chart in charts)
    columns = [("bounds of a chart export", bounds), ("of no run of the chart", others)]
    ignored = [
        f"{counted(len(names), 'column')} ignored ({why}): {listed(n or repr(n) for n in names)}."
        for why, names in columns
        if names
    ]
    empty = f"{counted(n_empty, 'empty cell')} left out."
    return (*ignored, *([empty] if n_empty else []))


def _numbers(table: pl.DataFrame, name: str, path: Path) -> Floats:
    cells = cells_of(table[name])
    if cells.wrong.any():
        said = table[name][int(cells.wrong.argmax())]
        raise ValueError(
            f"column {name!r} of {path} is not numbers; it says {said!r}{why_no_number(said)}."
        )
    return cells.values


def _agree(charts: Sequence[Chart]) -> bool:
    """Tell whether no two charts show one observable of one run with different values."""
    seen: dict[tuple[str, str], Series] = {}
    for chart in charts:
        for run, of in chart.runs.items():
            for series in of:
                if not _same(seen.setdefault((run, series.key), series), series):
                    return False
    return True


def _same(one: Series, other: Series) -> bool:
    return list(one.axes) == list(other.axes) and all(
        np.array_equal(a, b, equal_nan=True)
        for a, b in ((one.y, other.y), *((one.axes[n], other.axes[n]) for n in one.axes))
    )


def _runs(
    charts: Sequence[Chart], before: str = "", notes: tuple[str, ...] = ()
) -> list[LoggedRun]:
    found: dict[str, dict[str, Series]] = {}
    for chart in charts:
        for run, of in chart.runs.items():
            for series in of:
                found.setdefault(run, {}).setdefault(series.key, series)
    digest = digest_of([sha256_of(chart.path).encode() for chart in charts])
    return [
        LoggedRun(
            label=f"{before}{run}",
            source=listed((chart.path.name for chart in charts), 2),
            sha256=digest,
            series=tuple(series.values()),
            notes=(*notes, *_notes(charts)),
        )
        for run, series in found.items()
    ]
