"""Performance profiles: the share of runs that score higher than each threshold."""

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
from theory.curve import FloatArray


@final
@dataclass(frozen=True, eq=False)
class Profile:
    """The distribution of run scores of one group.

    Attributes
    ----------
    thresholds : (n,) array
        Scores.
    share : (n,) array
        Share of runs above each, in the mean over tasks.
    lower, upper : (n,) array or None
        Pointwise 95 % band; None where a task has a single run.
    """

    thresholds: FloatArray
    share: FloatArray
    lower: FloatArray | None
    upper: FloatArray | None


def profile(
    scores: Scores,
    thresholds: FloatArray,
    *,
    n_resamples: int = RESAMPLES,
    rng: np.random.Generator,
) -> Profile:
    """Return the run-score distribution of a group (Agarwal et al. 2021, eq. 1).

    Parameters
    ----------
    scores : Scores
    thresholds : (n,) array
    n_resamples : int
    rng : numpy.random.Generator
    """
    check_resamples(n_resamples)
    thresholds = np.asarray(thresholds, dtype=np.float64)
    above = [(v[:, None] > thresholds[None, :]).astype(np.float64) for v in scores.values]
    share = np.mean([table.mean(axis=0) for table in above], axis=0)
    if single_run(scores):
        return Profile(thresholds, share, None, None)
    counts = resampled_counts(scores, n_resamples, rng)
    draws = np.mean([n @ t / t.shape[0] for n, t in zip(counts, above, strict=True)], axis=0)
    lower, upper = percentile_interval(draws)
    return Profile(thresholds, share, lower, upper)
