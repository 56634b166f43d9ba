"""Binomial counts from uniform numbers: one number a count, whatever the count's size.

`Generator.binomial` takes as many random numbers as it needs, so that runs drawn together
could not each keep a stream of their own. Inversion takes one, for all runs at once.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

FloatArray = NDArray[np.float64]

LARGEST = 512
"""Largest number of trials: 2^-512 is still far from the smallest double."""


def binomial(u: FloatArray, trials: NDArray[Any], p: FloatArray) -> FloatArray:
    """Return counts of successes, by inversion counted from the rarer outcome.

    The rarer outcome's k-th probability follows from the one before, so its distribution
    function is summed up until it exceeds u; only counts not yet found are carried on.

    Parameters
    ----------
    u : (n,) array
        Uniform in [0, 1).
    trials : (n,) array
        Whole numbers of trials, at most `LARGEST`.
    p : (n,) array
        Chance of a success.
    """
    rare = np.minimum(p, 1.0 - p)
    odds, probability = rare / (1.0 - rare), np.exp(trials * np.log1p(-rare))
    left, untried = u - probability, trials
    count, passed, who = np.zeros(u.size), np.zeros(u.size), np.arange(u.size)
    for k in range(1, int(trials.max()) + 1):
        open_ = left >= 0
        num_open = np.count_nonzero(open_)
        if not num_open:
            break
        passed = passed + open_
        if 2 * num_open < who.size:
            count[who] = passed
            who, passed, odds, left = who[open_], passed[open_], odds[open_], left[open_]
            untried, probability = untried[open_], probability[open_]
        probability = probability * (untried * odds / k)
        left, untried = left - probability, untried - 1
    count[who] = passed
    count = np.minimum(count, trials)  # by rounding the sum may never exceed u
    return np.asarray(np.where(p > 0.5, trials - count, count))


def binomial_of(u: FloatArray, trials: int, p: float) -> NDArray[np.int64]:
    """Return counts of successes in equal trials, by inversion; `u` has any shape."""
    return np.searchsorted(_distribution(trials, p), u, side="right")


@lru_cache(maxsize=256)
def _distribution(trials: int, p: float) -> FloatArray:
    """Return the chance of at most 0, 1, …, trials successes."""
    return np.asarray(bdtr(np.arange(trials + 1.0), trials, p))
