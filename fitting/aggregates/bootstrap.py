"""Stratified bootstrap: runs are drawn again within each task, never the tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.aggregates.scores import Scores
from theory.curve import FloatArray

CONFIDENCE = 0.95
RESAMPLES = 2000
FEW_RUNS = 5
"""With fewer runs a task, resampling misses much of the spread that new runs would have."""


@final
@dataclass(frozen=True)
class Measured:
    """A measure over runs with its interval.

    Attributes
    ----------
    name : str
    value : float or None
    lower, upper : float or None
        Percentile interval of 95 %; None where runs cannot be drawn again.
    why_not : str
        Why something is None; empty if nothing is.
    """

    name: str
    value: float | None
    lower: float | None = None
    upper: float | None = None
    why_not: str = ""


def single_run(scores: Scores) -> str:
    """Say which tasks have a single run, so that nothing can be drawn again; empty if none has."""
    alone = [t for t, n in zip(scores.tasks, scores.counts, strict=True) if n < 2]
    if not alone:
        return ""
    named = ", ".join(task for task in alone if task)
    return f"There is a single run{f' of {named}' if named else ''}, and hence no interval."


def resampled(scores: Scores, n_resamples: int, rng: np.random.Generator) -> list[FloatArray]:
    """Return for each task its scores drawn again, (n_resamples, n_runs)."""
    return [v[rng.integers(v.size, size=(n_resamples, v.size))] for v in scores.values]


def resampled_counts(
    scores: Scores, n_resamples: int, rng: np.random.Generator
) -> list[NDArray[np.int64]]:
    """Return for each task how often each run was drawn, (n_resamples, n_runs).

    What is linear in these counts (shares, comparisons of two runs) needs no more than them.
    """
    return [
        rng.multinomial(n, np.full(n, 1.0 / n), size=n_resamples).astype(np.int64)
        for n in scores.counts
    ]


def percentile_interval(draws: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the 95 % percentile interval along the first axis (Efron 1979)."""
    tail = 0.5 * (1 - CONFIDENCE)
    lower, upper = np.quantile(draws, [tail, 1 - tail], axis=0)
    return np.asarray(lower), np.asarray(upper)


def check_resamples(n_resamples: int) -> None:
    """Check the number of resamples."""
    if n_resamples < 100:
        raise ValueError(f"an interval needs at least 100 resamples; n_resamples = {n_resamples}.")
