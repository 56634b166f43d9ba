"""Adaptive importance sampling over standard normal deviates.

Rounds of draws from a mixture of Student-t components that is fitted anew to all weighted draws so
far (Cornuet, Marin, Mira and Robert 2012, Scand. J. Stat. 39:798; mixtures by weighted EM: Cappe
et al. 2008, Stat. Comput. 18:447; new components where a single draw weighs most: Raftery and Bao
2010, Biometrics 66:1162). A share of every round comes from the prior N(0, I) itself, and
weights are by the deterministic mixture of all rounds (balance heuristic: Owen and Zhou 2000).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from fitting.log_sum_exp import log_sum_exp

Array = NDArray[np.float64]

LOG_2PI = float(np.log(2 * np.pi))
DEFENSE = 0.05  # share of the prior in every proposal
CHUNK = 1 << 17  # numbers of a mixture's density at a time
FITTED = 3000  # weightiest draws that a mixture is fitted to


@final
@dataclass(frozen=True, eq=False)
class Mixture:
    """A mixture of Student-t distributions.

    Attributes
    ----------
    weights : ndarray, shape (K,)
    centers : ndarray, shape (K, d)
    factors : ndarray, shape (K, d, d)
        Lower Cholesky factors of the scale matrices.
    freedom : int
        Degrees of freedom of every component.
    """

    weights: Array
    centers: Array
    factors: Array
    freedom: int = 15

    def log_parts(self, z: Array) -> tuple[Array, Array]:
        """Log weighted density (K, N) and squared Mahalanobis distance (K, N) of each component."""
        d = z.shape[1]
        inverse, heights = self._parts
        # L^-1 (z - c) = L^-1 z - L^-1 c: one matrix product for all components.
        u = (inverse.reshape(-1, d) @ z.T).reshape(len(inverse), d, len(z))
        u -= inverse @ self.centers[..., None]
        distance = np.einsum("kin,kin->kn", u, u)
        density = heights[:, None] - 0.5 * (self.freedom + d) * np.log1p(distance / self.freedom)
        return np.asarray(density), distance

    @cached_property
    def _parts(self) -> tuple[Array, Array]:
        """Inverse factors (K, d, d), and weighted log densities (K,) at the centers."""
        d = self.centers.shape[1]
        constant = gammaln(0.5 * (self.freedom + d)) - gammaln(0.5 * self.freedom)
        constant -= 0.5 * d * np.log(self.freedom * np.pi)
        log_scale = np.log(np.einsum("kii->ki", self.factors)).sum(axis=1)
        heights = np.log(self.weights) + constant - log_scale
        inverse = np.asarray(np.linalg.inv(self.factors), dtype=np.float64)
        return inverse, np.asarray(heights)

    def log_proposal(self, z: Array) -> Array:
        """Log density of the proposal: this mixture and the defensive prior."""
        prior = -0.5 * (np.einsum("nd,nd->n", z, z) + z.shape[1] * LOG_2PI)
        mixture = np.empty(len(z))
        size = max(16, CHUNK // self.centers.size)
        for i in range(0, len(z), size):
            mixture[i : i + size] = self._log_density(z[i : i + size])
        return np.asarray(np.logaddexp(np.log(DEFENSE) + prior, np.log(1 - DEFENSE) + mixture))

    def _log_density(self, z: Array) -> Array:
        """Log density of the mixture (N,): as by `log_parts`, by powers that need no logarithm."""
        inverse, heights = self._parts
        d = z.shape[1]
        u = (inverse.reshape(-1, d) @ z.T).reshape(len(inverse), d, len(z))
        u -= inverse @ self.centers[..., None]
        np.square(u, out=u)
        root = 1 / np.sqrt(1 + u.sum(axis=1) / self.freedom)
        parts, power = np.ones_like(root), self.freedom + d
        while power:
            if power & 1:
                parts *= root
            root *= root
            power >>= 1
        top = heights.max()
        return np.asarray(np.log(np.exp(heights - top) @ parts) + top)

    def draw(self, size: int, *, rng: np.random.Generator) -> Array:
        """Draws from the proposal, (size, d); shares are exact up to rounding (stratified)."""
        d = self.centers.shape[1]
        shares = np.concatenate([[DEFENSE], (1 - DEFENSE) * self.weights])
        edges = np.cumsum(shares) * size
        which = np.searchsorted(edges / edges[-1] * size, np.arange(size) + rng.random())
        which = np.minimum(which, len(self.weights))
        normals = rng.standard_normal((size, d))
        stretch = np.sqrt(self.freedom / rng.chisquare(self.freedom, size))
        k = np.maximum(which - 1, 0)
        heavy = self.centers[k] + stretch[:, None] * np.einsum(
            "nij,nj->ni", self.factors[k], normals
        )
        return np.where((which == 0)[:, None], normals, heavy)


@final
@dataclass(frozen=True, eq=False)
class Population:
    """Draws of all rounds so far, weighted by the mixture of all their proposals.

    Attributes
    ----------
    z : ndarray, shape (N, d)
    log_likelihood : ndarray, shape (N,)
    mixtures : tuple of Mixture
        The proposal of each round.
    counts : tuple of int
        Draws of each round.
    log_densities : ndarray, shape (rounds, N)
        Of every draw under every proposal.
    """

    z: Array
    log_likelihood: Array
    mixtures: tuple[Mixture, ...] = ()
    counts: tuple[int, ...] = ()
    log_densities: Array = field(default_factory=lambda: np.empty((0, 0)))

    @cached_property
    def log_weight(self) -> Array:
        """Log of target over proposal, shape (N,)."""
        share = np.log(np.array(self.counts) / len(self.z))
        prior = -0.5 * (np.einsum("nd,nd->n", self.z, self.z) + self.z.shape[1] * LOG_2PI)
        proposal = log_sum_exp(self.log_densities + share[:, None], axis=0)
        return np.asarray(prior + self.log_likelihood - proposal)

    @cached_property
    def log_mean(self) -> float:
        """Log of the mean weight: the log evidence."""
        return float(log_sum_exp(self.log_weight) - np.log(len(self.z)))

    @cached_property
    def shares(self) -> Array:
        """Weights that sum to one, shape (N,)."""
        return np.asarray(np.exp(self.log_weight - self.log_mean) / len(self.z))

    @cached_property
    def ess(self) -> float:
        """Effective number of draws, ``1 / sum shares^2``."""
        return float(1 / np.sum(self.shares**2))

    @cached_property
    def se(self) -> float:
        """Standard error of ``log_mean`` (delta method)."""
        n = len(self.z)
        return float(np.sqrt(max(0.0, 1 / self.ess - 1 / n) * n / max(1, n - 1)))

    def extended(
        self,
        log_likelihood: Callable[[Array], Array],
        mixture: Mixture,
        draws: int,
        *,
        rng: np.random.Generator,
    ) -> "Population":
        """Add a round of draws from a proposal."""
        new = mixture.draw(draws, rng=rng)
        return self.joined(mixture, new, log_likelihood(new))

    def joined(self, mixture: Mixture, new: Array, log_likelihood: Array) -> "Population":
        """Add draws that were made from a proposal; again from the last one is no new round."""
        z = np.concatenate([self.z, new])
        values = np.concatenate([self.log_likelihood, log_likelihood])
        rows = [
            np.concatenate([row, old.log_proposal(new)])
            for row, old in zip(self.log_densities, self.mixtures, strict=True)
        ]
        if self.mixtures and self.mixtures[-1] is mixture:
            counts = (*self.counts[:-1], self.counts[-1] + len(new))
            return Population(z, values, self.mixtures, counts, np.array(rows))
        rows.append(mixture.log_proposal(z))
        return Population(
            z, values, (*self.mixtures, mixture), (*self.counts, len(new)), np.array(rows)
        )


def nobody(dimension: int) -> Population:
    """Return the population before the first round."""
    return Population(np.empty((0, dimension)), np.empty(0))


def refit(mixture: Mixture, weighted: Population) -> Mixture:
    """Fit the mixture to weighted draws: EM from where it was, plus a component where it lacks."""
    log_share = weighted.log_weight - weighted.log_weight.max()
    share = tempered(log_share, 20.0 * weighted.z.shape[1])
    keep = np.argsort(-share)[:FITTED]
    keep = keep[share[keep] > 1e-7]
    z, share = weighted.z[keep], share[keep] / share[keep].sum()
    if share.max() > 10 / len(weighted.z):
        mixture = _with_heaviest(mixture, z, share)
    for _ in range(3):
        mixture = _em(mixture, z, share)
    return mixture


def tempered(log_share: Array, ess: float) -> Array:
    """Shares to the largest power up to 1 that leaves an effective size of ``ess``."""
    ess = min(ess, 0.5 * np.isfinite(log_share).sum())
    low, high, power = 0.0, 1.0, 1.0
    for _ in range(12):
        share = np.exp(power * log_share)
        share /= share.sum()
        if 1 / np.sum(share**2) >= ess:
            low = power
        else:
            high = power
        if low == 1.0:
            break
        power = 0.5 * (low + high)
    return np.asarray(share)


def from_points(z: Array, most: int, *, rng: np.random.Generator) -> Mixture:
    """Fit a mixture of up to ``most`` components to equally weighted points (W, d)."""
    n, d = z.shape
    share = np.full(n, 1 / n)
    scale = np.quantile(np.abs(z - np.median(z, axis=0)), 0.5, axis=0) + 1e-9
    near = max(4 * d, n // most)
    centers, factors = [], []
    for k in rng.choice(n, size=min(most, n), replace=False):
        neighbors = z[np.argsort(np.sum(((z - z[k]) / scale) ** 2, axis=1))[:near]]
        centers.append(neighbors.mean(axis=0))
        spread = np.cov(neighbors.T).reshape(d, d) + 1e-4 * np.diag(scale**2)
        factors.append(np.linalg.cholesky(spread))
    weights = np.full(len(centers), 1 / len(centers))
    mixture = Mixture(weights, np.array(centers), np.array(factors), freedom=8)
    for _ in range(8):
        mixture = _em(mixture, z, share)
    return mixture


def joined(first: Mixture, second: Mixture, share: float) -> Mixture:
    """Mix two mixtures, the second with weight ``share``."""
    return replace(
        first,
        weights=np.concatenate([(1 - share) * first.weights, share * second.weights]),
        centers=np.concatenate([first.centers, second.centers]),
        factors=np.concatenate([first.factors, second.factors]),
    )


def _with_heaviest(mixture: Mixture, z: Array, share: Array) -> Mixture:
    """Add a component at the heaviest draw, shaped like its neighbors."""
    center = z[np.argmax(share)]
    mean = share @ z
    scale = np.sqrt(share @ (z - mean) ** 2) + 1e-12
    distance = np.sum(((z - center) / scale) ** 2, axis=1)
    near = np.argsort(distance)[: max(4 * z.shape[1], len(z) // 10)]
    part = 0.5 * (share[near] / share[near].sum() + 1 / len(near))
    offset = z[near] - center
    covariance = (offset * part[:, None]).T @ offset
    factor = np.linalg.cholesky(covariance + 1e-6 * np.diag(scale**2))
    return replace(
        mixture,
        weights=np.append(0.8 * mixture.weights, 0.2),
        centers=np.vstack([mixture.centers, center]),
        factors=np.concatenate([mixture.factors, factor[None]]),
    )


def _em(mixture: Mixture, z: Array, share: Array) -> Mixture:
    """One step of expectation-maximization for Student-t components on weighted draws."""
    d = z.shape[1]
    log_parts, distance = mixture.log_parts(z)
    owned = np.exp(log_parts - log_sum_exp(log_parts, axis=0)) * share
    weights = owned.sum(axis=1)
    pull = owned * (mixture.freedom + d) / (mixture.freedom + distance)
    effective = weights**2 / np.maximum(np.sum(owned**2, axis=1), 1e-300)
    alive = (weights > 3e-3) & (effective > 2)
    if not alive.any():
        return mixture
    pull, before = pull[alive], mixture.factors[alive]
    # As many pseudo-draws from the component as it was as it takes to keep it from collapsing.
    trust = (effective / (effective + d + 2))[alive, None]
    centers = trust * (pull @ z) / pull.sum(axis=1, keepdims=True)
    centers += (1 - trust) * mixture.centers[alive]
    scatter = _scatter(z, pull, centers) / weights[alive, None, None]
    blend = trust[..., None] * scatter
    blend += (1 - trust[..., None]) * (before @ before.swapaxes(1, 2))
    return replace(
        mixture,
        weights=weights[alive] / weights[alive].sum(),
        centers=centers,
        factors=np.linalg.cholesky(blend),
    )


def _scatter(z: Array, pull: Array, centers: Array) -> Array:
    """Sum squares and products (K, d, d) of draws (N, d) about centers, pulled by (K, N)."""
    offset = z - centers[:, None]
    return np.asarray((offset * pull[..., None]).swapaxes(1, 2) @ offset)
