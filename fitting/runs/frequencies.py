"""Variational posterior of how frequent models are among runs.

Every run n has its own model m_n, drawn with frequencies r that all runs share:

    r ~ Dirichlet(α_0),   P(m_n = k | r) = r_k,   p(y_n | m_n = k) = exp(log evidence of k on n)

With q(r, m) = q(r) ∏ q(m_n), q(r) is a Dirichlet distribution too (Stephan, Penny, Daunizeau, Moran
and Friston 2009, Bayesian model selection for group studies; Rigoux, Stephan, Friston and Daunizeau
2014, Bayesian model selection for group studies revisited, eq. A17-A21).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammaln, xlogy

from fitting.log_sum_exp import log_sum_exp

Array = NDArray[np.float64]

STEPS = 10_000
_SETTLED = 1e-9  # change of an expected number of runs


@final
@dataclass(frozen=True, eq=False)
class Frequencies:
    """What the iteration arrived at.

    Attributes
    ----------
    concentrations
        Shape (K,): of the Dirichlet posterior.
    assignments
        Shape (N, K): posterior probability that each model generated each run.
    free_energy
        Lower bound on the log evidence of all runs together, in nats.
    settled
        Whether the iteration converged.
    """

    concentrations: Array
    assignments: Array
    free_energy: float
    settled: bool


def frequencies(log_evidence: Array, prior: Array, groups: Array) -> Frequencies:
    """Infer frequencies that are the same for all groups of models and free within each.

    Parameters
    ----------
    log_evidence
        Shape (N, K); -inf where a model is impossible, though not a whole row.
    prior
        Shape (K,): Dirichlet concentrations.
    groups
        Shape (K, G): 1 where a model belongs to a group, else 0. One group of all models leaves all
        frequencies free; a group for each makes all equal, which needs no approximation.

    Returns
    -------
    Frequencies
        Of the stationary point reached from equal frequencies: the only one unless concentrations
        lie below about 1/2, and the same whatever the order of models and runs.
    """
    top = log_evidence.max(axis=1, keepdims=True)
    table = log_evidence - top
    concentrations = prior * (1.0 + len(table) / prior.sum())
    change = math.inf
    for _ in range(STEPS):
        new = prior + assigned(table + _log_frequency(concentrations, groups)).sum(axis=0)
        change = float(np.max(np.abs(new - concentrations)))
        concentrations = new
        if change < _SETTLED:
            break
    log_frequency = _log_frequency(concentrations, groups)
    assignments = assigned(table + log_frequency)
    possible = np.where(np.isfinite(table), table, 0.0)  # the others are not assigned
    runs = assignments * (possible + log_frequency) - xlogy(assignments, assignments)
    # Within groups, where frequencies are those of a Dirichlet distribution, -ln G has no part.
    divergence = float((concentrations - prior) @ (log_frequency + math.log(groups.shape[1])))
    divergence -= float(np.sum(_log_beta(concentrations, groups) - _log_beta(prior, groups)))
    energy = float(runs.sum()) - divergence + float(top.sum())
    return Frequencies(concentrations, assignments, energy, change < _SETTLED)


def assigned(logs: Array) -> Array:
    """Probabilities (N, K) in proportion to the exponentials of each row."""
    return np.asarray(np.exp(logs - log_sum_exp(logs, axis=1)[:, None]))


def _log_frequency(concentrations: Array, groups: Array) -> Array:
    """Return the expected logarithm of each frequency (K,)."""
    within = digamma(concentrations) - groups @ digamma(concentrations @ groups)
    return np.asarray(within - math.log(groups.shape[1]))


def _log_beta(concentrations: Array, groups: Array) -> Array:
    """Log normalizer of each group's Dirichlet distribution (G,)."""
    return np.asarray(gammaln(concentrations) @ groups - gammaln(concentrations @ groups))
