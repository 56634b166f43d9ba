"""Curves of a store as one long table, CSV or Parquet, for other programs; `import` reads it back.

One row a logged row: ``run``, ``observable``, the progress axis under its own name (``t`` where
nobody said what it counts), ``y``, ``y_se`` and ``n_trials`` where any curve has them, and a
column a condition. Rows pass through in portions, so a store may be larger than the memory.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from empirics.atomically import write_atomically
from empirics.curve_table import SCHEMA, Entry
from empirics.header import header_of, key_of
from empirics.logged import COLUMNS, Logged
from empirics.notes import counted, listed
from empirics.store import PORTION, Store
from theory.curve import Progress

OWN = ("run", "observable", "y", "y_se", "n_trials")
ALWAYS = ("t", "y")
Keys = tuple[str, ...]


def export_table(
    store: Store,
    path: Path,
    *,
    observable: Collection[str] | None = None,
    where: str | None = None,
    rows: int = PORTION,
) -> list[str]:
    """Write the curves that fulfil a condition to a ``.csv`` or ``.parquet`` file.

    Parameters
    ----------
    store : Store
    path : Path
    observable, where
        As of `Store.curves`.
    rows : int
        Rows that are held in memory at a time.

    Returns
    -------
    list of str
        What was left out, and what a table cannot say.

    Raises
    ------
    ValueError
        If no curve fulfils the condition, or the curves count on several progress axes.
    """
    entries, _ = store.headers(observable, where=where)
    axis = axis_of([entry.header["progress"] for entry in entries.values()], where)
    labels, ledger = labels_of(entries), _ledger(entries, axis)
    notes: list[str] = []
    known = set(ALWAYS)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".export-") as folder:
        parts: list[Path] = []
        for portion in store.portions(observable, where=where, rows=rows):
            notes += portion.notes
            known |= {name for each in portion.logged for name in each.rows.columns}
            parts.append(Path(folder, f"{len(parts)}.parquet"))
            _long(portion.logged, labels, ledger).write_parquet(parts[-1])
        points = [
            pl.col(name).alias(axis if name == "t" else name) for name in COLUMNS if name in known
        ]
        table = pl.scan_parquet(parts).select("run", "observable", *points, *ledger.columns[3:])
        sink = table.sink_csv if path.suffix == ".csv" else table.sink_parquet
        write_atomically(path, lambda temporary: sink(temporary))
    scheduled = [name for name in ledger.columns[3:] if name in _scheduled(entries)]
    if scheduled:
        notes.append(
            f"{counted(len(scheduled), 'condition')} that drift stand as JSON texts: "
            f"{listed(scheduled)}."
        )
    return list(dict.fromkeys(notes))


def axis_of(progresses: Sequence[str], where: str | None) -> str:
    """Return the column name of the one progress axis.

    Raises
    ------
    ValueError
        If there is no curve, or there are several axes.
    """
    axes = sorted(set(progresses))
    if not axes:
        raise ValueError(f"no curve fulfils {where}." if where else "there is no curve here.")
    if len(axes) > 1:
        raise ValueError(
            f"the curves count on several progress axes, {', '.join(axes)}; choose one: "
            f'--where "progress = {axes[0]}".'
        )
    return "t" if axes[0] == Progress.UNSPECIFIED else axes[0]


def labels_of(entries: Mapping[Keys, Entry]) -> dict[str, str]:
    """Return a name for each run_id: its label, with the run_id where runs share one."""
    labels = {key[0]: entry.header["run"] or key[0] for key, entry in entries.items()}
    shared = Counter(labels.values())
    return {i: f"{name} {i}" if shared[name] > 1 else name for i, name in labels.items()}


def _ledger(entries: Mapping[Keys, Entry], axis: str) -> pl.DataFrame:
    """Return the conditions of each curve: its key, then a column a condition, of one type each."""
    names = sorted({name for entry in entries.values() for name in entry.header["conditions"]})
    columns: dict[str, Any] = {
        name: [key[i] for key in entries] for i, name in enumerate(("\0run_id", "\0of", "\0axis"))
    }
    for name in names:
        values = [entry.header["conditions"].get(name) for entry in entries.values()]
        own = f"condition.{name}" if name in (*OWN, axis) else name
        columns[own] = _of_one_type(values)
    return pl.DataFrame(columns)


def _of_one_type(values: Sequence[Any]) -> pl.Series:
    types = {type(value) for value in values if value is not None}
    small = all(abs(v) < 2**63 for v in values if type(v) is int)
    if types <= {int, float} and small:
        return pl.Series(values, dtype=pl.Int64 if types == {int} else pl.Float64, strict=False)
    if types == {bool}:
        return pl.Series(values, dtype=pl.Boolean)
    return pl.Series([_as_text(value) for value in values], dtype=pl.String)


def _as_text(value: Any) -> str | None:
    if isinstance(value, dict):
        return json.dumps(value)
    return None if value is None else str(value)


def _scheduled(entries: Mapping[Keys, Entry]) -> set[str]:
    return {
        name
        for entry in entries.values()
        for name, value in entry.header["conditions"].items()
        if isinstance(value, dict)
    }


def _long(
    curves: Sequence[Logged], labels: Mapping[str, str], ledger: pl.DataFrame
) -> pl.DataFrame:
    at = {key: i for i, key in enumerate(ledger.select(ledger.columns[:3]).iter_rows())}
    keys = [key_of(header_of(each.curve)) for each in curves]
    n_rows = [each.rows.height for each in curves]
    of = np.repeat(np.arange(len(curves), dtype=np.uint32), n_rows)
    names = pl.DataFrame(
        {"run": [labels[key[0]] for key in keys], "observable": [key[1] for key in keys]},
        schema={"run": pl.String, "observable": pl.String},
    )
    said = ledger[[at[key] for key in keys]].select(ledger.columns[3:])
    points = [each.rows for each in curves] or [
        pl.DataFrame(schema={name: pl.Float64 for name in ALWAYS})
    ]
    table = pl.concat(points, how="diagonal_relaxed")
    empty = [pl.lit(None).alias(name) for name in COLUMNS if name not in table.columns]
    types = pl.Schema({name: SCHEMA[name] for name in COLUMNS})
    return names.hstack(said)[of].hstack(table.with_columns(empty).select(COLUMNS).cast(types))
