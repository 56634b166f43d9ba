"""What each column of a table is: progress, run, observable, value, error or condition.

The rules of reading, in the order in which they are applied. What the user names stands, the rest
is guessed; which values are asked for changes nothing else, so a curve has the same conditions
whichever others are read beside it.

1. *t* is the column with the likeliest name for progress (`names.PROGRESS`).
2. *run* is a column called ``run`` or alike, else ``seed`` where it varies.
3. No part play columns without a name or a value, other clocks, bounds of a chart export, and
   cells that are lists, structures or bytes.
4. *observable* is a column of words called ``metric`` or alike, in a table that has a column of
   values called ``y`` or ``value``, or where it varies within a run.
5. ``x_se`` and ``x_n_trials`` go with ``x``; a bare ``se`` or ``n_trials`` goes with the values of
   a long table, or with the column called ``y`` or ``value``.
6. *conditions* are the columns that say one thing within every run. One number may be a setting or
   a measurement that never moved: where the table is one run, or nothing else was measured, such a
   column is read as a curve as well.
7. *values* are all other columns of numbers; only the one called ``y`` or ``value`` where the table
   has an observable column, or no other.

What is done with the rows then stands in `empirics.readers.table`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import polars as pl

from empirics.notes import counted, listed
from empirics.readers.cells import Cells, why_no_number
from empirics.readers.kinds import Kinds, companions, constant_columns, kinds_of
from empirics.readers.names import (
    CLOCKS,
    OBSERVABLES,
    PROGRESS,
    RUNS,
    SEED,
    VALUES,
    known,
    no_such,
)
from theory.curve import Progress


@final
@dataclass(frozen=True)
class Named:
    """The columns, and the unit of progress, that the user named."""

    t: str | None = None
    y: tuple[str, ...] = ()
    run: str | None = None
    observable: str | None = None
    progress: Progress | None = None


@final
@dataclass(frozen=True)
class Value:
    """A column of values: its observable, its errors and its trials."""

    column: str
    observable: str
    y_se: str | None = None
    n_trials: str | None = None


@final
@dataclass(frozen=True)
class Columns:
    """The part each column plays.

    Attributes
    ----------
    t : str
    progress : Progress
    run, observable : str or None
        Columns that tell runs and observables apart.
    values : tuple of Value
    conditions : tuple of str
        Columns with one value a run.
    words, numbers : tuple of str
        Columns that vary within a run, of words and of numbers; one may tell runs apart.
    notes : tuple of str
        The columns that play no part, and guesses worth knowing.
    """

    t: str
    progress: Progress
    run: str | None
    observable: str | None
    values: tuple[Value, ...]
    conditions: tuple[str, ...]
    words: tuple[str, ...]
    numbers: tuple[str, ...]
    notes: tuple[str, ...]


def columns_of(
    table: pl.DataFrame, cells: Mapping[str, Cells], place: str, named: Named
) -> Columns:
    """Find the part each column plays.

    Raises
    ------
    ValueError
        If a named column is not there (the nearest are offered), two parts fall to one
        column, or no column can be progress or value.
    """
    for name in (named.t, *named.y, named.run, named.observable):
        if name is not None and name not in table.columns:
            raise ValueError(no_such("column", name, place, table.columns))
    t = named.t or _progress_column(table, place)
    run = named.run or _run_column(table, named)
    _check_parts(table, place, t, run, named)
    if not cells[t].is_numeric:
        raise ValueError(_no_progress(table, place, t))
    idle = _idle(table, (t, run))
    free = [name for name in table.columns if name not in (t, run, *idle)]
    observable = named.observable or _observable_column(table, cells, run, free, named)
    free = [name for name in free if name != observable]
    kinds = kinds_of(table, cells, run, free, long=observable is not None)
    values = named.y or kinds.measured
    if not values:
        raise ValueError(_no_numbers(table, place, t))
    guessed = run is not None and named.run is None and run.lower() == SEED
    return Columns(
        t=t,
        progress=named.progress or PROGRESS.get(t.lower(), Progress.UNSPECIFIED),
        run=run,
        observable=observable,
        values=tuple(_value(name, kinds, long=observable is not None) for name in values),
        conditions=kinds.conditions,
        words=tuple(name for name in kinds.words if name not in values),
        numbers=kinds.moving,
        notes=(
            *([f"runs are told apart by the column {run!r}."] if guessed else []),
            *_ignored({name: why for name, why in idle.items() if name not in named.y}),
            *_unread(kinds, values, named),
            *_ignored({n: _why_words(table, n) for n in kinds.words if n not in values}),
        ),
    )


def _progress_column(table: pl.DataFrame, place: str) -> str:
    found = known(table.columns, tuple(PROGRESS))
    if not found:
        raise ValueError(
            f"no column of {place} is known as training progress ({', '.join(sorted(PROGRESS))}); "
            f"name it with --t. Columns: {', '.join(sorted(table.columns))}."
        )
    return next((name for name in found if not _is_blank(table, name)), found[0])


def _run_column(table: pl.DataFrame, named: Named) -> str | None:
    for name in known(table.columns, RUNS):
        if not _is_blank(table, name) and not _is_opaque(table[name].dtype):
            return name
    seeds = [n for n in known(table.columns, (SEED,)) if n not in (named.observable, *named.y)]
    return next((name for name in seeds if table[name].drop_nulls().n_unique() > 1), None)


def _observable_column(
    table: pl.DataFrame,
    cells: Mapping[str, Cells],
    run: str | None,
    free: Sequence[str],
    named: Named,
) -> str | None:
    words = [n for n in known(free, OBSERVABLES) if not cells[n].is_numeric and n not in named.y]
    if any(cells[name].is_numeric for name in known(free, VALUES)):
        return next(iter(words), None)
    return next((name for name in words if not constant_columns(table, run, [name])), None)


def _check_parts(table: pl.DataFrame, place: str, t: str, run: str | None, named: Named) -> None:
    """Check that no column plays two parts, and that none holds lists or the like."""
    parts = [("t", t), *(("y", name) for name in named.y)]
    parts += [("run", run)] if run else []
    parts += [("observable", named.observable)] if named.observable else []
    first: dict[str, str] = {}
    for part, name in parts:
        other = first.setdefault(name, part)
        if other != part:
            raise ValueError(
                f"column {name!r} of {place} cannot be both {other} and {part}; "
                f"name another with --{other} or --{part}."
            )
    for part, name in parts:
        kind = table[name].dtype
        if _is_opaque(kind):
            cells = "numbers" if part in ("t", "y") else "words or numbers"
            raise ValueError(f"column {name!r} of {place} holds {kind}; {part} must be {cells}.")


def _is_opaque(kind: pl.DataType) -> bool:
    return kind.is_nested() or kind in (pl.Binary, pl.Object)


def _is_blank(table: pl.DataFrame, name: str) -> bool:
    return table[name].null_count() == table.height


def _idle(table: pl.DataFrame, parts: Sequence[str | None]) -> dict[str, str]:
    """Return the columns that play no part, each with the reason why."""
    clocks = known(table.columns, (*PROGRESS, *CLOCKS))
    idle = {}
    for name in table.columns:
        if name in parts:
            continue
        if not name.strip():
            idle[name] = "no name"
        elif _is_opaque(table[name].dtype):
            idle[name] = "lists, structures or bytes"
        elif _is_blank(table, name):
            idle[name] = "every cell is empty"
        elif name[-5:] in ("__MIN", "__MAX") and name[:-5] in table.columns:
            idle[name] = "bounds of a chart export"
        elif name in clocks:
            idle[name] = "other clocks"
    return idle


def _value(column: str, kinds: Kinds, *, long: bool) -> Value:
    """Return a column of values; in a long table only a second one gives its name."""
    observable = "" if long and column == kinds.main else column
    y_se, n_trials = companions(column, kinds.numbers, long=long)
    return Value(column, observable, y_se, n_trials)


def _unread(kinds: Kinds, values: Sequence[str], named: Named) -> list[str]:
    """Say which columns of numbers were not read, and which were read in two ways."""
    unread = [name for name in kinds.moving if name not in values]
    both = [name for name in values if name in kinds.conditions and not named.y]
    notes = []
    if unread and named.y:
        columns = counted(len(unread), "column")
        notes.append(f"{columns} of numbers not asked for: {listed(unread)}.")
    elif unread:
        notes.append(
            f"{counted(len(unread), 'column')} of numbers beside {values[0]!r} not read "
            f"(name with --y what to read): {listed(unread)}."
        )
    if both:
        notes.append(
            f"{counted(len(both), 'column')} of one number read as a condition and as a curve "
            f"(name with --y what to read): {listed(both)}."
        )
    return notes


def _why_words(table: pl.DataFrame, name: str) -> str:
    """Say why a column of words, or of seeds, plays no part."""
    if name.lower() == SEED:
        return "a seed that changes within a run"
    first = next(iter(table[name].drop_nulls()))
    return why_no_number(first).strip(" ()") or "neither numbers nor one value a run"


def _ignored(reasons: Mapping[str, str]) -> list[str]:
    by_reason: dict[str, list[str]] = {}
    for name, why in reasons.items():
        by_reason.setdefault(why, []).append(name or "''")
    return [
        f"{counted(len(names), 'column')} ignored ({why}): {listed(names)}."
        for why, names in by_reason.items()
    ]


def _no_progress(table: pl.DataFrame, place: str, t: str) -> str:
    first = next(iter(table[t].drop_nulls()), None)
    if first is None:
        return f"column {t!r} of {place} is empty; name another with --t."
    return f"column {t!r} of {place} is not numbers; it says {str(first)!r}{why_no_number(first)}."


def _no_numbers(table: pl.DataFrame, place: str, t: str) -> str:
    """Say that nothing can be a curve, and which column almost was one."""
    columns = f"columns: {', '.join(sorted(table.columns))}"
    for name in table.columns:
        said = next(iter(table[name].drop_nulls()), "")
        if name != t and why_no_number(said):
            columns = f"{name!r} says {str(said)!r}{why_no_number(said)}; {columns}"
            break
    return f"{place} has no column of numbers besides {t!r}; {columns}."
