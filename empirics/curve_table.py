"""Files of logged curves: one long table, with a header a curve in its metadata.

The rows of a curve lie together, the curves of an observable one after the other, in row groups
of `ROW_GROUP` rows; the metadata say how many rows each curve has and what they hash to. So one
observable is one stretch of the file, one run a few short ones, and what is read is checked
without the rest. Files of the first versions have headers only, and are read whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import polars as pl

from empirics.curve_set import Rejected
from empirics.header import KEY, Header, check_header, header_of, key_of
from empirics.logged import COLUMNS, Logged, logged
from empirics.parquet import read_metadata, read_parquet, read_slices, write_parquet

HEADERS, INDEX = "ontogeny.curves", "ontogeny.index"
SORTED = ("observable", "progress", "run_id")
ROW_GROUP = 100_000
LEVEL = 2
"""Of zstd: on noisy curves as small as its default, 3, and quicker."""
SCHEMA = pl.Schema(
    {
        "run_id": pl.String,
        "observable": pl.String,
        "progress": pl.String,
        "t": pl.Float64,
        "y": pl.Float64,
        "y_se": pl.Float64,
        "n_trials": pl.Int64,
    }
)


@final
@dataclass(frozen=True)
class Entry:
    """One curve of a file.

    Attributes
    ----------
    header : Header
    start, n_rows : int
        Where its rows lie.
    digest : str
        `Logged.digest`; empty in a file of the first versions, which does not say where the
        rows lie.
    """

    header: Header
    start: int = 0
    n_rows: int = 0
    digest: str = ""


@final
@dataclass(frozen=True, eq=False)
class Table:
    """What goes into a file: the rows of curves, their headers, and where their rows lie."""

    rows: pl.DataFrame
    headers: list[Header]
    index: dict[str, list[Any]]


def table_of(curves: Iterable[Logged]) -> Table:
    """Return the rows of curves as one sorted long table, with their headers.

    Raises
    ------
    ValueError
        If two different curves share run_id, observable and progress axis: their rows
        could not be told apart.
    """
    by_key: dict[tuple[str, ...], Logged] = {}
    for each in curves:
        if by_key.setdefault(key_of(header_of(each.curve)), each).digest != each.digest:
            raise ValueError(
                f"two different curves of {each.curve.observable!r} share the run_id "
                f"{each.curve.run_id!r}; give each run its own run_id."
            )
    ordered = sorted(by_key.values(), key=lambda each: _place(each))
    headers = [header_of(each.curve) for each in ordered]
    index: dict[str, list[Any]] = {
        "rows": [each.rows.height for each in ordered],
        "digests": [each.digest for each in ordered],
    }
    return Table(_long(ordered, headers), headers, index)


def _place(each: Logged) -> tuple[str, ...]:
    return tuple(str(getattr(each.curve, name)) for name in SORTED)


def _long(curves: Sequence[Logged], headers: Sequence[Header]) -> pl.DataFrame:
    if not curves:
        return pl.DataFrame(schema=SCHEMA)
    n_rows = [each.rows.height for each in curves]
    of = pl.Series(np.repeat(np.arange(len(curves), dtype=np.uint32), n_rows))
    keys = pl.DataFrame({name: [header[name] for header in headers] for name in KEY})
    # Written as a dictionary, which is what a Parquet file makes of texts that repeat: to find
    # that out again from millions of them takes longer than to write the numbers.
    keys = keys.cast(pl.Categorical).select(pl.all().gather(of))
    rows = pl.concat([each.rows for each in curves], how="diagonal_relaxed", rechunk=False)
    empty = [pl.lit(None).alias(name) for name in COLUMNS if name not in rows.columns]
    points = rows.with_columns(empty).cast({name: SCHEMA[name] for name in COLUMNS})
    return keys.hstack(points).select(SCHEMA.names())


def logged_of(table: pl.DataFrame, headers: Sequence[Header]) -> list[Logged]:
    """Return the curves of a table and its headers.

    Raises
    ------
    ValueError
        If the table has other columns, headers and rows do not belong together, or the rows
        of a header cannot be a curve.
    """
    table = table.with_columns(pl.col(pl.Categorical).cast(pl.String))
    if table.schema != SCHEMA:
        raise ValueError(f"its columns are {', '.join(table.columns)}")
    parts = table.partition_by(KEY, as_dict=True, maintain_order=True)
    if len(parts) != len(headers) or set(parts) != {key_of(header) for header in headers}:
        raise ValueError("its headers and its rows are of different curves")
    found = [_one(parts[key_of(header)], header) for header in headers]
    rejected = next((each for each in found if isinstance(each, Rejected)), None)
    if rejected is not None:
        raise ValueError(str(rejected))
    return [each for each in found if isinstance(each, Logged)]


def _one(part: pl.DataFrame, header: Header) -> Logged | Rejected:
    return logged(header, _known(part.select(COLUMNS)))


def _known(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the columns that hold anything."""
    empty = [each.name for each in rows if each.null_count() == rows.height]
    return rows.drop(empty) if empty else rows


def digest_of(curves: Iterable[Logged]) -> str:
    """Return the hash of what a file of these curves says, its name."""
    return _name_of(each.digest for each in curves)


def write_table(path: Path, table: Table) -> None:
    """Write what `table_of` made."""
    metadata = {
        HEADERS: json.dumps(table.headers, sort_keys=True),
        INDEX: json.dumps(table.index),
    }
    write_parquet(path, table.rows, metadata, level=LEVEL, row_group_size=ROW_GROUP)


def read_entries(path: Path) -> list[Entry]:
    """Return what a file says of its curves.

    Raises
    ------
    ValueError
        If the file is damaged, no file of curves, or says to hold others than its name.
    """
    metadata = read_metadata(path)
    try:
        headers = json.loads(metadata.get(HEADERS, "null"))
        if not isinstance(headers, list):
            raise ValueError("it has no list of curve headers")
        headers = [check_header(header) for header in headers]
        index = json.loads(metadata[INDEX]) if INDEX in metadata else None
        entries = (
            [Entry(header) for header in headers] if index is None else _entries(headers, index)
        )
    except ValueError as error:
        raise ValueError(f"{path} was not written by a store: {error}.") from None
    if index is not None and _name_of(index["digests"]) != path.stem:
        raise ValueError(_changed(path))
    return entries


def _entries(headers: Sequence[Header], index: Any) -> list[Entry]:
    try:
        rows, digests = [int(n) for n in index["rows"]], [str(each) for each in index["digests"]]
    except (TypeError, KeyError, ValueError):
        raise ValueError("its index has no rows and digests") from None
    if not len(headers) == len(rows) == len(digests) or min(rows, default=1) < 1:
        raise ValueError("its headers and its index are of different curves")
    starts = np.cumsum([0, *rows]).tolist()
    return [Entry(*each) for each in zip(headers, starts[:-1], rows, digests, strict=True)]


def read_logged(path: Path) -> list[Logged]:
    """Return the curves of a file, once its content is what its name says.

    Raises
    ------
    ValueError
        If the file is damaged, no file of curves, or was changed after it was written.
    """
    entries, table = read_entries(path), read_parquet(path)
    try:
        found = logged_of(table, [entry.header for entry in entries])
    except ValueError as error:
        reason = str(error).rstrip(".")
        raise ValueError(f"{path} was not written by a store: {reason}.") from None
    if digest_of(found) != path.stem:
        raise ValueError(_changed(path))
    return found


def read_some(path: Path, entries: Sequence[Entry]) -> list[Logged]:
    """Return some curves of a file, each once its rows hash to what the file says.

    Raises
    ------
    ValueError
        As `read_logged`.
    """
    if not all(entry.digest for entry in entries):
        keys = {key_of(entry.header) for entry in entries}
        return [each for each in read_logged(path) if key_of(header_of(each.curve)) in keys]
    found: list[Logged] = []
    stretches = _stretches(entries)
    spans = [(of[0].start, of[-1].start + of[-1].n_rows - of[0].start) for of in stretches]
    for of, rows in zip(stretches, read_slices(path, COLUMNS, spans), strict=True):
        known = _known(rows)
        for entry in of:
            part = known.slice(entry.start - of[0].start, entry.n_rows)
            found.append(_checked(path, entry, part))
    return found


def _stretches(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Take curves together that are read in one go, since less than a row group lies between."""
    stretches: list[list[Entry]] = []
    end = -ROW_GROUP
    for entry in sorted(entries, key=lambda entry: entry.start):
        if entry.start - end >= ROW_GROUP:
            stretches.append([])
        stretches[-1].append(entry)
        end = entry.start + entry.n_rows
    return stretches


def _checked(path: Path, entry: Entry, rows: pl.DataFrame) -> Logged:
    known = _known(rows)
    one = logged(entry.header, known) if {"t", "y"} <= set(known.columns) else None
    if not isinstance(one, Logged) or one.digest != entry.digest:
        raise ValueError(_changed(path))
    return one


def _name_of(digests: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(set(digests))).encode()).hexdigest()


def _changed(path: Path) -> str:
    return (
        f"{path} does not hold what its name says: it was changed after it was written; "
        "copy it anew from where it came, or remove it."
    )
