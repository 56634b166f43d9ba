"""Files of logged curves: one long table, with a header a curve in its metadata."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from empirics.curve_set import Rejected
from empirics.header import KEY, Header, check_header, header_of, key_of
from empirics.logged import COLUMNS, Logged, logged
from empirics.parquet import read_metadata, read_parquet, write_parquet

HEADERS = "ontogeny.curves"
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


def table_of(curves: Iterable[Logged]) -> tuple[pl.DataFrame, list[Header]]:
    """Return the rows of curves as one sorted long table, and their headers.

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
    ordered = [by_key[key] for key in sorted(by_key)]
    headers = [header_of(each.curve) for each in ordered]
    frames = [_long(each, header) for each, header in zip(ordered, headers, strict=True)]
    return pl.concat(frames) if frames else pl.DataFrame(schema=SCHEMA), headers


def _long(each: Logged, header: Header) -> pl.DataFrame:
    key = [pl.lit(header[name]).alias(name) for name in KEY]
    empty = [pl.lit(None).alias(name) for name in COLUMNS if name not in each.rows.columns]
    return each.rows.with_columns(*key, *empty).select(SCHEMA.names()).cast(SCHEMA)


def logged_of(table: pl.DataFrame, headers: Sequence[Header]) -> list[Logged]:
    """Return the curves of a table and its headers.

    Raises
    ------
    ValueError
        If the table has other columns, headers and rows do not belong together, or the rows
        of a header cannot be a curve.
    """
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
    known = [name for name in COLUMNS if part[name].null_count() < part.height]
    return logged(header, {name: part[name].to_numpy() for name in known})


def digest_of(curves: Iterable[Logged]) -> str:
    """Return the hash of what a file of these curves says, its name."""
    digests = sorted({each.digest for each in curves})
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def write_table(path: Path, table: pl.DataFrame, headers: Sequence[Header]) -> None:
    """Write what `table_of` made."""
    metadata = {HEADERS: json.dumps(headers, sort_keys=True)}
    write_parquet(path, table, metadata)


def read_headers(path: Path) -> list[Header]:
    """Return the headers of a file of curves.

    Raises
    ------
    ValueError
        If the file is damaged, or no file of curves.
    """
    metadata = read_metadata(path)
    try:
        headers = json.loads(metadata.get(HEADERS, "null"))
        if not isinstance(headers, list):
            raise ValueError("it has no list of curve headers")
        return [check_header(header) for header in headers]
    except ValueError as error:
        raise ValueError(f"{path} was not written by a store: {error}.") from None


def read_logged(path: Path) -> list[Logged]:
    """Return the curves of a file, once its content is what its name says.

    Raises
    ------
    ValueError
        If the file is damaged, no file of curves, or was changed after it was written.
    """
    headers, table = read_headers(path), read_parquet(path)
    try:
        found = logged_of(table, headers)
    except ValueError as error:
        reason = str(error).rstrip(".")
        raise ValueError(f"{path} was not written by a store: {reason}.") from None
    if digest_of(found) != path.stem:
        raise ValueError(
            f"{path} does not hold what its name says: it was changed after it was written; "
            "copy it anew from where it came, or remove it."
        )
    return found
