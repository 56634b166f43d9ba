"""Opening a CSV, TSV, Parquet or JSON-lines file as a table whose cells are as the file says."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from empirics.notes import counted, listed
from empirics.parquet import read_parquet
from empirics.readers.cells import LARGEST
from empirics.readers.json_lines import Row, read_json_lines

SEPARATORS = ",;\t|"
SUFFIXES = ("", ".csv", ".tsv", ".txt", ".dat")
LINES = (".jsonl", ".ndjson", ".json")
UNENDED = "does not end with a line feed; if it was cut off, its last value may be too"
PICKLE = {bytes([0x80, protocol]) for protocol in range(2, 6)}


def is_table(path: Path) -> bool:
    """Tell whether a file may be a table, by its first bytes and its name."""
    with path.open("rb") as file:
        head = file.read(4)
    return head == b"PAR1" or path.suffix.lower() in (*SUFFIXES, *LINES)


def is_pickle(path: Path) -> bool:
    """Tell whether a file begins as a pickle of Python 3 does, whatever its name."""
    with path.open("rb") as file:
        return file.read(2) in PICKLE


def open_table(path: Path) -> tuple[pl.DataFrame, str]:
    """Open a CSV, TSV, Parquet or JSON-lines file; the cells of a CSV stay text.

    Spaces around a text are not part of it, and a text of spaces is an empty cell.

    Returns
    -------
    DataFrame, str
        The table, and why its end may be missing; empty if nothing says so.

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If it is empty, is no table, has no header or no rows.
    """
    if not path.stat().st_size:
        raise ValueError(f"{path} is empty (0 bytes).")
    if is_pickle(path):
        raise ValueError(
            f"{path} is a pickle, and opening one may run code: it is not read. Give what its "
            "program logged besides, such as TensorBoard events, or a CSV file."
        )
    with path.open("rb") as file:
        head = file.read(4)
    is_parquet, fault = head == b"PAR1", ""
    if not is_table(path):
        raise ValueError(
            f"{path} is not a table this version reads; give a CSV, TSV, Parquet or JSON-lines "
            "file, a log of a known format, or the folder of a store."
        )
    if is_parquet:
        table = read_parquet(path)
    elif path.suffix.lower() in LINES or head[:1] == b"{":
        rows, fault = read_json_lines(path, path.read_bytes())
        table = _of_rows(rows)
    else:
        table, fault = _read_text(path)
    if not table.width:
        raise ValueError(f"{path} holds no table.")
    if not table.height:
        raise ValueError(f"{path} holds no rows below its header.")
    words = pl.col(pl.String, pl.Categorical, pl.Enum).cast(pl.String).str.strip_chars()
    return table.with_columns(pl.when(words != "").then(words).name.keep()), fault


def _of_rows(rows: Sequence[Row]) -> pl.DataFrame:
    """Return rows as a table; a column of numbers is one only if it holds nothing else."""
    columns = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        cells = [row.get(name) for row in rows]
        kinds = {type(cell) for cell in cells} - {type(None)}
        if kinds <= {bool}:
            columns[name] = pl.Series(name, cells, dtype=pl.Boolean)
        elif kinds <= {bool, int, float} and all(abs(cell or 0) < LARGEST for cell in cells):
            dtype = pl.Float64 if float in kinds else pl.Int64
            columns[name] = pl.Series(name, cells, dtype=dtype, strict=False)
        else:
            words = [cell if isinstance(cell, str | None) else json.dumps(cell) for cell in cells]
            columns[name] = pl.Series(name, words, dtype=pl.String)
    return pl.DataFrame(columns)


def _read_text(path: Path) -> tuple[pl.DataFrame, str]:
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:  # as in UTF-16, and in most files that are no text at all
        raise ValueError(f"{path} is not UTF-8 text; save the table as UTF-8.")
    if "\n" not in text and "\r" in text:
        raise ValueError(
            f"{path} ends its lines with a carriage return alone, as old Macs did; "
            "save it with line feeds."
        )
    separator = separator_of(text)
    try:
        _check_header(header_of(text, separator), path)
        table = pl.read_csv(io.BytesIO(content), separator=separator, infer_schema=False)
        return table, "" if text.endswith(("\n", "\r")) else f"{path.name} {UNENDED}"
    except (csv.Error, pl.exceptions.PolarsError) as error:
        first = str(error).strip().splitlines()[0].rstrip(".")
        reason = _uneven_line(text, separator) or first
        raise ValueError(f"{path} cannot be read as a table: {reason}.") from None


def separator_of(text: str) -> str:
    """Return the separator that the header has most of."""
    header = text.lstrip().partition("\n")[0]
    return max(SEPARATORS, key=header.count)


def header_of(text: str, separator: str) -> list[str]:
    """Return the cells of the first line that has any."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    return next((row for row in rows if any(row)), [])


def _check_header(header: list[str], path: Path) -> None:
    names = [name.strip() for name in header if name.strip()]
    if not names:
        raise ValueError(f"{path} holds no table.")
    if all(_is_number(name) for name in names):
        raise ValueError(
            f"{path} has no header: its first line holds numbers ({listed(names)}); "
            "put a line with the names of the columns above it."
        )
    twice = [name for name, n in Counter(names).items() if n > 1]
    if twice:
        n = names.count(twice[0])
        raise ValueError(
            f"{path} has {counted(n, 'column')} named {twice[0]!r}; give each column its own name."
        )


def _uneven_line(text: str, separator: str) -> str:
    """Say which line has more cells than the header, which polars does not."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        n_columns = len(next(rows))
        for number, row in enumerate(rows, start=2):
            if len(row) > n_columns:
                return f"line {number} has {counted(len(row), 'cell')}, the header {n_columns}"
    except csv.Error as error:
        return f"{error}"
    return ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
