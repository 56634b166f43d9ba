"""Rows that cannot be one run: why not, and which column may tell the runs apart."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, combinations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from empirics.logged import ADVICE
from empirics.readers.columns import Columns

MOST = 8
"""Columns tried, alone and in pairs."""

T = "\0t"
"""A name that no column of the table has."""


def why_not_one_run(
    table: pl.DataFrame,
    columns: Columns,
    column: str,
    rows: NDArray[np.int64],
    t: NDArray[np.float64],
    kept: NDArray[np.intp],
) -> tuple[str, str]:
    """Return why some rows cannot be one run, empty if they can, and the advice on mixed runs.

    Where t goes back no column is needed to see it. Rows at one t are of several runs if a
    column of words says so; numbers that differ are what repeated measurements have.

    Parameters
    ----------
    table : DataFrame
    columns : Columns
    column : str
        The column of values, which tells no runs apart.
    rows : array
        Their numbers.
    t : array
        Their progress.
    kept : array
        Which of them repeat no other exactly: a log written twice is one run.
    """
    if (np.diff(t) > 0).all():
        return "", ADVICE
    words = columns_apart(table, rows, t, columns.words)
    others = [name for name in (*columns.words, *columns.numbers) if name != column]
    apart = words or columns_apart(table, rows, t, others)
    advice = advice_on(apart, columns.run)
    back = np.flatnonzero(np.diff(t) < 0)
    if back.size and apart:
        said = _goes_back(t, rows, int(back[0]), int(back[0]) + 1)
        return f"{said}: several runs seem to follow one another; {advice}.", advice
    back = np.flatnonzero(np.diff(t[kept]) < 0)
    if back.size:
        said = _goes_back(t, rows, int(kept[back[0]]), int(kept[back[0] + 1]))
        return (
            f"{said}: if several runs follow one another, {advice}; if a run was resumed, leave "
            "out the rows it repeats; else sort the rows by t.",
            advice,
        )
    if words:
        i = int(np.flatnonzero(np.diff(t) == 0)[0])
        return f"rows at one t (t = {t[i]}) seem to be of several runs; {advice}.", advice
    return "", advice


def _goes_back(t: NDArray[np.float64], rows: NDArray[np.int64], i: int, j: int) -> str:
    return f"t goes back from {t[i]} to {t[j]} in row {rows[j] + 1}"


def columns_apart(
    table: pl.DataFrame, rows: NDArray[np.int64], t: NDArray[np.float64], names: Sequence[str]
) -> tuple[str, ...]:
    """Return the column, or the two, of few values within each of which t only rises.

    Few: a value has two rows on average, or it would be one run a row.
    """
    names = names[:MOST]
    part = pl.DataFrame({T: t}).hstack(table[rows].select(names))
    for found in chain(((name,) for name in names), combinations(names, 2)):
        groups = part.group_by(found).agg((pl.col(T).diff() > 0).all())
        if 1 < groups.height <= part.height / 2 and groups[T].all():
            return found
    return ()


def advice_on(apart: Sequence[str], run: str | None) -> str:
    """Say what to do about mixed runs, given the columns that tell them apart."""
    if not apart and run:
        return f"name a column that tells more runs apart than {run!r} with --run"
    if not apart:
        return ADVICE
    together = [*([run] if run else []), *apart]
    if len(together) == 1:
        return f"column {apart[0]!r} may tell them apart: --run {apart[0]}"
    names = " and ".join(repr(name) for name in together)
    return (
        f"columns {names} together may tell them apart: make one column of them, and name it "
        "with --run"
    )
