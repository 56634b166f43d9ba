"""Predicting every point from all others, by Pareto-smoothed importance sampling.

Vehtari, Gelman and Gabry 2017 (Stat. Comput. 27:1413), smoothed as in Vehtari et al. 2024 (JMLR
25:72). It takes points as exchangeable, so under autocorrelated noise there is no such number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.doubts import FAILED
from fitting.fit import PosteriorFit
from fitting.sampling.pareto import generalized_pareto
from theory.curve import Curve
from theory.hypothesis import Hypothesis
from theory.noise import NoiseKind

FloatArray = NDArray[np.float64]

LARGEST_K = 0.7
"""Above it the weights of a point left out are too uneven (Vehtari et al. 2024, section 3.2.4)."""

_CHUNK = 12_000  # numbers at a time, which stay in the processor's cache

MOST_DRAWS = 500
"""Enough for a tenth of a nat; twice as many would cost twice the time."""


@final
@dataclass(frozen=True, eq=False)
class Loo:
    """A score by leaving points out, one at a time.

    Attributes
    ----------
    elpd
        Sum of the log predictive densities, in nats, higher is better; None where not valid.
    pareto_k
        Shape (n,): tail index of the weights of every point; empty where not computed.
    reason
        Why there is no number, without a full stop; empty if there is one.
    """

    elpd: float | None
    pareto_k: FloatArray
    reason: str = ""


def loo(posterior: PosteriorFit, curve: Curve) -> Loo:
    """Score a posterior by how well it predicts each point of its curve from the others."""
    hypothesis = posterior.hypothesis
    reason = ""
    if autocorrelated(hypothesis):
        reason = (
            "PSIS-LOO is not defined here: it takes points as exchangeable, and this noise is "
            "autocorrelated"
        )
    elif len(posterior.draws) == 0:
        reason = "There are no posterior draws for PSIS-LOO"
    elif posterior.status in FAILED:
        reason = "PSIS-LOO needs a posterior that was sampled well"
    if reason:
        return Loo(None, np.empty(0), reason)
    with np.errstate(all="ignore"):
        elpd, pareto_k = smoothed(_pointwise(posterior, curve))
    beyond = int(np.sum(~(pareto_k <= LARGEST_K)))
    if beyond or not np.all(np.isfinite(elpd)):
        points = "point has" if beyond == 1 else "points have"
        reason = f"PSIS-LOO is not reliable: {beyond} {points} a Pareto k above {LARGEST_K}"
        return Loo(None, pareto_k, reason)
    return Loo(float(elpd.sum()), pareto_k)


def autocorrelated(hypothesis: Hypothesis) -> bool:
    """Whether the noise lets points depend on each other."""
    memories = (NoiseKind.TIME, NoiseKind.COUNT)
    return any(parameter.kind in memories for parameter in hypothesis.noise.parameters)


def _pointwise(posterior: PosteriorFit, curve: Curve) -> FloatArray:
    """Log likelihood of every point at up to 500 draws, (S, n), a few draws at a time."""
    draws = posterior.draws[:: max(1, len(posterior.draws) // MOST_DRAWS)]
    found = np.empty((len(draws), curve.n_obs))
    size = max(1, _CHUNK // curve.n_obs)
    for i in range(0, len(draws), size):
        found[i : i + size] = posterior.hypothesis.pointwise(draws[i : i + size], curve)
    return found


def smoothed(log_likelihood: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Log predictive density of every point left out, and the tail index of its weights.

    Parameters
    ----------
    log_likelihood
        Shape (S, n): of every point at S posterior draws.

    Returns
    -------
    elpd, pareto_k : ndarray, shape (n,)
    """
    size, n = log_likelihood.shape
    elpd, pareto_k = np.empty((2, n))
    few = max(1, _CHUNK // size)
    for i in range(0, n, few):
        part = slice(i, i + few)
        elpd[part], pareto_k[part] = _smoothed(np.ascontiguousarray(log_likelihood[:, part].T))
    return elpd, pareto_k


def _smoothed(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Do as `smoothed` does, from log likelihoods (n, S)."""
    lowest = values.min(axis=1, keepdims=True)
    log_weight = lowest - values  # at most 0
    size = values.shape[1]
    n_tail = int(np.ceil(min(0.2 * size, 3 * np.sqrt(size))))
    place = np.argpartition(log_weight, size - n_tail - 1, axis=1)[:, size - n_tail - 1 :]
    largest = np.take_along_axis(log_weight, place, axis=1)
    order = np.argsort(largest, axis=1, kind="stable")
    place, largest = (np.take_along_axis(x, order, axis=1) for x in (place, largest))
    cut = np.exp(largest[:, :1])
    excess = np.exp(largest[:, 1:]) - cut
    shape, scale = np.full(len(values), -np.inf), np.ones(len(values))
    uneven = excess[:, -1] > 1e-12
    shape[uneven], scale[uneven] = generalized_pareto(np.maximum(excess[uneven], 1e-300))
    u = (np.arange(n_tail) + 0.5) / n_tail
    k = shape[uneven, None]
    quantiles = scale[uneven, None] * np.expm1(-k * np.log1p(-u)) / k
    tail = largest[:, 1:]
    tail[uneven] = np.minimum(np.log(quantiles + cut[uneven]), 0.0)
    # Weight times likelihood is the same at all draws whose weight is not smoothed.
    changed = tail + np.take_along_axis(values, place[:, 1:], axis=1) - lowest
    np.put_along_axis(log_weight, place[:, 1:], tail, axis=1)
    total = size - n_tail + np.exp(changed).sum(axis=1)
    elpd = lowest[:, 0] + np.log(total) - np.log(np.exp(log_weight).sum(axis=1))
    return np.asarray(elpd), shape
