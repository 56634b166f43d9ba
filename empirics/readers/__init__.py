"""Readers of curves: the store, logs and tables. Each imports what it needs when it runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from empirics.curve_set import CurveSet
    from theory.curve import Progress


def read_curves(
    path: Path | str | Sequence[Path],
    *,
    t: str | None = None,
    y: str | Sequence[str] | None = None,
    run: str | None = None,
    observable: str | None = None,
    progress: Progress | str | None = None,
) -> CurveSet:
    """Read curves from a store, from logs (`empirics.readers.formats`), or from a table.

    A table is a CSV, TSV, Parquet or JSON-lines file, long or wide. What a file is, its content
    says. Of a folder that is no store, all logs in it and below are read; what could not be is
    named in the notes.

    Parameters
    ----------
    path : path, or sequence of Path
        A folder or a file; or several files that one run wrote.
    t, run : str or None
        Columns of a table; guessed where not given (`empirics.readers.columns`). For a log, t
        is the progress axis (for event files ``step`` or ``wall_time``).
    y : str, sequence of str or None
        Columns of a table to read as curves; for a store or a log, the observables to read.
    observable : str or None
        The one observable to read of a store or of a long table; or the column of a table that
        tells observables apart.
    progress : Progress, str or None
        What `t` counts; guessed from the column's name where not given.

    Returns
    -------
    CurveSet
        The usable curves, the rejected ones with their reasons, and notes.

    Raises
    ------
    ValueError
        If nothing can be read at all, in one sentence.
    """
    from empirics.readers.finding import find_logs, log_of
    from empirics.readers.logs import Request, read_found, read_log
    from empirics.store import is_store
    from theory.curve import Progress

    names = [y] if isinstance(y, str) else list(y or ())
    if progress is not None and progress not in list(Progress):
        raise ValueError(f"no progress {progress!r}; choices: {', '.join(sorted(Progress))}.")
    axis = None if progress is None else Progress(progress)
    request = Request(t, tuple(dict.fromkeys(names)), run, observable, axis)
    files = [Path(path)] if isinstance(path, Path | str) else list(path)
    for file in files:
        _check_is_there(file)
    first = files[0]
    log = None if is_store(first) else log_of(*files)
    if log is not None:
        return _with_faults(read_log(log, request))
    logs, skipped = ([], {}) if is_store(first) else find_logs(first)
    if logs:
        return _with_faults(read_found(first, logs, skipped, request))
    given = {"t": t, "run": run, "progress": progress}
    _check_no_columns(first, [name for name, value in given.items() if value is not None])
    return _of_store(first, names, observable)


def _with_faults(found: CurveSet) -> CurveSet:
    """Say which readers of other packages failed, and why."""
    from dataclasses import replace

    from empirics.readers.plugins import plugged

    faults = plugged().faults
    return replace(found, notes=(*found.notes, *faults.values())) if faults else found


def _check_is_there(path: Path) -> None:
    if not path.exists():
        raise ValueError(f"{path} does not exist.")
    if not path.is_file() and not path.is_dir():
        raise ValueError(f"{path} is neither a file nor a folder; save what it gives as a file.")


def _check_no_columns(path: Path, given: Sequence[str]) -> None:
    from empirics.store import check_version, is_store

    if given and is_store(path):
        check_version(path)
        raise ValueError(
            f"{path} is a store, which has no columns to choose: leave out {', '.join(given)}."
        )


def _of_store(path: Path, names: Sequence[str], observable: str | None) -> CurveSet:
    from empirics.store import Store

    store = Store(path, create=False)
    if names and observable is not None:
        raise ValueError("give the observables of a store as y or as observable, not as both.")
    wanted = set(names) if observable is None else {observable}
    store.check_observables(wanted)
    return store.select(observable=wanted or None)
