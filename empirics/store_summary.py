"""What a store holds, in a few sentences whatever its size: read from headers, without points."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from empirics.header import header_of, key_of
from empirics.notes import counted, listed
from empirics.store import Store

SEED = "seed"


@final
@dataclass(frozen=True)
class Summary:
    """What a store holds.

    Attributes
    ----------
    n_runs, n_curves, n_rows : int
        Runs with a curve, curves, and logged rows.
    shared : mapping of str to condition
        What every run has and agrees on, schedules as plain values.
    varied : mapping of str to tuple
        The values of every other condition, sorted.
    observables : mapping of str to str
        Of each observable the runs, rows a run and progress axes, in words.
    gaps : tuple of str
        Runs without a curve, observables that some runs lack, and seeds that some combinations of
        conditions lack.
    notes : tuple of str
        Files that cannot be read, and curves that were not selected since they do not say.
    """

    n_runs: int
    n_curves: int
    n_rows: int
    shared: Mapping[str, Any]
    varied: Mapping[str, tuple[Any, ...]]
    observables: Mapping[str, str]
    gaps: tuple[str, ...]
    notes: tuple[str, ...]


def summary_of(store: Store, where: str | None = None) -> Summary:
    """Say what a store holds, of the curves that fulfil a condition where one is given.

    Raises
    ------
    ValueError
        As `Store.select`.
    """
    entries, notes = store.headers(where=where)
    rows = {key: entry.n_rows for key, entry in entries.items()}
    if not all(rows.values()):  # files of the first versions do not count them
        for each in store.curves().logged:
            known = key_of(header_of(each.curve))
            rows |= {known: each.rows.height} if known in rows else {}
    labels: dict[str, str] = {}
    ledgers: dict[str, Mapping[str, Any]] = {}
    of: dict[str, dict[tuple[str, ...], int]] = {}
    for key, entry in entries.items():
        labels[key[0]] = entry.header["run"] or key[0]
        ledgers.setdefault(key[0], entry.header["conditions"])
        of.setdefault(key[1], {})[key] = rows[key]
    values = _values(ledgers.values())
    shared = {
        name: found[0]
        for name, found in values.items()
        if len(found) == 1 and all(name in ledger for ledger in ledgers.values())
    }
    return Summary(
        n_runs=len(labels),
        n_curves=len(entries),
        n_rows=sum(rows.values()),
        shared=shared,
        varied={name: tuple(found) for name, found in values.items() if name not in shared},
        observables={name: _in_words(curves) for name, curves in sorted(of.items())},
        gaps=(
            *([] if where is not None else _bare(store, labels)),
            *_lacking(of, labels),
            *_missing_seeds(ledgers, shared),
        ),
        notes=tuple(notes),
    )


def said_values(values: Sequence[Any]) -> str:
    """Say the values of a condition: a range of whole numbers, a few values, or how many."""
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    whole = numbers and all(isinstance(v, int) for v in values)
    if whole and len(values) > 2 and values[-1] - values[0] + 1 == len(values):
        return f"{values[0]}..{values[-1]}"
    if numbers and len(values) > 6:
        return f"{len(values)} values from {values[0]:g} to {values[-1]:g}"
    return listed(str(value) for value in values)


def _values(ledgers: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return the different values of each condition, sorted; 1 and True are two."""
    found: dict[str, dict[tuple[str, str], Any]] = {}
    for ledger in ledgers:
        for name, value in ledger.items():
            found.setdefault(name, {})[(type(value).__name__, str(value))] = value
    return {name: sorted(of.values(), key=_rank) for name, of in sorted(found.items())}


def _rank(value: Any) -> tuple[bool, float, str]:
    number = isinstance(value, int | float)
    return (not number, value if number else 0, str(value))


def _in_words(curves: Mapping[tuple[str, ...], int]) -> str:
    runs = counted(len({key[0] for key in curves}), "run")
    fewest, most = min(curves.values()), max(curves.values())
    rows = counted(most, "row") if fewest == most else f"{fewest} to {most} rows"
    return f"{runs}, {rows} a run over {', '.join(sorted({key[2] for key in curves}))}"


def _bare(store: Store, labels: Collection[str]) -> list[str]:
    """Say which runs have no curve."""
    bare = [run_id for run_id in store.run_ids() if run_id not in labels]
    return [f"{counted(len(bare), 'run')} without a curve: {listed(bare)}."] if bare else []


def _lacking(of: Mapping[str, Collection[tuple[str, ...]]], labels: Mapping[str, str]) -> list[str]:
    """Say which runs lack an observable that others have."""
    gaps = []
    for observable, keys in sorted(of.items()):
        there = {key[0] for key in keys}
        lacking = [label for run_id, label in labels.items() if run_id not in there]
        if lacking:
            gaps.append(
                f"{observable} is missing in {counted(len(lacking), 'run')}: {listed(lacking)}."
            )
    return gaps


def _missing_seeds(ledgers: Mapping[str, Mapping[str, Any]], shared: Collection[str]) -> list[str]:
    """Say which seeds other combinations of conditions have and some lack."""
    cells: dict[str, set[int]] = {}
    for ledger in ledgers.values():
        if isinstance(ledger.get(SEED), int):
            cell = ", ".join(f"{k}={v}" for k, v in ledger.items() if k != SEED and k not in shared)
            cells.setdefault(cell, set()).add(ledger[SEED])
    every = set().union(*cells.values()) if cells else set()
    lacking = {cell: sorted(every - seeds) for cell, seeds in cells.items() if every - seeds}
    if not lacking:
        return []
    said = listed(
        (
            f"{cell or 'no other condition'} lacks {said_values(seeds)}"
            for cell, seeds in sorted(lacking.items())
        ),
        4,
    )
    of = f"{len(lacking)} of {counted(len(cells), 'combination')} of conditions"
    return [f"seeds of {said_values(sorted(every))} are missing in {of}: {said}."]
