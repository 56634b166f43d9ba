"""Evidence by other means: closed forms, quadrature, and long independent importance sampling.

Written apart from `fitting.evidence`: shapes of forms by hand, likelihoods by dense algebra. Of the
package they take the priors' transports only, and its posterior draws to say where to look.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import lgamma

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, gammaln, logsumexp
from scipy.stats import binom, norm

from theory.curve import Curve
from theory.hypothesis import Hypothesis

FloatArray = NDArray[np.float64]
LogDensity = Callable[[FloatArray], FloatArray]

CHUNK = 2000
DEFENSE = 0.1  # share of the prior in the referee's proposal
FREEDOM = 5.0
COMPONENTS = 40


@dataclass(frozen=True)
class Truth:
    """A log evidence with its own error (0 where exact to the digits shown), and how it was got."""

    value: float
    se: float
    how: str


def collapsed(hypothesis: Hypothesis, curve: Curve) -> tuple[tuple[str, ...], LogDensity]:
    """Log of prior times likelihood over the deviates of all but floor and gain (or slope).

    Ordered places count once, k! times as much. Only Gaussian noises: white, known_se, ou_white.
    """
    names = tuple(name for name in hypothesis.names if name not in hypothesis.form.linear)
    priors = [hypothesis.priors[name].gaussians for name in hypothesis.form.linear]
    mean = np.array([parts[0][1] for parts in priors])
    groups = hypothesis.places(names)

    def one_chunk(z: FloatArray) -> FloatArray:
        theta = dict(zip(names, hypothesis.transport(z, names).T, strict=True))
        design = _design(hypothesis.form.name, curve.t, theta, len(z))
        columns = np.concatenate([(curve.y - design @ mean)[..., None], design], axis=-1)
        gram, log_det = _weighed(hypothesis.noise.name, curve, theta, columns)
        terms = []
        for (w0, _, s0), (w1, _, s1) in ((a, b) for a in priors[0] for b in priors[1]):
            precision = np.diag([s0**-2, s1**-2])
            inner = gram[:, 1:, 1:] + precision
            solved = np.linalg.solve(inner, gram[:, 1:, :1])[..., 0]
            square = gram[:, 0, 0] - np.einsum("bi,bi->b", gram[:, 1:, 0], solved)
            ratio = np.linalg.slogdet(inner)[1] - np.log(np.diag(precision)).sum()
            terms.append(np.log(w0 * w1) - 0.5 * (square + log_det + ratio))
        value = logsumexp(terms, axis=0) + norm.logpdf(z).sum(axis=1)
        for places in groups:
            increasing = np.all(np.diff(z[:, places], axis=1) >= 0, axis=1)
            value = np.where(increasing, value + lgamma(len(places) + 1), -np.inf)
        return np.nan_to_num(value, nan=-np.inf)

    return names, _in_chunks(one_chunk)


def counted(hypothesis: Hypothesis, curve: Curve) -> tuple[tuple[str, ...], LogDensity]:
    """Log of prior times likelihood over all deviates of a logistic of counts, by scipy."""
    assert curve.n_trials is not None
    names, trials = hypothesis.names, curve.n_trials
    successes = np.round(curve.y * trials)

    def one_chunk(z: FloatArray) -> FloatArray:
        theta = dict(zip(names, hypothesis.transport(z, names).T, strict=True))
        shape = _design("logistic", curve.t, theta, len(z))[..., 1]
        p = theta["floor"][:, None] + theta["gain"][:, None] * shape
        inside = np.all((p >= 0) & (p <= 1), axis=1)
        mass = binom.logpmf(successes, trials, np.clip(p, 0, 1)).sum(axis=1)
        value = mass + np.log(trials).sum() + norm.logpdf(z).sum(axis=1)
        return np.where(inside, value, -np.inf)

    return names, _in_chunks(one_chunk)


def _in_chunks(one_chunk: LogDensity) -> LogDensity:
    def whole(z: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            parts = [one_chunk(z[i : i + CHUNK]) for i in range(0, len(z), CHUNK)]
        return np.concatenate(parts)

    return whole


def _design(form: str, t: FloatArray, theta: dict[str, FloatArray], size: int) -> FloatArray:
    """Columns of floor and gain (or slope), (B, n, 2)."""

    def step(which: str) -> FloatArray:
        rate, place = theta[f"rate{which}"], theta[f"midpoint{which}"]
        return np.asarray(expit(rate[:, None] * (t - place[:, None])))

    if form == "linear":
        shape = np.broadcast_to(t, (size, t.size))
    elif form == "logistic":
        shape = step("")
    elif form == "double_logistic":
        share = theta["share"][:, None]
        shape = share * step("_1") + (1 - share) * step("_2")
    else:
        first, both = theta["share_1"][:, None], np.sqrt(theta["share_2"])[:, None]
        shape = both * (first * step("_1") + (1 - first) * step("_2")) + (1 - both) * step("_3")
    return np.stack([np.ones_like(shape), shape], axis=-1)


def _weighed(
    noise: str, curve: Curve, theta: dict[str, FloatArray], columns: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Inner products under the inverse covariance, (B, 3, 3), and ``ln |2 pi S|``, (B,)."""
    turned = np.swapaxes(columns, 1, 2)
    if noise == "ou_white":
        apart = np.abs(curve.t[:, None] - curve.t)
        wander, time, white = (
            theta[name][:, None, None] for name in ("sd_wander", "correlation_time", "sd_white")
        )
        dense = wander**2 * np.exp(-apart / time) + white**2 * np.eye(curve.n_obs)
        factor = np.linalg.cholesky(dense)
        whitened = np.linalg.solve(factor, columns)
        log_det = 2 * np.log(np.einsum("bii->bi", factor)).sum(axis=1)
        gram = np.swapaxes(whitened, 1, 2) @ whitened
    elif noise == "known_se":
        assert curve.y_se is not None
        gram = turned @ (columns / curve.y_se[:, None] ** 2)
        log_det = np.full(len(columns), 2 * np.log(curve.y_se).sum())
    else:
        variance = theta["sd_white"] ** 2
        gram = turned @ columns / variance[:, None, None]
        log_det = curve.n_obs * np.log(variance)
    return gram, log_det + curve.n_obs * np.log(2 * np.pi)


def by_quadrature(log_density: LogDensity, points: tuple[int, ...]) -> Truth:
    """Trapezoidal rule on a box narrowed to where the density is within 30 nats of its largest.

    The error stated is the change from a grid of three quarters as many points an axis.
    """
    low, high = np.full(len(points), -5.0), np.full(len(points), 5.0)
    for _ in range(4):
        value, mesh, cell = _on_grid(log_density, low, high, (40,) * len(points))
        near = mesh[value > value.max() - 30]
        low, high = near.min(axis=0) - cell, near.max(axis=0) + cell
    found = []
    for part in (0.75, 1.0):
        value, _, cell = _on_grid(log_density, low, high, [round(part * n) for n in points])
        found.append(float(logsumexp(value) + np.log(cell).sum()))
    grid = " x ".join(map(str, points))
    return Truth(found[1], abs(found[1] - found[0]), f"quadrature on {grid} points")


def _on_grid(
    log_density: LogDensity, low: FloatArray, high: FloatArray, points: list[int] | tuple[int, ...]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    axes = [np.linspace(a, b, n) for a, b, n in zip(low, high, points, strict=True)]
    mesh = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
    return log_density(mesh), mesh, (high - low) / (np.array(points) - 1)


def by_sampling(
    log_density: LogDensity, guide: FloatArray, *, size: int, rng: np.random.Generator
) -> Truth:
    """One long run of importance sampling from a mixture around guiding points and the prior."""
    weights, centers, factors = _components(guide, rng)
    d = guide.shape[1]
    which = rng.choice(len(weights), size=size, p=weights)
    stretch = np.sqrt(FREEDOM / rng.chisquare(FREEDOM, size))
    normals = rng.standard_normal((size, d))
    around = centers[which] + stretch[:, None] * np.einsum("nij,nj->ni", factors[which], normals)
    prior = rng.random(size) < DEFENSE
    z = np.where(prior[:, None], rng.standard_normal((size, d)), around)
    log_t = [_log_t(z, c, f) + np.log(w) for w, c, f in zip(weights, centers, factors, strict=True)]
    log_prior = norm.logpdf(z).sum(axis=1)
    proposal = np.logaddexp(
        np.log(DEFENSE) + log_prior, np.log(1 - DEFENSE) + logsumexp(log_t, axis=0)
    )
    log_weight = log_density(z) - proposal
    total = float(logsumexp(log_weight))
    share = np.exp(log_weight - total)
    se = float(np.sqrt(max(0.0, np.sum(share**2) - 1 / size)))
    return Truth(total - np.log(size), se, f"importance sampling, {size:,} draws")


def _components(
    guide: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Cells of the guiding points around some of them: weights, centers, widened factors."""
    d = guide.shape[1]
    scale = guide.std(axis=0)
    seeds = guide[rng.choice(len(guide), COMPONENTS, replace=False)]
    apart = np.sum(((guide[:, None] - seeds) / scale) ** 2, axis=2)
    weights, centers, factors = [], [], []
    whole = np.cov(guide.T).reshape(d, d)
    for k in range(COMPONENTS):
        own = guide[np.argmin(apart, axis=1) == k]
        near = guide[np.argsort(apart[:, k])[: max(10 * d, len(own))]]
        spread = np.cov(near.T).reshape(d, d) + 0.02 * whole
        weights.append(len(own) + 1.0)
        centers.append(near.mean(axis=0))
        factors.append(np.linalg.cholesky(1.5 * spread))
    return np.array(weights) / sum(weights), np.array(centers), np.array(factors)


def _log_t(z: FloatArray, center: FloatArray, factor: FloatArray) -> FloatArray:
    d = len(center)
    u = np.linalg.solve(factor, (z - center).T)
    constant = gammaln(0.5 * (FREEDOM + d)) - gammaln(0.5 * FREEDOM)
    constant -= 0.5 * d * np.log(FREEDOM * np.pi) + np.log(np.diag(factor)).sum()
    return np.asarray(constant - 0.5 * (FREEDOM + d) * np.log1p(np.sum(u**2, axis=0) / FREEDOM))
