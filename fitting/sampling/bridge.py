"""Bridge sampling: the evidence from draws of the posterior and of a proposal fitted to others.

The iterative optimal bridge of Meng and Wong (1996, Stat. Sinica 6:831, eq. 4.1), as Gronau et al.
(2017, J. Math. Psychol. 81:80) use it for evidence: one half of every chain fits the proposal, the
other half is counted. The relative error is that of Fruehwirth-Schnatter (2004, Econom. J. 7:143,
eq. 17), with the effective size of autocorrelated draws.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.log_sum_exp import log_sum_exp
from fitting.sampling.importance import from_points

FloatArray = NDArray[np.float64]

COMPONENTS_EACH = 4  # of the proposal, a dimension
PROPOSED = 4  # draws of the proposal for one of the posterior: they cost next to nothing
SETTLED = 1e-10
MOST_ROUNDS = 1000


@final
@dataclass(frozen=True)
class Bridge:
    """An evidence by bridge sampling.

    Attributes
    ----------
    log_evidence
        In nats; nan if the iteration did not settle.
    se
        Its standard error, in nats (the relative error of the evidence).
    """

    log_evidence: float
    se: float


def bridge(
    chains: FloatArray,
    log_density: Callable[[FloatArray], FloatArray],
    *,
    rng: np.random.Generator,
) -> Bridge:
    """Estimate the integral of an unnormalized density from draws of it.

    Parameters
    ----------
    chains
        Shape (chains, draws, d): draws of the density, in deviates whose prior is N(0, I).
    log_density
        Logarithm (B,) of the density at points (B, d).
    rng
        Draws from the proposal, a mixture of Student t distributions and the prior.
    """
    d = chains.shape[2]
    half = chains.shape[1] // 2
    fitted, kept = chains[:, :half].reshape(-1, d), chains[:, half:]
    proposal = from_points(fitted, COMPONENTS_EACH * d, rng=rng)
    flat = kept.reshape(-1, d)
    proposed = proposal.draw(PROPOSED * len(flat), rng=rng)
    of_posterior = log_density(flat) - proposal.log_proposal(flat)
    of_proposal = log_density(proposed) - proposal.log_proposal(proposed)
    return bridged(of_posterior.reshape(kept.shape[:2]), of_proposal)


def bridged(of_posterior: FloatArray, of_proposal: FloatArray) -> Bridge:
    """Estimate the evidence from log ratios of the density to the proposal's.

    Parameters
    ----------
    of_posterior
        Shape (chains, draws): at draws of the density.
    of_proposal
        Shape (N,): at independent draws of the proposal; -inf where the density is zero.
    """
    level = float(np.median(of_posterior))
    one, two = of_posterior - level, of_proposal - level
    size = effective_size(one)
    share = size / (size + two.size)
    log_r, change = 0.0, np.inf
    for _ in range(MOST_ROUNDS):
        inner = _joint(two, share, log_r)
        outer = _joint(one.ravel(), share, log_r)
        new = _log_mean(two - inner) - _log_mean(-outer)
        change, log_r = abs(new - log_r), new
        if change < SETTLED:
            break
    if not change < SETTLED:
        return Bridge(float("nan"), float("inf"))
    of_two = np.exp(two - _joint(two, share, log_r))
    of_one = np.exp(log_r - _joint(one, share, log_r))
    relative = of_two.var(ddof=1) / of_two.mean() ** 2 / two.size
    relative += of_one.var(ddof=1) / of_one.mean() ** 2 / effective_size(of_one)
    return Bridge(level + log_r, float(np.sqrt(relative)))


def _joint(log_ratio: FloatArray, share: float, log_r: float) -> FloatArray:
    """Log of the two densities' mixture over the proposal's, both unnormalized."""
    return np.asarray(np.logaddexp(np.log(share) + log_ratio, np.log1p(-share) + log_r))


def _log_mean(x: FloatArray) -> float:
    return float(log_sum_exp(x) - np.log(x.size))


def effective_size(values: FloatArray) -> float:
    """Effective number of autocorrelated draws (chains, draws) behind their mean."""
    if np.ptp(values) == 0.0:
        return float(values.size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import arviz

        found = float(arviz.ess(values, method="mean"))
    return min(found, float(values.size)) if np.isfinite(found) else 1.0
