"""What cells say: a column read as numbers, and a cell read as a condition."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, final

import numpy as np
import polars as pl
from numpy.typing import NDArray

Setting = bool | int | float | str | None
TRUTH = {"true": True, "false": False}
DATE = re.compile(r"\d{4}[-/.]\d\d?[-/.]\d\d?([T ].*)?|\d\d?[-/.]\d\d?[-/.]\d{4}.*", re.ASCII)
COMMA = re.compile(r"[+-]?\d+,\d+(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)

# A number and nothing but a number: no zero that the number itself does not have (torch 2.10,
# day 007), no 1_000, and an exponent only with its sign or a point (commit 12e5).
PLAIN = re.compile(
    r"-?(0|[1-9]\d*|(?=\.))(\.0|\.\d*[1-9])?([eE][+-]\d+|(?<=\.\d)[eE]\d+)?", re.ASCII
)
LARGEST = 2**63


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
    """Read a column as numbers; true and false are 1 and 0."""
    missing = column.is_null()
    if column.dtype == pl.String:
        numbers = column.cast(pl.Float64, strict=False)
        if numbers.null_count() > column.null_count():
            truth = column.str.to_lowercase().replace_strict(
                {word: float(value) for word, value in TRUTH.items()},
                default=None,
                return_dtype=pl.Float64,
            )
            numbers = numbers.zip_with(truth.is_null(), truth)
    elif column.dtype.is_numeric() or column.dtype in (pl.Boolean, pl.Null):
        numbers = column.cast(pl.Float64, strict=False)
    else:
        numbers = pl.Series(column.name, [None] * column.len(), dtype=pl.Float64)
    wrong = numbers.is_null() & ~missing
    return Cells(numbers.fill_null(float("nan")).to_numpy(), missing.to_numpy(), wrong.to_numpy())


def why_no_number(said: object) -> str:
    """Say what may be behind a cell that is no number, and what to do; empty where unknown."""
    text = str(said)
    if DATE.fullmatch(text):
        return " (a date: write it as a number, such as the seconds since the start)"
    if COMMA.fullmatch(text):
        return " (a decimal comma: write decimals with a point)"
    return ""


def settings(column: pl.Series) -> dict[Any, Setting]:
    """Return, for each different cell of a column, the condition that it says.

    A ladder over 2.9 and "2.10" has no order: what is text in one run is text in all.
    """
    said = column.drop_nulls().unique(maintain_order=True).to_list()
    read = {cell: setting(cell) for cell in said}
    if any(isinstance(value, str) for value in read.values()):
        read = {cell: None if value is None else str(cell) for cell, value in read.items()}
    return read


def kept_as_text(read: Mapping[Any, Setting]) -> list[str]:
    """Return the cells that look like numbers, and that `settings` kept as text."""
    return [value for value in read.values() if isinstance(value, str) and _looks_numeric(value)]


def setting(cell: Any) -> Setting:
    """Read one cell as the condition it says; None where it is empty or NaN.

    A text becomes a number only if it says nothing but that number; else it stays text.
    """
    if cell is None or isinstance(cell, bool):
        return cell
    if isinstance(cell, int):
        return cell if -LARGEST <= cell < LARGEST else str(cell)
    if isinstance(cell, float):
        return None if math.isnan(cell) else cell if math.isfinite(cell) else str(cell)
    text = str(cell).strip()
    if not text or text.lower() == "nan":
        return None
    if text.lower() in TRUTH:
        return TRUTH[text.lower()]
    number = _number(text) if PLAIN.fullmatch(text) else None
    return text if number is None else number


def _number(text: str) -> int | float | None:
    """Return the number a text says, None where float64 and int64 hold no such number."""
    if text.lstrip("-").isdigit():
        number = int(text)
        return number if -LARGEST <= number < LARGEST and str(number) == text else None
    value = float(text)
    return value if math.isfinite(value) and Decimal(repr(value)) == Decimal(text) else None


def _looks_numeric(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
