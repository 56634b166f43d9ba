"""Parquet files of any origin: a damaged one ends in a sentence that names it."""

from __future__ import annotations

import io
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


def read_metadata(path: Path) -> dict[str, str]:
    """Return the texts that a Parquet file carries besides its table.

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If it is damaged.
    """
    content = path.read_bytes()
    try:
        return pl.read_parquet_metadata(io.BytesIO(content))
    except ERRORS as error:
        raise ValueError(_damaged(path, error)) from None


def write_parquet(path: Path, table: pl.DataFrame, metadata: dict[str, str] | None = None) -> None:
    """Write a table, compressed, with texts besides it.

    Raises
    ------
    OSError
        If there is no room; polars itself would raise an error of its own.
    """
    content = io.BytesIO()
    table.write_parquet(content, compression="zstd", metadata=metadata)
    path.write_bytes(content.getvalue())


def _damaged(path: Path, error: BaseException) -> str:
    first, *_ = str(error).strip().splitlines() or [type(error).__name__]
    return f"{path} is damaged and cannot be read ({first.rstrip('.')}); write or copy it anew."
