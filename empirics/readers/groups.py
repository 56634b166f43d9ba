"""The rows of each run and observable of a table, and the conditions of each run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from empirics.curve_set import Rejected
from empirics.notes import counted, listed
from empirics.readers.cells import Setting, kept_as_text, settings
from empirics.readers.columns import Columns
from empirics.readers.names import SEED

Ledger = Mapping[str, bool | int | float | str]


@final
@dataclass(frozen=True, eq=False)
class Group:
    """Rows of one run and, in a long table, of one observable.

    Attributes
    ----------
    label : str
        The run's.
    observable : str
        The word of the row; empty in a wide table.
    rows : (n,) array
        Their numbers, in the order of the file.
    ledger : mapping
        Conditions of the run.
    """

    label: str
    observable: str
    rows: NDArray[np.int64]
    ledger: Ledger = field(default_factory=dict)


def groups_of(
    table: pl.DataFrame, columns: Columns, name: str
) -> tuple[list[Group], list[Rejected], list[str]]:
    """Return the groups in the order of the file, the rows of no group, and notes.

    `name` labels the run of a table without a column of runs.
    """
    by = [part for part in (columns.run, columns.observable) if part is not None]
    said = table.select(pl.col(part).cast(pl.String).alias(part) for part in by)
    said = said.with_row_index("\0row")
    what = {columns.observable: "an observable", columns.run: "a run"}
    loose = [
        Rejected("", "", f"{counted(n, 'row')} without {what[part]} (column {part!r} is empty).")
        for part in by
        if (n := said[part].null_count())
    ]
    ledgers, notes = _ledgers(table, columns)
    if not by:
        return [Group(name, "", np.arange(table.height), ledgers.get(None, {}))], [], notes
    found = said.drop_nulls(by).group_by(by, maintain_order=True).agg("\0row")
    groups = []
    for row in found.iter_rows(named=True):
        run = None if columns.run is None else row[columns.run]
        observable = "" if columns.observable is None else row[columns.observable]
        index = np.asarray(row["\0row"], dtype=np.int64)
        groups.append(Group(_label(run, columns, name), observable, index, ledgers.get(run, {})))
    return groups, loose, notes


def _label(run: str | None, columns: Columns, name: str) -> str:
    if run is None or columns.run is None:
        return name
    # A bare number says little: "seed 3" reads better, and sorts with its like.
    return f"{SEED} {run}" if columns.run.lower() == SEED else run


def _ledgers(table: pl.DataFrame, columns: Columns) -> tuple[dict[str | None, Ledger], list[str]]:
    """Return the conditions of each run, by what its cell says, and notes on how they were read."""
    names = list(columns.conditions)
    if columns.run is not None and columns.run.lower() == SEED:
        names.append(columns.run)
    if not names:
        return {}, []
    read = {name: settings(table[name]) for name in names}
    first = [pl.col(name).drop_nulls().first().alias(f"\0{name}") for name in names]
    if columns.run is None:
        per_run = table.select(first).with_columns(pl.lit(None, pl.String).alias("\0"))
    else:
        run = pl.col(columns.run).cast(pl.String).alias("\0")
        per_run = table.group_by(run, maintain_order=True).agg(first)
    ledgers: dict[str | None, Ledger] = {}
    for row in per_run.iter_rows(named=True):
        values = {name: read[name].get(row[f"\0{name}"]) for name in names}
        ledgers[row["\0"]] = {k: v for k, v in values.items() if v is not None}
    return ledgers, _notes(read)


def _notes(read: Mapping[str, Mapping[Any, Setting]]) -> list[str]:
    kept = {name: cells for name, each in read.items() if (cells := kept_as_text(each))}
    nothing = [name for name, each in read.items() if all(v is None for v in each.values())]
    notes = []
    if kept:
        examples = listed(f"{name} ({cells[0]!r})" for name, cells in kept.items())
        notes.append(
            f"{counted(len(kept), 'condition')} kept as text, since a number would not say the "
            f"same: {examples}."
        )
    if nothing:
        notes.append(f"{counted(len(nothing), 'column')} ignored (NaN alone): {listed(nothing)}.")
    return notes
