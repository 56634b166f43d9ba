"""Log evidences of models on runs as a checked table."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def evidence_table(
    log_evidence: Sequence[Sequence[float | None]] | Array,
    models: tuple[str, ...],
    runs: Sequence[str] | None,
) -> tuple[Array, tuple[str, ...]]:
    """Check log evidences, one row a run and one column a model.

    Parameters
    ----------
    log_evidence
        N rows of K values; -inf says that a model is impossible on a run.
    models
        K different names.
    runs
        N different names; by default ``run 0``, ``run 1`` and so on.

    Returns
    -------
    tuple
        The values, shape (N, K), and the names of the runs.

    Raises
    ------
    ValueError
        If a value is missing (None or NaN) or +inf, a run has none above -inf, a row is not as long
        as there are models, there are no runs or no models, a name occurs twice, or runs and rows
        differ in number.
    """
    rows = [list(row) for row in log_evidence]
    names = tuple(f"run {i}" for i in range(len(rows))) if runs is None else tuple(runs)
    if not rows or not models:
        raise ValueError(f"needs runs and models; got {len(rows)} runs, {len(models)} models.")
    for what, given in (("models", models), ("runs", names)):
        twice = sorted({name for name in given if given.count(name) > 1})
        if twice:
            raise ValueError(f"{what} must have different names; given twice: {twice}.")
    if len(names) != len(rows):
        raise ValueError(f"log_evidence has {len(rows)} rows for {len(names)} runs.")
    for run, row in zip(names, rows, strict=True):
        _check_row(run, row, models)
    return np.array(rows, dtype=np.float64), names


def _check_row(run: str, row: list[float | None], models: tuple[str, ...]) -> None:
    if len(row) != len(models):
        raise ValueError(
            f"log_evidence needs one value a model; {run} has {len(row)} for {len(models)} models."
        )
    for model, value in zip(models, row, strict=True):
        if value is None or math.isnan(value):
            raise ValueError(
                f"the log evidence of {model} on {run} is missing; leave out the run or the model."
            )
        if value == math.inf:
            raise ValueError(f"a log evidence must be below inf; that of {model} on {run} is not.")
    if all(value == -math.inf for value in row):
        raise ValueError(f"every model is impossible on {run} (all log evidences are -inf).")
