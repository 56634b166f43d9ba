"""What each column of a table is: progress, run, observable, value, error or condition."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import polars as pl

from empirics.readers.cells import Cells
from theory.curve import Progress

# Names a progress column goes by, the likelier first, and what it counts. A bare "step" is
# environment steps in one library and updates in the next: it stays unspecified.
PROGRESS: Mapping[str, Progress] = {
    "env_steps": Progress.ENV_STEPS,
    "env_step": Progress.ENV_STEPS,
    "env-step": Progress.ENV_STEPS,
    "global_step": Progress.ENV_STEPS,
    "time/total_timesteps": Progress.ENV_STEPS,
    "total_timesteps": Progress.ENV_STEPS,
    "timesteps_total": Progress.ENV_STEPS,
    "num_env_steps_sampled_lifetime": Progress.ENV_STEPS,
    "timesteps": Progress.ENV_STEPS,
    "timestep": Progress.ENV_STEPS,
    "frames": Progress.ENV_STEPS,
    "t": Progress.UNSPECIFIED,
    "step": Progress.UNSPECIFIED,
    "steps": Progress.UNSPECIFIED,
    "_step": Progress.UNSPECIFIED,
    "updates": Progress.UPDATES,
    "update": Progress.UPDATES,
    "ppo-update": Progress.UPDATES,
    "iteration": Progress.UPDATES,
    "training_iteration": Progress.UPDATES,
    "samples": Progress.SAMPLES,
    "epoch": Progress.UNSPECIFIED,
    "episodes": Progress.EPISODES,
    "episode": Progress.EPISODES,
}
CLOCKS = ("_runtime", "_timestamp", "relative_time", "timestamp", "wall_time", "walltime")
RUNS = ("run", "run_id", "run_name", "run_label")
OBSERVABLES = ("observable", "metric", "tag", "variable")
VALUES = ("y", "value")
ERRORS = ("y_se", "se")
TRIALS = ("n_trials", "trials")


@final
@dataclass(frozen=True)
class Value:
    """A column of values: its observable, its run where the name says one, its errors."""

    column: str
    observable: str
    run: str | None = None
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
    notes : tuple of str
        The columns that play no part, and guesses worth knowing.
    """

    t: str
    progress: Progress
    run: str | None
    observable: str | None
    values: tuple[Value, ...]
    conditions: tuple[str, ...]
    notes: tuple[str, ...]


def no_such(kind: str, name: str, place: str, choices: Iterable[str]) -> str:
    """Say that a name is not there, with the nearest names and the sorted choices."""
    known = sorted(choices)
    lower = {choice.lower(): choice for choice in known}
    nearest = [lower[n] for n in difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.5)]
    near = f"nearest: {', '.join(repr(choice) for choice in nearest)}. " if nearest else ""
    shown = ", ".join(known[:20]) + (f" and {len(known) - 20} more" if len(known) > 20 else "")
    plural = "columns" if kind == "column" else f"{kind}s"
    return f"no {kind} {name!r} in {place}; {near}{plural.capitalize()}: {shown or 'none'}."


def columns_of(
    table: pl.DataFrame,
    cells: Mapping[str, Cells],
    place: str,
    *,
    t: str | None,
    y: Sequence[str],
    run: str | None,
    observable: str | None,
    progress: Progress | None,
) -> Columns:
    """Find the part each column plays; what the user named stands, the rest is guessed.

    Raises
    ------
    ValueError
        If a named column is not there (the nearest are offered), or no column can be
        progress or value.
    """
    for name in (t, *y, run, observable):
        if name is not None and name not in table.columns:
            raise ValueError(no_such("column", name, place, table.columns))
    notes: list[str] = []
    t = t or _progress_column(table, place)
    free = [name for name in table.columns if name not in (t, "")]
    run = run or _run_column(table, [name for name in free if name not in y], notes)
    values = list(y) or [name for name in _known(free, VALUES) if cells[name].is_numeric][:1]
    if values and observable is None:
        observable = next((n for n in _known(free, OBSERVABLES) if n not in (run, *values)), None)
    free = [name for name in free if name not in (run, observable, *values)]
    bounds = [n for n in free if n[-5:] in ("__MIN", "__MAX") and n[:-5] in table.columns]
    clocks = _known(free, (*PROGRESS, *CLOCKS))
    free = [name for name in free if name not in bounds and name not in clocks]
    constant = constant_columns(table, run, free)
    if values:
        conditions = constant
    else:
        conditions = [n for n in constant if run or n == "seed" or not cells[n].is_numeric]
        conditions = [name for name in conditions if not _is_error(name, cells)]
        values = [n for n in free if n not in conditions and cells[n].is_numeric]
        values = [n for n in values if not _is_error(n, cells)]
    if not values:
        raise ValueError(
            f"{place} has no column of numbers besides {t!r}; columns: {', '.join(table.columns)}."
        )
    found = tuple(_value(name, free, bool(bounds), long=observable is not None) for name in values)
    used = {*conditions, *values} | {v.y_se for v in found} | {v.n_trials for v in found}
    notes += _ignored(bounds, "bounds of a chart export")
    notes += _ignored(clocks, "other clocks")
    notes += _ignored([n for n in free if n not in used], "neither numbers nor one value a run")
    return Columns(
        t,
        progress or PROGRESS.get(t.lower(), Progress.UNSPECIFIED),
        run,
        observable,
        found,
        tuple(name for name in conditions if name not in {v.y_se for v in found}),
        tuple(notes),
    )


def _known(columns: Iterable[str], names: Sequence[str]) -> list[str]:
    """Return the columns that go by one of the names, in the order of the names."""
    return sorted(
        (column for column in columns if column.lower() in names),
        key=lambda column: names.index(column.lower()),
    )


def _progress_column(table: pl.DataFrame, place: str) -> str:
    found = _known(table.columns, tuple(PROGRESS))
    if not found:
        raise ValueError(
            f"no column of {place} is known as training progress ({', '.join(PROGRESS)}); "
            f"name it with t. Columns: {', '.join(table.columns)}."
        )
    return found[0]


def _run_column(table: pl.DataFrame, free: Sequence[str], notes: list[str]) -> str | None:
    found = _known(free, RUNS)
    if found:
        return found[0]
    seeds = _known(free, ("seed",))
    if seeds and table[seeds[0]].n_unique() > 1:
        notes.append(f"runs are told apart by the column {seeds[0]!r}.")
        return seeds[0]
    return None


def constant_columns(table: pl.DataFrame, run: str | None, names: Sequence[str]) -> list[str]:
    """Return the columns that say one thing (or nothing) within every run."""
    if not names:
        return []
    counts = pl.col(names).drop_nulls().n_unique()
    per_run = table.select(counts) if run is None else table.group_by(run).agg(counts)
    largest = per_run.select(pl.col(names).max()).row(0, named=True)
    return [name for name in names if largest[name] == 1]


def _is_error(name: str, cells: Mapping[str, Cells]) -> bool:
    return name.endswith("_se") and name[:-3] in cells


def _value(column: str, free: Sequence[str], is_chart: bool, *, long: bool) -> Value:
    run, observable = None, column
    if is_chart and " - " in column:
        run, observable = column.rsplit(" - ", 1)
    errors = [name for name in (f"{column}_se", *ERRORS) if name in free and name != column]
    trials = [name for name in (f"{column}_n_trials", *TRIALS) if name in free]
    if column.lower() not in VALUES and not long:
        errors = [name for name in errors if name == f"{column}_se"]
        trials = [name for name in trials if name == f"{column}_n_trials"]
    return Value(column, observable, run, next(iter(errors), None), next(iter(trials), None))


def _ignored(names: Sequence[str], why: str) -> list[str]:
    if not names:
        return []
    shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    columns = "column" if len(names) == 1 else "columns"
    return [f"{len(names)} {columns} ignored ({why}): {shown}."]
