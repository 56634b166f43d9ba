"""Read curves from a CSV, TSV, Parquet or JSON-lines table, long or wide.

What each column is stands in `empirics.readers.columns`. Then, for each run, observable and column
of values:

1. Rows without a run or an observable are rejected, rows without t or a value left out; all are
   counted and named.
2. A cell that is no number, NaN, and whole t that float64 does not tell apart reject their curve,
   and no other.
3. Rows in which t goes back, and rows at one t that a column of words tells apart, are of several
   runs: rejected, with the column to name (`empirics.readers.mixing`).
4. All other rows are kept for the store as they are. In the curve, a row that repeats another
   exactly counts once, and rows at one t are merged into their mean; both are counted
   (`empirics.logged`).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from empirics.curve_set import CurveSet, Rejected, gathered
from empirics.header import Header
from empirics.logged import Logged, distinct, logged
from empirics.notes import counted, listed, tally
from empirics.provenance import sha256_of, versions_of
from empirics.readers.aliases import observables_of
from empirics.readers.cells import Cells, cells_of, why_no_number
from empirics.readers.columns import Columns, Named, Value, columns_of
from empirics.readers.groups import Group, groups_of
from empirics.readers.mixing import why_not_one_run
from empirics.readers.names import no_such
from empirics.readers.opening import open_table
from empirics.run_record import RunRecord
from theory.curve import EXACT, Progress

N_SAMPLED = 500
SAMPLED = (
    f"{N_SAMPLED} rows over _step: as many as W&B's history() gives of a longer run, a sample; "
    "scan_history() gives all."
)


@final
@dataclass(frozen=True, eq=False)
class Table:
    """A table, its cells read as numbers, the part each column plays, and the field's names."""

    path: Path
    digest: str
    frame: pl.DataFrame
    cells: Mapping[str, Cells]
    columns: Columns
    names: Mapping[str, str]


@final
@dataclass(frozen=True, eq=False)
class Reading:
    """What reading one column over the rows of a group gave.

    Attributes
    ----------
    found : Logged or Rejected
    n_empty : int
        Rows with a t and no value, which were left out.
    left_out : tuple of str
        Columns of errors or trials that could not be read.
    """

    found: Logged | Rejected
    n_empty: int = 0
    left_out: tuple[str, ...] = ()

    @property
    def observable(self) -> str:
        """Return what was observed."""
        found = self.found
        return found.observable if isinstance(found, Rejected) else found.curve.observable


def read_table(
    path: Path,
    *,
    t: str | None = None,
    y: Sequence[str] = (),
    run: str | None = None,
    observable: str | None = None,
    progress: Progress | None = None,
    label: str = "",
) -> CurveSet:
    """Read every curve of a table.

    Parameters
    ----------
    path : Path
    t, y, run, observable, progress
        As in `empirics.readers.read_curves`.
    label : str
        The run of a table without a column of runs; the file's name where not given.

    Returns
    -------
    CurveSet

    Raises
    ------
    ValueError
        If the file is no table, a named column is missing, or nothing can be a curve.
    """
    frame, fault = open_table(path)
    cells = {name: cells_of(frame[name]) for name in frame.columns}
    # A column of words tells observables apart; anything else is the one observable to read.
    is_column = observable in cells and not cells[observable].is_numeric
    named = Named(t, tuple(dict.fromkeys(y)), run, observable if is_column else None, progress)
    columns = columns_of(frame, cells, str(path), named)
    groups, loose, notes = groups_of(frame, columns, label or path.stem)
    names = _names(frame, groups)
    table = Table(path, sha256_of(path), frame, cells, columns, names)
    readings = [_read(table, group, value) for group in groups for value in columns.values]
    if observable is not None and not is_column:
        readings = _only(table, readings, observable)
    return gathered(
        [*(reading.found for reading in readings), *loose],
        [*([f"{fault}."] if fault else []), *columns.notes, *notes, *_notes(table, readings)],
        _runs(table, groups, readings),
    )


def _names(frame: pl.DataFrame, groups: Sequence[Group]) -> dict[str, str]:
    """Return the field's name of each key: a column, or a word."""
    return observables_of(dict.fromkeys([*frame.columns, *(group.observable for group in groups)]))


def _only(table: Table, readings: Sequence[Reading], observable: str) -> list[Reading]:
    """Keep one observable."""
    name = table.names.get(observable, observable)
    kept = [reading for reading in readings if reading.observable == name]
    if observable in table.cells and not any(isinstance(each.found, Logged) for each in kept):
        raise ValueError(
            f"column {observable!r} of {table.path} holds numbers, and cannot tell observables "
            "apart: name a column of words, one of its words, or one column of values."
        )
    if not kept:
        names = {reading.observable for reading in readings}
        raise ValueError(no_such("observable", observable, str(table.path), names))
    return kept


def _read(table: Table, group: Group, value: Value) -> Reading:
    """Read one column of values over the rows of a group."""
    header = _header(table, group, value)
    t, y = table.cells[table.columns.t], table.cells[value.column]
    rows = group.rows[~t.missing[group.rows]]
    empty = y.missing[rows]
    rows, n_empty = rows[~empty], int(empty.sum())
    if not rows.size:
        return Reading(Rejected(header["run"], header["observable"], "every cell is empty."))
    reason = _wrong_cell(table, rows, value.column) or _not_told_apart(table, rows)
    beside, left_out = _beside(table, value, rows)
    points = {"t": t.values[rows], "y": y.values[rows], **beside}
    advice = ""
    if not reason and np.isfinite(points["t"]).all():
        reason, advice = why_not_one_run(
            table.frame, table.columns, value.column, rows, points["t"], distinct(points)
        )
    if reason:
        found: Logged | Rejected = Rejected(header["run"], header["observable"], reason)
    else:
        found = logged(header, pl.DataFrame(points), advice)
    return Reading(found, n_empty, left_out)


def _beside(
    table: Table, value: Value, rows: NDArray[np.int64]
) -> tuple[dict[str, NDArray[np.float64]], tuple[str, ...]]:
    """Return the errors and trials of some rows, and the columns of them that are not whole."""
    columns = {"y_se": value.y_se, "n_trials": value.n_trials}
    cells = {name: table.cells[column] for name, column in columns.items() if column}
    whole = {name: not (each.missing | each.wrong)[rows].any() for name, each in cells.items()}
    points = {name: each.values[rows] for name, each in cells.items() if whole[name]}
    return points, tuple(columns[name] or "" for name in cells if not whole[name])


def _header(table: Table, group: Group, value: Value) -> Header:
    ledger = {name: said for name, said in group.ledger.items() if name != value.column}
    key = "/".join(part for part in (group.observable, value.observable) if part)
    return {
        "run_id": _run_id(table, group.label),
        "observable": table.names.get(key, key),
        "progress": str(table.columns.progress),
        "run": group.label,
        "unit": "",
        "window": None,
        "origin": "logged",
        "support": None,
        "conditions": ledger,
    }


def _settings(table: Table) -> dict[str, str | None]:
    """Return the columns that decide which rows are a run's, and when."""
    columns = table.columns
    return {"t": columns.t, "run": columns.run, "observable": columns.observable}


def _keys(table: Table) -> dict[str, dict[str, str]]:
    """Return the library's keys of the observables that go by the field's names."""
    keys = {name: key for key, name in table.names.items() if name != key}
    return {"keys": keys} if keys else {}


def _run_id(table: Table, label: str) -> str:
    """Return the hash of the file's content and of how it was read.

    One file has as many progress axes as columns to count by: the same rows over another t are
    another series, and must never be woven into the first.
    """
    content = json.dumps([table.digest, label, _settings(table)], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _wrong_cell(table: Table, rows: NDArray[np.int64], column: str) -> str:
    for name in (table.columns.t, column):
        wrong = rows[table.cells[name].wrong[rows]]
        if wrong.size:
            said = table.frame[name][int(wrong[0])]
            return (
                f"{str(said)!r} in row {wrong[0] + 1} of column {name!r} is not a number"
                f"{why_no_number(said)}."
            )
    return ""


def _not_told_apart(table: Table, rows: NDArray[np.int64]) -> str:
    name = table.columns.t
    t = table.cells[name].values[rows]
    if not (np.abs(t) >= EXACT).any() or np.unique(t).size == table.frame[name][rows].n_unique():
        return ""
    return (
        f"column {name!r} reaches {t.max():.6g}, and beyond 2**53 = {EXACT:.0f} different whole "
        "numbers become one; subtract the first from all."
    )


def _runs(table: Table, groups: Sequence[Group], readings: Sequence[Reading]) -> list[RunRecord]:
    """Return what is known of the runs that gave a curve."""
    ledgers = {group.label: group.ledger for group in groups}
    curves = [each.found.curve for each in readings if isinstance(each.found, Logged)]
    labels = {curve.run_id: curve.run for curve in curves}
    versions = versions_of(("ontogeny", "polars"))
    return [
        RunRecord(
            label,
            run_id,
            source=table.path.name,
            sha256=table.digest,
            versions=versions,
            config={**_settings(table), **_keys(table)},
            conditions=ledgers.get(label, groups[0].ledger),
        )
        for run_id, label in labels.items()
    ]


def _notes(table: Table, readings: Sequence[Reading]) -> list[str]:
    notes = [SAMPLED] if _may_be_sampled(table.frame) else []
    n_without_t = int(table.cells[table.columns.t].missing.sum())
    if n_without_t:
        column = table.columns.t
        notes.append(
            f"{counted(n_without_t, 'row')} left out: the column {column!r} is empty there."
        )
    empty = Counter[str]()
    left_out: dict[str, list[str]] = {}
    for reading in readings:
        name = reading.found.name
        empty[name] += reading.n_empty
        for column in reading.left_out:
            left_out.setdefault(column, []).append(name)
    if +empty:
        notes.append(f"{counted(empty.total(), 'empty cell')} left out: {tally(+empty)}.")
    for column, names in left_out.items():
        notes.append(
            f"column {column!r} has empty cells or words, and is left out of {listed(names)}."
        )
    return notes


def _may_be_sampled(frame: pl.DataFrame) -> bool:
    """Tell whether a table is as long as W&B's samples, with steps left out between its rows."""
    if frame.height != N_SAMPLED or not {"_step", "_timestamp"} <= set(frame.columns):
        return False
    steps = cells_of(frame["_step"]).values
    return bool(np.nanmax(steps) - np.nanmin(steps) >= N_SAMPLED)
