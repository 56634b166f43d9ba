"""Goal-directedness for a known utility where the world is deterministic: a function of return."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import logsumexp

from theory.curve import FloatArray

ROUNDING = 1e-12
"""Means this close to the least or greatest return, in units of their distance, count as equal."""


def meg_of_return(u: ArrayLike, utilities: ArrayLike, weights: ArrayLike) -> FloatArray:
    """Return the maximum entropy goal-directedness of policies with mean return `u`, in nats.

    Where transitions are deterministic and the start is fixed, a policy is a distribution over
    sequences of actions, and the policies that maximize entropy at a given mean return are
    exponential tilts of the uniform one. Their log likelihood ratio to it, at its largest, is

        MEG(u) = sup over b of b u - K(b),    K(b) = log E[exp(b U)] under uniform actions,

    the rate function of the return under random play: it depends on the policy by its mean return
    alone. It is 0 at the mean u0 of random play, (u - u0)² / (2 Var U) close to it, and
    -log P(U = max U) at the optimum, so it lags behind the return. Policies worse than random are
    directed too, away from the goal, and b is negative. With random transitions or starts this
    identity does not hold: soft values take the place of K, and the measure is larger, but still a
    function of mean return (`empirics.goal_directedness`). It is a change of units of a policy's
    return, whatever came before.

    Parameters
    ----------
    u : array_like
        Mean returns, between the least and the greatest of `utilities`.
    utilities : (n,) array_like
        Returns of an episode of uniformly random actions; values may repeat.
    weights : (n,) array_like
        Their probabilities, or counts of sequences of actions; positive, of any sum.

    Raises
    ------
    ValueError
        If utilities and weights do not make a distribution, or a mean return lies outside it.

    References
    ----------
    MacDermott et al. 2024 (arXiv 2412.04758) for the measure; the identity is derived here, and
    tests hold it against soft value iteration.
    """
    values, log_p = distribution(utilities, weights)
    means = np.asarray(u, dtype=np.float64)
    low, high = float(values.min()), float(values.max())
    slack = ROUNDING * (high - low)
    outside = ~((means >= low - slack) & (means <= high + slack))
    if outside.any():
        raise ValueError(
            f"a mean return must lie between the least and the greatest utility, {low} and "
            f"{high}; one is {means[outside].flat[0]}."
        )
    rates = [rate(mean, values, log_p) for mean in means.ravel()]
    return np.reshape(np.asarray(rates, dtype=np.float64), means.shape)


def distribution(utilities: ArrayLike, weights: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return returns and the logarithms of their probabilities."""
    values = np.asarray(utilities, dtype=np.float64)
    shares = np.asarray(weights, dtype=np.float64)
    if values.ndim != 1 or not values.size or values.shape != shares.shape:
        raise ValueError(
            f"utilities and weights must be two lists of one length; their shapes are "
            f"{values.shape} and {shares.shape}."
        )
    if not (np.isfinite(values).all() and np.isfinite(shares).all() and (shares > 0).all()):
        raise ValueError("utilities and weights must be finite, and weights positive.")
    return values, np.log(shares) - math.log(shares.sum())


def rate(mean: float, values: FloatArray, log_p: FloatArray) -> float:
    """Return sup over b of b · mean - K(b) by the root of K'(b) = mean."""
    low, high = float(values.min()), float(values.max())
    span = high - low
    for edge in (low, high):
        if abs(mean - edge) <= ROUNDING * span:
            return max(0.0, -float(logsumexp(log_p[values == edge])))
    scaled, aim = (values - low) / span, (mean - low) / span

    def excess(tilt: float) -> float:
        logits = log_p + tilt * scaled
        return float(np.exp(logits - logsumexp(logits)) @ scaled) - aim

    start, end = -1.0, 1.0
    while excess(start) > 0:
        start *= 2
    while excess(end) < 0:
        end *= 2
    tilt = brentq(excess, start, end, xtol=1e-14, rtol=1e-14)
    return max(0.0, float(tilt * aim - logsumexp(log_p + tilt * scaled)))
