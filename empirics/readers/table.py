"""Read curves from a CSV, TSV or Parquet table, long or wide."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from empirics.curve_set import CurveSet, Rejected
from empirics.curve_table import Header, curve_from
from empirics.provenance import sha256_of
from empirics.readers.cells import Cells, cells_of, open_table, scalar
from empirics.readers.columns import Columns, Value, columns_of, no_such
from theory.curve import Curve, Progress


def read_table(
    path: Path,
    *,
    t: str | None = None,
    y: str | Sequence[str] | None = None,
    run: str | None = None,
    observable: str | None = None,
    progress: Progress | None = None,
) -> CurveSet:
    """Read every curve of a table.

    A long table has a column of values (named by `y`, or called ``y`` or ``value``), and
    columns that tell runs and observables apart; its columns with one value a run become
    conditions. In a wide table every column of numbers is a curve. Empty cells are left out
    and counted; equal neighboring t are merged and counted; a cell that says NaN, t that
    goes back, and a cell that is no number each reject their curve only.

    Parameters
    ----------
    path : Path
    t, y, run, observable, progress
        As in `empirics.readers.read_curves`.

    Returns
    -------
    CurveSet

    Raises
    ------
    ValueError
        If the file is no table, a named column is missing, or nothing can be a curve.
    """
    table = open_table(path)
    cells = {name: cells_of(table[name]) for name in table.columns}
    chosen = [] if y is None else [y] if isinstance(y, str) else list(y)
    # A column of words tells observables apart; anything else names the one to read.
    is_column = observable in cells and not cells[observable].is_numeric
    columns = columns_of(
        table,
        cells,
        path.name,
        t=t,
        y=chosen,
        run=run,
        observable=observable if is_column else None,
        progress=progress,
    )
    if not cells[columns.t].is_numeric:
        first = next(iter(table[columns.t].drop_nulls()), "")
        raise ValueError(f"column {columns.t!r} of {path.name} is not numbers; it says {first!r}.")
    found = _read(path, table, cells, columns)
    return found if observable is None or is_column else only(found, observable, path.name)


def only(found: CurveSet, observable: str, place: str) -> CurveSet:
    """Keep one observable of what was read.

    Raises
    ------
    ValueError
        If it is not there; the nearest are offered.
    """
    names = {curve.observable for curve in found.curves} | {r.observable for r in found.rejected}
    if observable not in names:
        raise ValueError(no_such("observable", observable, place, names))
    return CurveSet(
        tuple(curve for curve in found.curves if curve.observable == observable),
        tuple(r for r in found.rejected if r.observable == observable),
        found.notes,
    )


def _read(
    path: Path, table: pl.DataFrame, cells: Mapping[str, Cells], columns: Columns
) -> CurveSet:
    digest = sha256_of(path)
    curves: list[Curve] = []
    rejected: list[Rejected] = []
    notes = _renamed(table) + list(columns.notes)
    empty: dict[str, int] = {}
    for label, observable, rows in _groups(path, table, columns):
        conditions = _conditions(table, columns, rows)
        for value in columns.values:
            header = _header(value, columns, value.run or label, observable, conditions, digest)
            name = f"{header['observable']} of {header['run']}"
            result, n_empty = _curve(header, rows, value, cells, columns, table)
            if n_empty:
                empty[name] = n_empty
            if isinstance(result, Rejected):
                rejected.append(result)
            else:
                curves.append(result[0])
                notes.extend(result[1])
    if empty:
        total, shown = sum(empty.values()), [f"{k} ({n})" for k, n in list(empty.items())[:6]]
        more = f" and {len(empty) - 6} more" if len(empty) > 6 else ""
        cell = "cell" if total == 1 else "cells"
        notes.append(f"{total} empty {cell} left out: {', '.join(shown)}{more}.")
    return CurveSet(tuple(curves), tuple(rejected), tuple(notes))


def _renamed(table: pl.DataFrame) -> list[str]:
    twice = [name for name in table.columns if "_duplicated_" in name]
    if not twice:
        return []
    return [f"{len(twice)} columns share a name with another: read as {', '.join(twice[:6])}."]


def _groups(
    path: Path, table: pl.DataFrame, columns: Columns
) -> list[tuple[str, str | None, NDArray[np.int64]]]:
    """Return (label of the run, observable, rows) of each group of rows, in file order."""
    by = [name for name in (columns.run, columns.observable) if name is not None]
    if not by:
        return [(path.stem, None, np.arange(table.height))]
    keys = table.select(pl.col(by).cast(pl.String).fill_null(""))
    keys = keys.rename(dict(zip(by, ("a", "b"), strict=False))).with_row_index("row")
    groups = []
    names = ["a", "b"][: len(by)]
    for row in keys.group_by(names, maintain_order=True).agg("row").iter_rows(named=True):
        said = dict(zip(by, (row[name] for name in names), strict=True))
        label = path.stem
        if columns.run is not None:
            label = said[columns.run] or "(no label)"
            # A bare number says little: "seed 3" reads better, and sorts with its like.
            if columns.run.lower() == "seed":
                label = f"seed {label}"
        observable = None if columns.observable is None else said[columns.observable]
        groups.append((label, observable, np.asarray(row["row"], dtype=np.int64)))
    return groups


def _conditions(
    table: pl.DataFrame, columns: Columns, rows: NDArray[np.int64]
) -> dict[str, bool | int | float | str]:
    names = list(columns.conditions)
    if columns.run is not None and columns.run.lower() == "seed":
        names.append(columns.run)
    part = table[rows].select(names)
    said = {name: scalar(next(iter(part[name].drop_nulls()), None)) for name in names}
    return {name: value for name, value in said.items() if value is not None}


def _header(
    value: Value,
    columns: Columns,
    label: str,
    observable: str | None,
    conditions: Mapping[str, Any],
    digest: str,
) -> Header:
    return {
        "run_id": hashlib.sha256(f"{digest}:{label}".encode()).hexdigest()[:16],
        "observable": observable or value.observable,
        "progress": str(columns.progress),
        "run": label,
        "unit": "",
        "window": None,
        "origin": "logged",
        "support": None,
        "conditions": dict(conditions),
    }


def _curve(
    header: Header,
    rows: NDArray[np.int64],
    value: Value,
    cells: Mapping[str, Cells],
    columns: Columns,
    table: pl.DataFrame,
) -> tuple[tuple[Curve, list[str]] | Rejected, int]:
    """Make the curve of one column over some rows; count the empty cells left out."""
    empty = cells[columns.t].missing[rows] | cells[value.column].missing[rows]
    n_empty, rows = int(empty.sum()), rows[~empty]
    if not rows.size:
        return Rejected(header["run"], header["observable"], "every cell is empty."), 0
    for name in (columns.t, value.column):
        wrong = rows[cells[name].wrong[rows]]
        if wrong.size:
            said = table[name][int(wrong[0])]
            reason = f"{said!r} in row {wrong[0] + 1} of column {name!r} is not a number."
            return Rejected(header["run"], header["observable"], reason), n_empty
    points = {"t": cells[columns.t].values[rows], "y": cells[value.column].values[rows]}
    notes = []
    for name, column in (("y_se", value.y_se), ("n_trials", value.n_trials)):
        if column is None:
            continue
        if (cells[column].missing | cells[column].wrong)[rows].any():
            notes.append(
                f"{header['observable']} of {header['run']}: {column!r} has empty cells or words "
                "and is left out."
            )
        else:
            points[name] = cells[column].values[rows]
    result = curve_from(header, points)
    if isinstance(result, Rejected):
        return result, n_empty
    return (result[0], notes + result[1]), n_empty
