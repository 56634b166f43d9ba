"""Readers of curves: the store and tables. Each reader imports what it needs when it runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from empirics.curve_set import CurveSet
    from theory.curve import Progress


def read_curves(
    path: Path | str,
    *,
    t: str | None = None,
    y: str | Sequence[str] | None = None,
    run: str | None = None,
    observable: str | None = None,
    progress: Progress | str | None = None,
) -> CurveSet:
    """Read curves from a store, or from a CSV, TSV or Parquet table, long or wide.

    Parameters
    ----------
    path : path
        A store's folder or a table's file.
    t, run : str or None
        Columns of a table; guessed where not given (`empirics.readers.columns`).
    y : str, sequence of str or None
        Columns of a table to read as curves; for a store, the observables to read.
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
    from empirics.readers.table import read_table
    from theory.curve import Progress

    path = Path(path)
    if not path.exists():
        raise ValueError(f"{path} does not exist.")
    if not path.is_file() and not path.is_dir():
        raise ValueError(f"{path} is neither a file nor a folder; save what it gives as a file.")
    names = [y] if isinstance(y, str) else list(y or ())
    if path.is_dir():
        given = {"t": t, "run": run, "progress": progress}
        _check_no_columns(path, [name for name, value in given.items() if value is not None])
        return _of_store(path, names, observable)
    if progress is not None and progress not in list(Progress):
        raise ValueError(f"no progress {progress!r}; choices: {', '.join(sorted(Progress))}.")
    axis = None if progress is None else Progress(progress)
    return read_table(path, t=t, y=names, run=run, observable=observable, progress=axis)


def _check_no_columns(path: Path, given: Sequence[str]) -> None:
    from empirics.store import check_version, is_store

    if given and is_store(path):
        check_version(path)
        raise ValueError(
            f"{path} is a store, which has no columns to choose: leave out {', '.join(given)}."
        )


def _of_store(path: Path, names: Sequence[str], observable: str | None) -> CurveSet:
    from dataclasses import replace

    from empirics.readers.names import no_such
    from empirics.store import Store

    store = Store(path, create=False)
    if names and observable is not None:
        raise ValueError("give the observables of a store as y or as observable, not as both.")
    wanted = set(names) if observable is None else {observable}
    known = store.observables() if wanted else ()
    for name in sorted(wanted - set(known)):
        raise ValueError(no_such("observable", name, str(path), known))
    found = store.curves(wanted or None)
    of_curves = {curve.run_id for curve in found.curves}
    runs = [record for record in store.runs() if not wanted or record.run_id in of_curves]
    return replace(found, runs=tuple(runs))
