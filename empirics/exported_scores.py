"""Curves of a store as scores: of each algorithm an array of runs × tasks, as rliable takes them.

R. Agarwal et al. (2021), Deep reinforcement learning at the edge of the statistical precipice:
``dict`` of algorithm to array of shape (n_runs, n_tasks). The file is an npz with an array an
algorithm; `dict(np.load(path))` is that dict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from empirics.atomically import write_atomically
from empirics.notes import listed
from empirics.store import Store
from theory.curve import Curve, Schedule

Scores = Mapping[str, NDArray[np.float64]]
EVERY = "all"
"""The one algorithm, or the one task, where no condition tells them apart."""


def scores_of(
    curves: Sequence[Curve],
    *,
    algorithm: str | None = None,
    task: str | None = None,
    at: float | None = None,
) -> tuple[Scores, tuple[str, ...]]:
    """Return the scores of curves of one observable.

    Parameters
    ----------
    curves : sequence of Curve
    algorithm, task : str or None
        Conditions that tell algorithms and tasks apart; without one, there is one.
    at : float or None
        The progress at which a curve is read, by its last point up to there; its end where None.

    Returns
    -------
    dict of str to (n_runs, n_tasks) array
        Runs in the order of their labels within a task.
    tuple of str
        The tasks, sorted: the columns.

    Raises
    ------
    ValueError
        If a curve lacks a condition or a point, or tasks of an algorithm have different numbers
        of runs: a table of runs × tasks would have holes.
    """
    observables = sorted({curve.observable for curve in curves})
    if len(observables) != 1:
        raise ValueError(
            f"scores are of one observable, and here are {listed(observables) or 'none'}: "
            "name one with --y."
        )
    cells: dict[tuple[str, str], list[float]] = {}
    for curve in sorted(curves, key=lambda curve: (curve.run, curve.run_id)):
        cell = (_said(curve, algorithm), _said(curve, task))
        cells.setdefault(cell, []).append(_value(curve, at))
    tasks = tuple(sorted({of for _, of in cells}))
    scores = {}
    for name in sorted({name for name, _ in cells}):
        runs = {of: len(cells.get((name, of), ())) for of in tasks}
        if len(set(runs.values())) > 1:
            said = ", ".join(f"{of}: {n}" for of, n in runs.items())
            raise ValueError(
                f"{name} has different numbers of runs in its tasks ({said}), and scores are a "
                "table of runs × tasks; choose runs that every task has with --where."
            )
        scores[name] = np.array([cells[name, of] for of in tasks]).T
    return scores, tasks


def export_scores(
    store: Store,
    path: Path,
    *,
    observable: Sequence[str] | None = None,
    where: str | None = None,
    algorithm: str | None = None,
    task: str | None = None,
    at: float | None = None,
) -> list[str]:
    """Write the scores of the curves that fulfil a condition to an ``.npz`` file.

    Parameters and errors as of `Store.curves` and `scores_of`.

    Returns
    -------
    list of str
        What reading left out, and which task each column is.
    """
    found = store.curves(observable, where=where)
    scores, tasks = scores_of(found.curves, algorithm=algorithm, task=task, at=at)
    path.parent.mkdir(parents=True, exist_ok=True)

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            np.savez(file, **scores)  # type: ignore[arg-type]

    write_atomically(path, write)
    return [*found.notes, f"Columns are the tasks {', '.join(tasks)}."]


def _said(curve: Curve, condition: str | None) -> str:
    if condition is None:
        return EVERY
    value = curve.conditions.get(condition)
    if value is None or isinstance(value, Schedule):
        known = ", ".join(sorted(curve.conditions)) or "none"
        raise ValueError(
            f"{curve.observable} of {curve.run or curve.run_id} has no one value of "
            f"{condition!r}; its conditions: {known}."
        )
    return str(value)


def _value(curve: Curve, at: float | None) -> float:
    i = curve.n_obs if at is None else int(np.searchsorted(curve.t, at, side="right"))
    if not i:
        raise ValueError(
            f"{curve.observable} of {curve.run or curve.run_id} begins at {curve.t[0]:g}, and has "
            f"no value at {at:g}."
        )
    return float(curve.y[i - 1])
