"""The tail of importance weights, which says whether their mean can be trusted."""

import math

import numpy as np
from numpy.typing import NDArray

from theory.native import native

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
    return float(generalized_pareto(excess[None])[0][0]) if excess.size >= 5 else float("-inf")


def generalized_pareto(excess: Array) -> tuple[Array, Array]:
    """Shape and scale of generalized Pareto distributions: Zhang and Stephens' posterior means.

    Parameters
    ----------
    excess : ndarray, shape (C, n)
        Positive excesses over a threshold, every row sorted.

    Returns
    -------
    shape, scale : ndarray, shape (C,)
        The shape with the weak prior towards 0.5.
    """
    n = excess.shape[1]
    n_grid = 30 + int(np.sqrt(n))
    quartile = excess[:, int(n / 4 + 0.5) - 1, None]
    grid = 1 - np.sqrt(n_grid / (np.arange(1, n_grid + 1) - 0.5))
    b = grid / (3 * quartile) + 1 / excess[:, -1:]
    k = _mean_log(b, excess)
    profile = n * (np.log(-b / k) - k - 1)
    weight = np.exp(profile - profile.max(axis=1, keepdims=True))
    best = np.sum(b * weight, axis=1) / weight.sum(axis=1)
    shape = _mean_log(best[:, None], excess)[:, 0]
    return (shape * n + 0.5 * 10) / (n + 10), -shape / best


def _mean_log(b: Array, excess: Array) -> Array:
    """Mean of ``ln(1 - b x)`` over every row's excesses, for b (C, G): shape (C, G)."""
    means = np.empty(b.shape)
    _mean_logs(np.ascontiguousarray(b), np.ascontiguousarray(excess), means)
    return means


@native
def _mean_logs(b: Array, excess: Array, means: Array) -> None:
    rows, n = excess.shape
    for c in range(rows):
        for g in range(b.shape[1]):
            total, product = 0.0, 1.0
            for i in range(n):
                product *= 1.0 - b[c, g] * excess[c, i]
                if i % 8 == 7:  # one logarithm for eight factors
                    total += math.log(product)
                    product = 1.0
            means[c, g] = (total + math.log(product)) / n
