"""How well a curve's stages find the transitions that are known to have happened.

A stage found is matched to a known transition if its midpoint lies within a tolerance of it;
matches are one to one and the closest in sum (an assignment problem). What is left of the stages
are false alarms, what is left of the transitions are misses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.optimize import linear_sum_assignment

from fitting.comparison import Comparison

BOUNDARY_FORMS = (
    "constant",
    "linear",
    "exponential_approach",
    "logistic",
    "double_logistic",
    "signed_double_logistic",
    "triple_logistic",
)
"""Forms with none to three stages, from which the stages of a detector's curve are read."""


@final
@dataclass(frozen=True)
class Detection:
    """What the stages of one run found of its transitions.

    Attributes
    ----------
    transitions : int
        Known to have happened.
    lags : tuple of float
        Midpoint of the matching stage less the transition, of every hit, in units of t.
    false_alarms : int
        Stages near no transition.
    """

    transitions: int
    lags: tuple[float, ...]
    false_alarms: int

    @property
    def hits(self) -> int:
        """Transitions that were found."""
        return len(self.lags)


@final
@dataclass(frozen=True)
class DetectorScore:
    """A detector over runs.

    Attributes
    ----------
    name : str
        The observable, and how it was made.
    runs, transitions, hits, false_alarms : int
    median_lag : float or None
        In units of t; None without hits.
    not_judged : int
        Runs whose curve could not be fitted.
    """

    name: str
    runs: int
    transitions: int
    hits: int
    false_alarms: int
    median_lag: float | None
    not_judged: int = 0

    @property
    def row(self) -> tuple[str | int | float | None, ...]:
        """The score as a row under `COLUMNS`."""
        return (
            self.name,
            self.runs,
            self.transitions,
            self.hits,
            self.transitions - self.hits,
            self.false_alarms,
            self.median_lag,
            self.not_judged,
        )


COLUMNS = (
    "detector",
    "runs",
    "transitions",
    "hits",
    "misses",
    "false alarms",
    "median lag",
    "not judged",
)


def midpoints(comparison: Comparison) -> tuple[float, ...] | None:
    """Return the midpoints of the stages of the leading shape; None if nothing could be fitted."""
    found = comparison.stages
    return None if found is None else tuple(stage.midpoint.value for stage in found.stages)


def detect(found: Sequence[float], transitions: Sequence[float], *, tolerance: float) -> Detection:
    """Match midpoints of stages to known transitions.

    Parameters
    ----------
    found, transitions : sequences of float
        In the same units of t.
    tolerance : float
        Largest distance of a match, positive.

    Raises
    ------
    ValueError
        If the tolerance is not positive.
    """
    if not tolerance > 0:
        raise ValueError(f"tolerance must be positive; it is {tolerance}.")
    if not found or not transitions:
        return Detection(len(transitions), (), len(found))
    lag = np.subtract.outer(np.asarray(found, float), np.asarray(transitions, float))
    # A pair too far apart costs more than any set of pairs that are close enough.
    far = (len(transitions) + 1) * tolerance
    cost = np.where(np.abs(lag) <= tolerance, np.abs(lag), far)
    rows, columns = linear_sum_assignment(cost)
    lags = [float(lag[i, j]) for i, j in zip(rows, columns, strict=True) if cost[i, j] < far]
    return Detection(len(transitions), tuple(lags), len(found) - len(lags))


def score(name: str, detections: Sequence[Detection | None]) -> DetectorScore:
    """Sum detections over runs; None stands for a run that could not be judged."""
    judged = [each for each in detections if each is not None]
    lags = [lag for each in judged for lag in each.lags]
    return DetectorScore(
        name=name,
        runs=len(detections),
        transitions=sum(each.transitions for each in judged),
        hits=len(lags),
        false_alarms=sum(each.false_alarms for each in judged),
        median_lag=float(np.median(lags)) if lags else None,
        not_judged=len(detections) - len(judged),
    )
