"""What shaped runs and their logs do not say: conditions from a table that the user writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from empirics.curve_set import CurveSet
from empirics.logged import Logged
from empirics.notes import counted, listed
from empirics.readers.cells import settings
from empirics.readers.names import no_such
from empirics.readers.opening import open_table
from empirics.run_record import RunRecord
from theory.curve import Condition

RUN = "run"
Told = Mapping[str, Mapping[str, Condition]]
"""Conditions by the label or the run_id of a run."""


def with_conditions(sets: Sequence[CurveSet], path: Path) -> list[CurveSet]:
    """Add the conditions of a table to the runs that it names.

    Parameters
    ----------
    sets : sequence of CurveSet
    path : Path
        A CSV, TSV, Parquet or JSON-lines file: ``run`` is the label or the run_id, every other
        column a condition. An empty cell says nothing.

    Raises
    ------
    OSError
        If the table cannot be opened.
    ValueError
        If it is no such table, names a run that is not there, not the only one of its label, or
        twice, or contradicts what the log says.
    """
    told = told_conditions(path)
    records = [record for each in sets for record in each.runs]
    by_id = _by_run_id(told, records, path)
    silent = [record.run for record in records if record.run_id not in by_id]
    note = f"{path} has no row of {counted(len(silent), 'run')}: {listed(silent)}."
    found = [_told(each, by_id, path) for each in sets]
    if silent and found:
        found[0] = replace(found[0], notes=(*found[0].notes, note))
    return found


def told_conditions(path: Path) -> Told:
    """Return what a table says of each run.

    Raises
    ------
    OSError, ValueError
        As `with_conditions`.
    """
    table, fault = open_table(path)
    if fault:
        raise ValueError(f"{path} is not complete: {fault}")
    if RUN not in table.columns or table.width < 2:
        raise ValueError(
            f"{path} must have a column {RUN!r} and one for each condition; it has "
            f"{', '.join(sorted(table.columns))}."
        )
    labels = [str(label) for label in table[RUN].to_list()]
    for label, number in Counter(labels).items():
        if number > 1:
            raise ValueError(f"{path} names the run {label!r} {number} times; give it one row.")
    read = {name: settings(table[name]) for name in table.columns if name != RUN}
    rows = table.to_dicts()
    return {
        label: {
            name: value
            for name, of in read.items()
            if row[name] is not None and (value := of[row[name]]) is not None
        }
        for label, row in zip(labels, rows, strict=True)
    }


def _by_run_id(told: Told, records: Sequence[RunRecord], path: Path) -> Told:
    """Return the same by run_id alone."""
    found = {}
    for name, conditions in told.items():
        called = [record for record in records if name in (record.run, record.run_id)]
        if not called:
            known = {record.run for record in records}
            raise ValueError(f"{path}: {no_such('run', name, 'what was read', known)}")
        if len(called) > 1:
            ids = ", ".join(record.run_id for record in called)
            raise ValueError(
                f"{path}: {len(called)} runs are called {name!r}; name them by run_id: {ids}."
            )
        found[called[0].run_id] = conditions
    return found


def _told(found: CurveSet, by_id: Told, path: Path) -> CurveSet:
    logged = tuple(
        replace(each, curve=replace(each.curve, conditions=_both(each, by_id, path)))
        for each in found.logged
    )
    runs = tuple(
        replace(record, conditions={**record.conditions, **by_id.get(record.run_id, {})})
        for record in found.runs
    )
    return replace(found, curves=tuple(each.curve for each in logged), logged=logged, runs=runs)


def _both(each: Logged, by_id: Told, path: Path) -> Mapping[str, Condition]:
    curve = each.curve
    told = by_id.get(curve.run_id, {})
    for name, value in told.items():
        said = curve.conditions.get(name, value)
        if said != value or isinstance(said, bool) != isinstance(value, bool):
            raise ValueError(
                f"{path} says {name} = {value!r} of {curve.run}, whose log says {said!r}; take "
                "the column out, or rename it."
            )
    return {**curve.conditions, **told}
