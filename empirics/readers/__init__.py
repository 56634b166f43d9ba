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
    progress: Progress | None = None,
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
        The one observable to read; for a long table also the column that tells them apart.
    progress : Progress or None
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
    from empirics.curve_set import joined
    from empirics.readers.table import only, read_table
    from empirics.store import Store

    path = Path(path)
    if not path.exists():
        raise ValueError(f"{path} does not exist.")
    if path.is_file():
        return read_table(path, t=t, y=y, run=run, observable=observable, progress=progress)
    store = Store(path, create=False)
    columns = {"t": t, "run": run, "progress": progress}
    given = [name for name, value in columns.items() if value is not None]
    if given:
        raise ValueError(
            f"{path} is a store, which has no columns to choose: leave out {', '.join(given)}."
        )
    curves = store.curves()
    names = [observable] if observable is not None else [y] if isinstance(y, str) else y
    return curves if names is None else joined(only(curves, name, str(path)) for name in names)
