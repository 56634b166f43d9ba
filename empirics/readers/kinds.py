"""Which columns of a table are settings, which are measurements, and which go with another.

Rules 5 to 7 of `empirics.readers.columns`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import polars as pl

from empirics.readers.cells import Cells
from empirics.readers.names import ERRORS, SEED, TRIALS, VALUES, known


@final
@dataclass(frozen=True)
class Kinds:
    """The columns besides t, run and observable.

    Attributes
    ----------
    numbers : tuple of str
        Every column of numbers.
    conditions : tuple of str
        Those with one value a run, numbers or words.
    moving : tuple of str
        Measurements: numbers that vary within a run.
    flat : tuple of str
        One number a run: settings, or measurements that never moved.
    measured : tuple of str
        Those that are read as curves unless the user names some.
    main : str or None
        The column of values of a long table, or the only one of a wide table.
    words : tuple of str
        Columns of words, and seeds, that vary within a run.
    """

    numbers: tuple[str, ...]
    conditions: tuple[str, ...]
    moving: tuple[str, ...]
    flat: tuple[str, ...]
    measured: tuple[str, ...]
    main: str | None
    words: tuple[str, ...]


def kinds_of(
    table: pl.DataFrame,
    cells: Mapping[str, Cells],
    run: str | None,
    free: Sequence[str],
    *,
    long: bool,
) -> Kinds:
    """Tell settings from measurements, for a long table (one with an observable) or a wide one."""
    numbers = [name for name in free if cells[name].is_numeric]
    beside = {name for each in numbers for name in companions(each, numbers, long=long) if name}
    constant = set(constant_columns(table, run, [name for name in free if name not in beside]))
    constant -= {name for name in numbers if name.lower() in VALUES}
    metrics = [name for name in numbers if name not in beside and name.lower() != SEED]
    moving = [name for name in metrics if name not in constant]
    flat = [name for name in metrics if name in constant]
    measured = [name for name in metrics if name in moving or not (run and moving)]
    if not moving and len(flat) == 1:
        constant -= set(flat)
    named = known(moving, VALUES)
    only = measured[0] if len(measured) == 1 else None
    return Kinds(
        numbers=tuple(numbers),
        conditions=tuple(name for name in free if name in constant),
        moving=tuple(moving),
        flat=tuple(flat),
        measured=tuple(named[:1] if named and (long or len(moving) == 1) else measured),
        main=named[0] if named else only,
        words=tuple(
            name
            for name in free
            if name not in constant and (name not in numbers or name.lower() == SEED)
        ),
    )


def companions(column: str, numbers: Sequence[str], *, long: bool) -> tuple[str | None, str | None]:
    """Return the columns of the errors and of the trials of a column of values."""
    bare = long or column.lower() in VALUES
    errors = [f"{column}_se", *(ERRORS if bare else ())]
    trials = [f"{column}_n_trials", *(TRIALS if bare else ())]
    found = [
        next((name for name in names if name in numbers and name != column), None)
        for names in (errors, trials)
    ]
    return found[0], found[1]


def constant_columns(table: pl.DataFrame, run: str | None, names: Sequence[str]) -> list[str]:
    """Return the columns that say one thing (or nothing) within every run."""
    if not names:
        return []
    counts = pl.col(names).drop_nulls().n_unique()
    per_run = table.select(counts) if run is None else table.group_by(run).agg(counts)
    largest = per_run.select(pl.col(names).max()).row(0, named=True)
    return [name for name in names if largest[name] == 1]
