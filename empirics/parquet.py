"""Parquet files of any origin: a damaged one ends in a sentence that names it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import polars as pl

# A damaged file can make polars panic instead of raising one of its errors.
ERRORS = (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException)


def read_parquet(path: Path) -> pl.DataFrame:
    """Return the table of a Parquet file.

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If it is damaged.
    """
    content = path.read_bytes()
    try:
        return pl.read_parquet(io.BytesIO(content))
    except ERRORS as error:
        raise ValueError(_damaged(path, error)) from None


def read_slices(
    path: Path, columns: Sequence[str], spans: Sequence[tuple[int, int]]
) -> list[pl.DataFrame]:
    """Return stretches of rows, each from its first row and so many; the rest is not read.

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If it is damaged, or has fewer rows.
    """
    try:
        table = pl.scan_parquet(path).select(columns)
        # `pl.collect_all` waits a tenth of a second before it answers.
        parts = [table.slice(start, n_rows).collect() for start, n_rows in spans]
    except FileNotFoundError:
        raise
    except ERRORS as error:
        raise ValueError(_damaged(path, error)) from None
    if any(part.height < n_rows for part, (_, n_rows) in zip(parts, spans, strict=True)):
        raise ValueError(_damaged(path, ValueError("rows are missing")))
    return parts


def read_metadata(path: Path) -> dict[str, str]:
    """Return the texts that a Parquet file carries besides its table.

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If it is damaged.
    """
    with path.open("rb") as file:
        try:
            return pl.read_parquet_metadata(file)
        except ERRORS as error:
            raise ValueError(_damaged(path, error)) from None


def write_parquet(
    path: Path,
    table: pl.DataFrame,
    metadata: dict[str, str] | None = None,
    *,
    level: int | None = None,
    row_group_size: int | None = None,
) -> None:
    """Write a table, compressed, with texts besides it.

    Parameters
    ----------
    path : Path
    table : DataFrame
    metadata : dict of str to str or None
        The texts.
    level : int or None
        Of zstd.
    row_group_size : int or None
        Rows that can be read by themselves.

    Raises
    ------
    OSError
        If there is no room; polars itself would raise an error of its own.
    """
    content = io.BytesIO()
    table.write_parquet(
        content,
        compression="zstd",
        compression_level=level,
        row_group_size=row_group_size,
        metadata=metadata,
    )
    path.write_bytes(content.getvalue())


def _damaged(path: Path, error: BaseException) -> str:
    first, *_ = str(error).strip().splitlines() or [type(error).__name__]
    return f"{path} is damaged and cannot be read ({first.rstrip('.')}); write or copy it anew."
