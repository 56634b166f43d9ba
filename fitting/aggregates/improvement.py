"""Probability of improvement: how often a run of one group beats a run of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from fitting.aggregates.bootstrap import (
    RESAMPLES,
    check_resamples,
    percentile_interval,
    resampled_counts,
    single_run,
)
from fitting.aggregates.scores import Scores


@final
@dataclass(frozen=True)
class Improvement:
    """The probability that a run of group `a` scores higher than one of group `b`.

    Attributes
    ----------
    a, b : str
    tasks : tuple of str
        Those that both groups have; each counts alike.
    value : float or None
    lower, upper : float or None
        Percentile interval of 95 %.
    why_not : str
        Why something is None; empty if nothing is.
    """

    a: str
    b: str
    tasks: tuple[str, ...]
    value: float | None
    lower: float | None = None
    upper: float | None = None
    why_not: str = ""


def improvement(
    a: str,
    b: str,
    scores_a: Scores,
    scores_b: Scores,
    *,
    n_resamples: int = RESAMPLES,
    rng: np.random.Generator,
) -> Improvement:
    """Return the probability of improvement (Agarwal et al. 2021, eq. 2) of `a` over `b`.

    On each task it is the Mann-Whitney U over the number of pairs, ties counting half; over tasks
    it is averaged. Runs of both groups are drawn again within each task.
    """
    check_resamples(n_resamples)
    shared = tuple(task for task in scores_a.tasks if task in scores_b.tasks)
    if not shared:
        return Improvement(a, b, (), None, why_not=f"{a} and {b} share no task.")
    first, second = scores_a.on(shared), scores_b.on(shared)
    beats = [
        (x[:, None] > y[None, :]) + 0.5 * (x[:, None] == y[None, :])
        for x, y in zip(first.values, second.values, strict=True)
    ]
    value = float(np.mean([table.mean() for table in beats]))
    why_not = single_run(first) or single_run(second)
    if why_not:
        return Improvement(a, b, shared, value, why_not=why_not)
    drawn = zip(
        beats,
        resampled_counts(first, n_resamples, rng),
        resampled_counts(second, n_resamples, rng),
        strict=True,
    )
    draws = np.mean([((m @ table) * n).sum(axis=1) / table.size for table, m, n in drawn], axis=0)
    lower, upper = percentile_interval(draws)
    return Improvement(a, b, shared, value, float(lower), float(upper))
