"""Probabilities of shape families, however many near-duplicate forms the registry holds.

``P(F | y) ∝ P(F) sum_f w_f Z_f q_f(F) / sum_f w_f pi_f(F)`` with ``Z_f`` the evidence of form f,
``q_f`` and ``pi_f`` the posterior and prior share of its draws whose shape on the observed window
is F, ``w_f`` the redundancy weights of `fitting.redundancy`, and P(F) uniform over the families
that some form can produce at all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fitting.prior_draws import prior_draws
from fitting.redundancy import redrawn, redundancy_weights
from theory.family import Family, classify, family_grid
from theory.hypothesis import Hypothesis

FloatArray = NDArray[np.float64]

PRIOR_DRAWS = 1024
POSTERIOR_DRAWS = 1000
# A family that no form gives a priori more often than this is not in the running.
SMALLEST_PRIOR = 1e-3


@final
@dataclass(frozen=True, eq=False)
class FamilyTable:
    """What the family probabilities are made of; G forms, A candidates (form x noise), 5 families.

    Attributes
    ----------
    form_of
        Shape (A,): row of the form of each candidate.
    log_evidence, log_evidence_se
        Shape (A,); -inf for candidates without evidence.
    posterior
        Shape (A, 5): shares ``q`` of the candidate's posterior draws.
    prior
        Shape (G, 5): shares ``pi``.
    similarity
        Shape (G, G): what the redundancy weights ``w`` are made of.
    draws
        Shape (A,): effective number of draws behind each row of `posterior`.
    """

    form_of: NDArray[np.intp]
    log_evidence: FloatArray
    log_evidence_se: FloatArray
    posterior: FloatArray
    prior: FloatArray
    similarity: FloatArray
    draws: FloatArray

    def joint(self) -> FloatArray:
        """Posterior probability (A, 5) of candidate and family together; sums to 1.

        The noises of one form are alternatives of equal prior probability. Zeros if no candidate
        has evidence.
        """
        usable = np.isfinite(self.log_evidence)
        if not usable.any():
            return np.zeros(self.posterior.shape)
        weight = redundancy_weights(self.similarity)
        noises = np.bincount(self.form_of, minlength=len(weight))[self.form_of]
        top = self.log_evidence[usable].max()
        relative = np.where(usable, np.exp(np.minimum(self.log_evidence - top, 700.0)), 0.0)
        mass = (weight[self.form_of] * relative / noises)[:, None] * self.posterior
        reach = self._reach()
        mass = np.where(reach > SMALLEST_PRIOR, mass / np.maximum(reach, SMALLEST_PRIOR), 0.0)
        total = mass.sum()
        return np.asarray(mass / total) if total > 0 else np.zeros(mass.shape)

    def family_prior(self) -> FloatArray:
        """Prior probability (5,) of each family: uniform over those that are in the running."""
        possible = self._reach() > SMALLEST_PRIOR
        return np.asarray(possible / possible.sum())

    def _reach(self) -> FloatArray:
        """How often (5,) the forms together give each family a priori."""
        weight = redundancy_weights(self.similarity)
        return np.asarray(weight @ self.prior / weight.sum())

    def probabilities(self) -> FloatArray:
        """Posterior probability (5,) of each family, in the order of `Family`."""
        return np.asarray(self.joint().sum(axis=0))

    def perturbed(self, rng: np.random.Generator) -> FamilyTable:
        """Redraw the Monte-Carlo errors of evidences, shares and similarities once."""
        noise = rng.standard_normal(self.log_evidence.shape) * self.log_evidence_se
        return replace(
            self,
            log_evidence=self.log_evidence + np.where(np.isfinite(noise), noise, 0.0),
            posterior=_dirichlet(self.posterior, self.draws[:, None], rng),
            prior=_dirichlet(self.prior, PRIOR_DRAWS, rng),
            similarity=redrawn(self.similarity, rng),
        )


def family_shares(codes: ArrayLike, weights: FloatArray | None = None) -> FloatArray:
    """Share (5,) of each family among codes (S,), optionally weighted (S,)."""
    codes = np.asarray(codes).astype(np.intp)
    counts = np.bincount(codes, weights=weights, minlength=len(Family))
    return np.asarray(counts / counts.sum())


def prior_shapes(hypothesis: Hypothesis, t: FloatArray) -> FloatArray:
    """Prior-predictive curves (PRIOR_DRAWS, n_grid) of a form on the grid of its families."""
    theta = prior_draws(hypothesis, PRIOR_DRAWS)
    return np.asarray(hypothesis.form(family_grid(t), theta))


def prior_shares(shapes: FloatArray, t: FloatArray, *, scale: float) -> FloatArray:
    """Share (5,) of each family among prior-predictive curves (S, n_grid)."""
    return family_shares(classify(family_grid(t), shapes, scale=scale))


def _dirichlet(
    shares: FloatArray, draws: FloatArray | float, rng: np.random.Generator
) -> FloatArray:
    """Shares (A, 5) redrawn from their posterior, given that they were counted on `draws` draws."""
    gamma = rng.standard_gamma(shares * draws + 1e-3)
    return np.asarray(gamma / np.maximum(gamma.sum(axis=1, keepdims=True), 1e-300))
