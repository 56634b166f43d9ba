"""Whether chains agree, and how many independent draws they are worth.

Gelman et al. (2013), split R-hat; Vehtari et al. (2021), effective sample size of several chains
with Geyer's (1992) initial monotone sequence.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def split_rhat(draws: Floats) -> float:
    """Return split R-hat of (K, T) draws; infinite where chains are constant but differ.

    Parameters
    ----------
    draws : (K, T) array
        T of at least 4.
    """
    within, between, n = _variances(_halves(draws))
    if within == 0:
        return 1.0 if between == 0 else float("inf")
    return float(np.sqrt((n - 1) / n + between / (n * within)))


def effective_sample_size(draws: Floats) -> float:
    """Return how many independent draws the mean of (K, T) draws is worth.

    Parameters
    ----------
    draws : (K, T) array
        T of at least 4. Constant draws count as all of them.
    """
    halves = _halves(draws)
    within, between, n = _variances(halves)
    total = halves.size
    pooled = (n - 1) / n * within + between / n
    if pooled == 0:
        return float(total)
    correlation = 1 - (within - _autocovariance(halves).mean(0)) / pooled
    correlation[0] = 1.0
    return float(total / max(_correlation_time(correlation), 1 / np.log10(total)))


def _halves(draws: Floats) -> Floats:
    half = draws.shape[1] // 2
    return np.concatenate([draws[:, :half], draws[:, -half:]])


def _variances(chains: Floats) -> tuple[float, float, int]:
    """Return the variance within, n times the variance of the means, and n."""
    n = chains.shape[1]
    return float(chains.var(1, ddof=1).mean()), float(n * chains.mean(1).var(ddof=1)), n


def _autocovariance(chains: Floats) -> Floats:
    """Return the autocovariance of every chain at lags 0 to n - 1."""
    n = chains.shape[1]
    centered = chains - chains.mean(1, keepdims=True)
    power = np.abs(np.fft.rfft(centered, 2 * n, axis=1)) ** 2
    covariance: Floats = np.fft.irfft(power, axis=1)[:, :n] / n
    return covariance


def _correlation_time(correlation: Floats) -> float:
    """Return 1 + 2 · the sum of correlations, cut where noise begins.

    Pairs of lags count until one is not positive, never rising; of that one, or of the last, the
    even lag counts once if it is positive.
    """
    count = max(1, (correlation.size - 1) // 2)
    pairs: Floats = correlation[: 2 * count].reshape(-1, 2).sum(1)
    negative = np.flatnonzero(pairs <= 0)
    end = int(negative[0]) if negative.size else count - 1
    monotone = np.minimum.accumulate(pairs[:end])
    return float(-1 + 2 * monotone.sum() + max(correlation[2 * end], 0.0))
