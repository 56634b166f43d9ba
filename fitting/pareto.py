"""The tail of importance weights, which says whether their mean can be trusted."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def pareto_k(log_weights: Array) -> float:
    """Tail index of importance weights: below 0.7 their mean is reliable.

    A generalized Pareto distribution is fitted to the largest weights (Zhang and Stephens 2009,
    Technometrics 51:316), with the weak prior towards 0.5 of Vehtari et al. 2024 (JMLR 25:72,
    section 3 and appendix C), whose threshold 0.7 is the usual one.

    Parameters
    ----------
    log_weights : ndarray, shape (N,)

    Returns
    -------
    float
        inf if fewer than 25 weights are positive.
    """
    finite = np.sort(log_weights[np.isfinite(log_weights)])
    n_tail = int(np.ceil(min(0.2 * finite.size, 3 * np.sqrt(finite.size))))
    if n_tail < 5:
        return float("inf")
    weights = np.exp(finite[-n_tail - 1 :] - finite[-1])
    excess = weights[1:] - weights[0]
    if excess[-1] <= 1e-12:  # a flat tail is as light as a tail can be
        return float("-inf")
    excess = excess[excess > 0]
    return _shape(excess) if excess.size >= 5 else float("-inf")


def _shape(excess: Array) -> float:
    """Generalized Pareto shape of sorted positive excesses: Zhang and Stephens' posterior mean."""
    n = excess.size
    n_grid = 30 + int(np.sqrt(n))
    quartile = excess[int(n / 4 + 0.5) - 1]
    grid = 1 - np.sqrt(n_grid / (np.arange(1, n_grid + 1) - 0.5))
    b = grid / (3 * quartile) + 1 / excess[-1]
    k = np.mean(np.log1p(-b[:, None] * excess), axis=1)
    profile = n * (np.log(-b / k) - k - 1)
    weight = np.exp(profile - profile.max())
    best = float(np.sum(b * weight) / weight.sum())
    shape = float(np.mean(np.log1p(-best * excess)))
    return (shape * n + 0.5 * 10) / (n + 10)
