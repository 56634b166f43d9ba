"""Scores of runs on tasks: one number a run, the runs of a task one stratum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from theory.curve import Curve, FloatArray, check_finite, locked, relock


@final
@dataclass(frozen=True, eq=False)
class Scores:
    """The scores of one group of runs.

    Attributes
    ----------
    tasks : tuple of str
    values : tuple of arrays
        For each task the scores (n_runs,) of its runs; tasks may differ in their number.

    Raises
    ------
    ValueError
        If there is no task, a task has no run, or a score is not finite.
    """

    tasks: tuple[str, ...]
    values: tuple[FloatArray, ...]

    def __post_init__(self) -> None:
        if not self.tasks or len(self.tasks) != len(self.values):
            raise ValueError(
                f"every task needs its scores, and there must be one; there are {len(self.tasks)} "
                f"tasks and scores of {len(self.values)}."
            )
        arrays = []
        for task, values in zip(self.tasks, self.values, strict=True):
            array = locked(values, f"scores of {task!r}")
            if not array.size:
                raise ValueError(f"task {task!r} has no run.")
            check_finite(array, f"scores of {task!r}")
            arrays.append(array)
        object.__setattr__(self, "values", tuple(arrays))

    def __setstate__(self, state: dict[str, Any]) -> None:
        relock(self, state)
        for values in self.values:
            values.setflags(write=False)

    @classmethod
    def of_array(cls, values: FloatArray, tasks: Sequence[str] | None = None) -> Scores:
        """Return the scores of an array (n_runs, n_tasks)."""
        values = np.atleast_2d(np.asarray(values, dtype=np.float64))
        names = tasks or [f"task {i + 1}" for i in range(values.shape[1])]
        return cls(tuple(names), tuple(values.T))

    @property
    def counts(self) -> tuple[int, ...]:
        """Number of runs of each task."""
        return tuple(values.size for values in self.values)

    def on(self, tasks: Sequence[str]) -> Scores:
        """Return the scores on some of the tasks, in the order given."""
        own = dict(zip(self.tasks, self.values, strict=True))
        return Scores(tuple(tasks), tuple(own[task] for task in tasks))


def score_of(curve: Curve, *, at: float | None = None, last: float | None = None) -> float:
    """Return the score of a run: its last value, by default.

    Parameters
    ----------
    curve : Curve
    at : float, optional
        A progress at which the run is read instead, linearly between its points.
    last : float, optional
        A share of the progress, (0, 1]: the mean of the points in this last part.

    Raises
    ------
    ValueError
        If both are given, the share is none, or the run was not observed at that progress.
    """
    if at is not None and last is not None:
        raise ValueError(f"a score is read at one progress or over the last share; got {at=}, "
                         f"{last=}.")  # fmt: skip
    if at is not None:
        if not curve.t[0] <= at <= curve.t[-1]:
            raise ValueError(
                f"run {curve.run or curve.run_id!r} was observed from {curve.t[0]:g} to "
                f"{curve.t[-1]:g}; it has no score at {at:g}."
            )
        return float(np.interp(at, curve.t, curve.y))
    if last is not None:
        check_share(last)
        return float(curve.y[curve.t >= curve.t[-1] - last * (curve.t[-1] - curve.t[0])].mean())
    return float(curve.y[-1])


def check_share(last: float) -> None:
    """Check that a share of the progress is one."""
    if not 0 < last <= 1:
        raise ValueError(f"the last share of the progress must lie in (0, 1]; it is {last}.")


def score_words(at: float | None, last: float | None) -> str:
    """Say what the score of a run is."""
    if at is not None:
        return f"its value at progress {at:g}, linearly between its points"
    if last is not None:
        return f"its mean over the last {100 * last:g} % of its progress"
    return "its last value"


def normalized(curve: Curve, low: float, high: float) -> Curve:
    """Return a curve in units in which `low` is 0 and `high` is 1.

    Raises
    ------
    ValueError
        If the two are equal or not finite.
    """
    if not (np.isfinite([low, high]).all() and low != high):
        raise ValueError(f"reference scores must be finite and differ; they are {low}, {high}.")
    return Curve(
        curve.observable,
        curve.t,
        (curve.y - low) / (high - low),
        progress=curve.progress,
        run=curve.run,
        run_id=curve.run_id,
        conditions=curve.conditions,
        origin=curve.origin,
    )


def groups_by(curves: Sequence[Curve], condition: str | None) -> Mapping[str, list[Curve]]:
    """Group curves by the value of a condition, sorted; all together where none is named.

    Raises
    ------
    ValueError
        If a run lacks the condition, or lets it drift; the conditions that runs carry are listed.
    """
    if condition is None:
        return {"": list(curves)}
    found: dict[str, list[Curve]] = {}
    for curve in curves:
        value = curve.conditions.get(condition)
        if value is None:
            known = ", ".join(sorted(curve.conditions)) or "none"
            raise ValueError(
                f"run {curve.run or curve.run_id!r} does not carry the condition {condition!r}; "
                f"it carries {known}."
            )
        if not isinstance(value, bool | int | float | str):
            raise ValueError(f"{condition} of run {curve.run!r} drifts; a group needs one value.")
        found.setdefault(str(value), []).append(curve)
    return {name: found[name] for name in sorted(found, key=_order)}


def _order(name: str) -> tuple[bool, float, str]:
    try:
        return False, float(name), name
    except ValueError:
        return True, 0.0, name
