"""Where a form may fit at all: a deterministic search over its nonlinear parameters.

Quasi-random points over the whole prior, with the linear parameters and the noise profiled out
(variable projection: Golub and Pereyra 1973, SIAM J. Numer. Anal. 10:413), then
Levenberg-Marquardt from the best distinct ones, all at once, and from the least-squares fit
(`fitting.optimum`), whose search is the more thorough one.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from fitting.optimum.optima import Optima
from fitting.sampling.target import Target
from theory.hypothesis import default_hypothesis
from theory.noise import KnownSE, White

Array = NDArray[np.float64]

_NOTHING = 1e-100  # length of a column, of which no gain makes a curve

MOST = 12
"""Starts that are ever asked for."""

HELD_SD = 0.6
"""Spread around a deviate that was held, not searched."""


FindStarts = Callable[[Target, int, Mapping[int, float]], tuple[Array, Array]]


def spread(n: int, dimension: int) -> Array:
    """Spread deviates evenly, (n, dimension), as if drawn from N(0, I).

    The additive recurrence of the generalized golden ratio (Roberts 2018, R_d sequence).
    """
    ratio = 2.0
    for _ in range(60):
        ratio = (1 + ratio) ** (1 / (dimension + 1))
    steps = ratio ** -np.arange(1.0, dimension + 1)
    return np.asarray(ndtri((0.5 + np.arange(1, n + 1)[:, None] * steps) % 1))


def form_starts(
    target: Target,
    most: int,
    held: Mapping[int, float] = MappingProxyType({}),
    optima: Optima | None = None,
) -> tuple[Array, Array]:
    """Find deviates of the form's sampled parameters (K, n_form), and factors of their covariance.

    Parameters
    ----------
    target : Target
    most : int
        Largest K.
    held : mapping of int to float
        Deviates, by their place among the sampled parameters, that are not searched.
    optima : Optima, optional
        The curve's least-squares fits, if they are wanted for something else too.
    """
    profile = Profile(target, held)
    d = len(profile.free)
    if d == 0:
        z = np.zeros((1, 0))
        return _with_linear(target, z, held), _linear_factor(target, np.zeros((1, 0, 0)), held)
    z = spread(256 * d, d)
    score, _ = profile(z)
    z = _apart(z, score, 0.4, 12)
    if not held:
        z = np.concatenate((z, _fitted(target, profile.names, optima or Optima(target.curve))))
    z, score, factors = _levenberg_marquardt(profile, z)
    if not held:
        z = target.hypothesis.ordered(z, profile.names)
    order = np.argsort(-score)
    chosen: list[int] = []
    for k in order:
        near = any(np.abs(z[k] - z[j]).max() < 0.02 + np.abs(factors[j]).max() for j in chosen)
        if not near and len(chosen) < most:
            chosen.append(int(k))
    return _with_linear(target, z[chosen], held), _linear_factor(target, factors[chosen], held)


@final
class SharedStarts:
    """`form_starts` on one curve, sought once for all hypotheses that differ in their noise only.

    What comes back belongs to all of them and is not to be changed.

    Parameters
    ----------
    optima : Optima
        The curve's least-squares fits.
    """

    def __init__(self, optima: Optima) -> None:
        self.optima = optima
        self._found: dict[Hashable, tuple[Array, Array]] = {}

    def __call__(self, target: Target, most: int, held: Mapping[int, float]) -> tuple[Array, Array]:
        """Return what `form_starts` does."""
        hypothesis = target.hypothesis
        priors = tuple(hypothesis.priors[name] for name in hypothesis.form.names)
        support = None if hypothesis.noise.gaussian else hypothesis.noise.name
        key = (hypothesis.form.name, priors, support, tuple(sorted(held.items())))
        if key not in self._found:
            self._found[key] = form_starts(target, MOST, held, self.optima)
        starts, factors = self._found[key]
        return starts[:most], factors[:most]


@final
class Profile:
    """Residuals of the best linear parameters, and the noise-free score, at nonlinear deviates.

    Deviates are (B, d): those of the nonlinear parameters that are not held.
    """

    def __init__(self, target: Target, held: Mapping[int, float] = MappingProxyType({})) -> None:
        self.target = target
        self.held = held
        self.free = [i for i in target.nonlinear if i not in held]
        curve = target.curve
        self.names = tuple(target.names[i] for i in target.nonlinear)
        spread_y = float(np.std(curve.y))
        weight = np.ones(curve.n_obs)
        if curve.y_se is not None:
            typical = float(np.median(curve.y_se**2)) or 1.0
            weight = 1 / np.sqrt(1 + curve.y_se**2 / typical)
        self.weight = weight / spread_y
        self.y = (curve.y - curve.y.mean()) * self.weight

    def __call__(self, z: Array) -> tuple[Array, Array]:
        """Score (B,) and residuals (B, n), in units of the spread of y."""
        residual, _ = self.project(z)
        square = np.einsum("bn,bn->b", residual, residual)
        n = self.target.curve.n_obs
        score = -0.5 * n * np.log(square / n + 1e-8) - 0.5 * np.einsum("bd,bd->b", z, z)
        return np.where(np.isfinite(score), score, -np.inf), residual

    def project(self, z: Array) -> tuple[Array, Array]:
        """Residuals and best linear parameters (B, q) by ridge-stabilized normal equations."""
        theta = self.target.hypothesis.transport(self.whole(z), self.names)
        design = self.target.design(theta).swapaxes(1, 2) * self.weight
        with np.errstate(all="ignore"):
            if self.target.share is not None:
                design = self._joined(design)
            coefficient, norm = self._solved(design)
            residual = self.y - (coefficient[:, None] @ design)[:, 0]
            residual[~np.isfinite(residual).all(axis=1)] = np.inf
            return residual, coefficient / norm

    def whole(self, z: Array) -> Array:
        """Put the held deviates among the free ones: all nonlinear ones, in order."""
        if not self.held:
            return z
        out = np.empty((len(z), len(self.names)))
        for column, i in enumerate(self.target.nonlinear):
            out[:, column] = self.held[i] if i in self.held else z[:, self.free.index(i)]
        return out

    def _joined(self, design: Array) -> Array:
        """Join the columns (B, q + 1, n) that a share divides, at its best value in [0, 1]."""
        coefficient, norm = self._solved(design)
        gain = self.target.gain - 1
        part, total = (coefficient[:, k] / norm[:, k] for k in (-1, gain))
        share = np.clip(np.nan_to_num(part / total, nan=0.5), 0.0, 1.0)
        joined = design[:, :-1] * norm[:, :-1, None]
        joined[:, gain] += share[:, None] * design[:, -1] * norm[:, -1:]
        return joined

    def _solved(self, design: Array) -> tuple[Array, Array]:
        """Scale columns (B, q, n) in place; return coefficients and former lengths, (B, q) each."""
        norm = np.sqrt(np.einsum("bqn,bqn->bq", design, design))
        nothing = norm < _NOTHING
        norm[nothing] = 1.0
        design /= norm[..., None]
        design[nothing] = 0.0
        gram = design @ design.swapaxes(1, 2)
        right = design @ self.y
        bad = ~np.isfinite(gram).all(axis=(1, 2))
        gram[bad], right[bad] = np.eye(gram.shape[1]), 0.0
        gram += 1e-10 * np.eye(gram.shape[1])
        return np.linalg.solve(gram, right[..., None])[..., 0], norm


def _fitted(target: Target, names: tuple[str, ...], optima: Optima) -> Array:
    """Deviates (K, d) of these parameters where least squares has them; K is 0 or 1."""
    hypothesis, curve = target.hypothesis, target.curve
    if not hypothesis.noise.gaussian or not hypothesis.form.linear:
        return np.empty((0, len(names)))
    noise = White() if curve.y_se is None else KnownSE()
    form = hypothesis.form
    priors = {name: hypothesis.priors[name] for name in form.names}
    plain = default_hypothesis(form, noise, curve)
    plain = replace(plain, priors={**plain.priors, **priors})
    if curve.n_obs <= len(plain.names):
        return np.empty((0, len(names)))
    theta = optima(plain).theta[[form.names.index(name) for name in names]]
    z = hypothesis.standard(theta[None], names).clip(-6, 6)
    return np.asarray(z[np.isfinite(z).all(axis=1)])


def _apart(z: Array, score: Array, distance: float, most: int) -> Array:
    """Greedily the best-scoring points that keep their distance."""
    chosen: list[int] = []
    for k in np.argsort(-score)[: 40 * most]:
        if len(chosen) < most and all(np.linalg.norm(z[k] - z[j]) > distance for j in chosen):
            chosen.append(int(k))
    return z[chosen]


def _levenberg_marquardt(profile: Profile, z: Array) -> tuple[Array, Array, Array]:
    """Refine all starts together; returns deviates, scores, factors of the covariance."""
    k, d = z.shape
    n = profile.target.curve.n_obs
    step, damping = 1e-5, np.full(k, 1e-2)
    score, residual = profile(z)
    factors = np.empty((k, d, d))
    for _ in range(10):
        shifted = (z[:, None] + step * np.eye(d)).reshape(-1, d)
        moved = profile(shifted)[1].reshape(k, d, n)
        with np.errstate(invalid="ignore"):
            jacobian = np.nan_to_num((moved - residual[:, None]) / step, posinf=0.0, neginf=0.0)
        variance = np.einsum("kn,kn->k", residual, residual) / n + 1e-8
        curvature = np.einsum("kin,kjn->kij", jacobian, jacobian) / variance[:, None, None]
        gradient = np.einsum("kin,kn->ki", jacobian, residual) / variance[:, None] + z
        hessian = curvature + np.eye(d)
        factors = np.linalg.inv(np.linalg.cholesky(hessian)).transpose(0, 2, 1)
        trials = damping * np.array([0.05, 1.0, 20.0, 400.0])[:, None]
        scaling = np.einsum("kii->ki", hessian)
        damped = hessian + trials[..., None, None] * (scaling[..., None] * np.eye(d))
        candidates = (
            z - np.linalg.solve(damped, np.broadcast_to(gradient, (4, k, d))[..., None])[..., 0]
        )
        candidates = np.clip(candidates, z - 1.5, z + 1.5)
        new_score, new_residual = profile(candidates.reshape(-1, d))
        new_score = new_score.reshape(4, k)
        best = np.argmax(new_score, axis=0)
        pick = np.arange(k)
        better = new_score[best, pick] > score
        gain = np.where(better, new_score[best, pick] - score, 0.0)
        z = np.where(better[:, None], candidates[best, pick], z)
        residual = np.where(better[:, None], new_residual.reshape(4, k, n)[best, pick], residual)
        score = score + gain
        damping = np.clip(np.where(better, trials[best, pick], trials[-1]), 1e-8, 1e6)
        if gain.max() < 0.02:
            break
    return z, score, factors


def _with_linear(target: Target, z: Array, held: Mapping[int, float]) -> Array:
    """Place nonlinear deviates among the form's sampled ones, with fitted linear parameters."""
    whole = Profile(target, held).whole(z)
    out = np.zeros((len(z), target.n_form))
    out[:, target.nonlinear] = whole
    linear = target.sampled_linear
    if linear:
        names = tuple(target.names[i] for i in linear)
        out[:, linear] = target.hypothesis.standard(_inside(target, whole), names).clip(-6, 6)
    return out


def _inside(target: Target, z: Array) -> Array:
    """Least-squares linear parameters, drawn towards the mean of y until the curve is in bounds."""
    profile = Profile(target)
    curve, form = target.curve, target.hypothesis.form
    _, coefficient = profile.project(z)
    theta = target.hypothesis.transport(z, profile.names)
    mean = float(np.mean(curve.y))
    design = target.design(theta)
    offset = np.einsum("bnq,bq->bn", design, coefficient)
    counted = target.hypothesis.noise.name in ("binomial", "beta_binomial")
    low, high = (0.0, 1.0) if counted else (-np.inf, np.inf)
    margin = 0.5 / max(2, curve.n_obs)
    middle = float(np.clip(mean, low + margin, high - margin))
    over = np.max(offset / (high - margin - middle), axis=1)
    under = np.max(-offset / (middle - low - margin), axis=1)
    shrink = 1 / np.maximum(1.0, np.maximum(over, under))
    coefficient = coefficient * shrink[:, None]
    if "floor" in form.linear:
        coefficient[:, form.linear.index("floor")] += middle
    return np.asarray(coefficient)


def _linear_factor(target: Target, factors: Array, held: Mapping[int, float]) -> Array:
    out = np.zeros((len(factors), target.n_form, target.n_form))
    places = np.array(Profile(target, held).free, dtype=np.intp)
    out[:, places[:, None], places] = factors
    for i in held:
        out[:, i, i] = HELD_SD
    for i in target.sampled_linear:
        out[:, i, i] = 0.1
    return out
