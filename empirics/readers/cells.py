"""Tables as text or typed cells: opening a file, and reading a column as numbers."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import polars as pl
from numpy.typing import NDArray

SEPARATORS = ",;\t|"


@final
@dataclass(frozen=True, eq=False)
class Cells:
    """A column read as numbers.

    Attributes
    ----------
    values : (n,) float64 array
        NaN where the cell is missing or no number.
    missing : (n,) bool array
        Whether the cell is empty; a cell that says NaN is a value, not a missing one.
    wrong : (n,) bool array
        Whether the cell says something that is not a number.
    """

    values: NDArray[np.float64]
    missing: NDArray[np.bool_]
    wrong: NDArray[np.bool_]

    @property
    def is_numeric(self) -> bool:
        """Whether at least half of the cells that say something are numbers."""
        n_said = int((~self.missing).sum())
        return n_said > 0 and 2 * int(self.wrong.sum()) <= n_said


def cells_of(column: pl.Series) -> Cells:
    """Read a column as numbers; booleans are 0 and 1."""
    if column.dtype == pl.String:
        column = column.str.strip_chars()
        missing = column.is_null() | (column == "").fill_null(True)
        numbers = column.cast(pl.Float64, strict=False)
    elif column.dtype.is_numeric() or column.dtype in (pl.Boolean, pl.Null):
        missing = column.is_null()
        numbers = column.cast(pl.Float64, strict=False)
    else:
        missing = column.is_null()
        numbers = pl.Series(column.name, [None] * column.len(), dtype=pl.Float64)
    wrong = numbers.is_null() & ~missing
    return Cells(numbers.fill_null(float("nan")).to_numpy(), missing.to_numpy(), wrong.to_numpy())


def open_table(path: Path) -> pl.DataFrame:
    """Open a CSV, TSV or Parquet file; the cells of a CSV stay text.

    Raises
    ------
    ValueError
        If the file is empty, is no table, or has no rows.
    """
    if not path.stat().st_size:
        raise ValueError(f"{path.name} is empty (0 bytes).")
    with path.open("rb") as file:
        is_parquet = file.read(4) == b"PAR1"
    if not is_parquet and path.suffix.lower() not in ("", ".csv", ".tsv", ".txt", ".dat"):
        raise ValueError(
            f"{path.name} is not a table this version reads; give a CSV, TSV or Parquet file, "
            "or the folder of a store."
        )
    try:
        table = pl.read_parquet(path, glob=False) if is_parquet else _read_text(path)
    except pl.exceptions.NoDataError:
        raise ValueError(f"{path.name} holds no table.") from None
    except (OSError, UnicodeDecodeError, pl.exceptions.PolarsError) as error:
        reason = None if is_parquet else _uneven_line(path)
        first_line = str(error).strip().splitlines()[0]
        raise ValueError(f"{path.name} cannot be read: {reason or first_line}.") from None
    if not table.height:
        raise ValueError(f"{path.name} holds no rows below its header.")
    return table


def _read_text(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, separator=_separator(path), infer_schema=False, glob=False)


def _separator(path: Path) -> str:
    with path.open(encoding="utf-8-sig") as file:
        header = file.readline()
    counts = {separator: header.count(separator) for separator in SEPARATORS}
    return max(SEPARATORS, key=lambda separator: counts[separator])


def _uneven_line(path: Path) -> str | None:
    """Say which line has more cells than the header, which polars does not."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, delimiter=_separator(path), strict=True)
            n_columns = len(next(rows))
            for row in rows:
                if len(row) > n_columns:
                    return f"line {rows.line_num} has {len(row)} cells, the header {n_columns}"
    except csv.Error as error:
        return f"{error}"
    except (OSError, UnicodeDecodeError, StopIteration):
        pass
    return None


def scalar(value: Any) -> bool | int | float | str | None:
    """Read one cell as the condition it says; None where it is empty."""
    if value is None or isinstance(value, bool | int):
        return value
    if not isinstance(value, str | float):
        return str(value)
    text = str(value).strip()
    if text in ("True", "true", "False", "false"):
        return text in ("True", "true")
    for read in (int, float):
        try:
            number = value if isinstance(value, float) else read(text)
        except ValueError:
            continue
        return number if np.isfinite(number) else text
    return text or None
