"""The density that evidence integrates: prior times likelihood over standard normal deviates.

Linear parameters with Gaussian-mixture priors are integrated in closed form, so only the
nonlinear and the noise parameters remain. All a draw has to keep for it are its inner products.
"""

from dataclasses import dataclass
from itertools import product
from math import lgamma
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.log_sum_exp import log_sum_exp
from theory.curve import Curve
from theory.hypothesis import Hypothesis

Array = NDArray[np.float64]

LOG_2PI = float(np.log(2 * np.pi))
CHUNK = 50_000  # points times draws at once: columns stay in the processor's cache


@final
@dataclass(frozen=True, eq=False)
class Sums:
    """Inner products of whitened residual and design, one set a draw.

    Attributes
    ----------
    gram : ndarray, shape (B, 1 + q, 1 + q)
        Of the columns (y minus the linear parameters' prior means, design).
    constant : ndarray, shape (B,)
        Log density of whitened zeros; -inf where the likelihood is zero or undefined.
    """

    gram: Array
    constant: Array

    def at(self, index: NDArray[np.intp]) -> "Sums":
        """Keep the draws at ``index``."""
        return Sums(self.gram[index], self.constant[index])


@final
@dataclass(frozen=True, eq=False)
class Component:
    """One Gaussian of the linear parameters' joint prior: its log weight and sds (q,)."""

    log_weight: float
    sds: Array


@final
class Target:
    """The likelihood of a curve under a hypothesis, as a function of the sampled deviates.

    Parameters
    ----------
    hypothesis : Hypothesis
    curve : Curve
    """

    def __init__(self, hypothesis: Hypothesis, curve: Curve) -> None:
        self.hypothesis = hypothesis
        self.curve = curve
        self.names = hypothesis.sampled
        self.dimension = len(self.names)
        form = hypothesis.form
        n_noise = len(hypothesis.noise.names)
        self.n_form = self.dimension - n_noise
        self.nonlinear = [self.names.index(n) for n in form.nonlinear]
        self.sampled_linear = [self.names.index(n) for n in form.linear if n in self.names]
        self.places = hypothesis.places(self.names)
        # Sorting makes k! copies of the posterior; one is kept, and counts k! times.
        self.log_copies = sum(lgamma(len(places) + 1) for places in self.places)
        self.means = np.array([hypothesis.priors[n].gaussians[0][1] for n in hypothesis.linear])

    def components(self, scale: float = 1.0) -> tuple[Component, ...]:
        """Joint prior of the linear parameters, each sd widened by ``scale``."""
        priors = [self.hypothesis.priors[name].gaussians for name in self.hypothesis.linear]
        return tuple(
            Component(
                float(sum(np.log(weight) for weight, _, _ in parts)),
                np.array([sd * scale for _, _, sd in parts]),
            )
            for parts in product(*priors)
        )

    def sums(self, z: Array) -> Sums:
        """Inner products at deviates z (B, dimension); likelihood zero where they are unordered."""
        sums = self._nothing(len(z))
        kept = np.flatnonzero(self.is_ordered(z))
        size = max(64, CHUNK // self.curve.n_obs)
        for i in range(0, len(kept), size):
            part = kept[i : i + size]
            sums.gram[part], sums.constant[part] = self._sums(z[part])
        return sums

    def _nothing(self, size: int) -> Sums:
        q = len(self.hypothesis.linear)
        return Sums(np.zeros((size, 1 + q, 1 + q)), np.full(size, -np.inf))

    def is_ordered(self, z: Array) -> NDArray[np.bool_]:
        """Whether the deviates (B, dimension) of every ordered group increase."""
        ordered = np.ones(len(z), dtype=np.bool_)
        for places in self.places:
            ordered &= np.all(np.diff(z[:, places], axis=1) >= 0, axis=1)
        return ordered

    def _sums(self, z: Array) -> tuple[Array, Array]:
        theta = self.hypothesis.transport(z, self.names)
        with np.errstate(all="ignore"):  # what is not finite gets likelihood zero below
            if self.hypothesis.linear:
                gram, constant = self._whitened(theta)
            else:
                gram = np.zeros((len(z), 1, 1))
                constant = self.hypothesis.log_likelihood(theta, self.curve)
        bad = ~(np.isfinite(constant) & np.isfinite(gram).all(axis=(1, 2)))
        gram[bad], constant[bad] = 0.0, -np.inf
        return gram, constant

    def _whitened(self, theta: Array) -> tuple[Array, Array]:
        curve, psi = self.curve, theta[:, self.n_form :]
        design = self.design(theta[:, self.nonlinear])
        n_draws, q = len(theta), design.shape[-1]
        columns = np.empty((n_draws, 1 + q, curve.n_obs))
        columns[:, 1:] = design.swapaxes(1, 2)
        columns[:, 0] = curve.y
        for j, mean in enumerate(self.means):
            if mean:
                columns[:, 0] -= mean * columns[:, 1 + j]
        whitened, half_log_det = self.hypothesis.noise.whiten(columns, curve, psi)
        gram = whitened @ whitened.swapaxes(1, 2)
        return gram, -0.5 * curve.n_obs * LOG_2PI - half_log_det

    def design(self, nonlinear: Array) -> Array:
        """Columns of the linear parameters, (B, n, q), at natural nonlinear parameters."""
        return np.asarray(self.hypothesis.form.design(self.curve.t, nonlinear))

    def log_likelihood(self, sums: Sums, scale: float = 1.0) -> Array:
        """Log likelihood with the linear parameters integrated out, shape (B,).

        Against the prior N(0, I) of ordered deviates: it counts the copies that sorting makes.
        """
        return np.asarray(log_sum_exp(self.log_likelihoods(sums, scale), axis=0) + self.log_copies)

    def log_likelihoods(self, sums: Sums, scale: float = 1.0) -> Array:
        """Joint log probability of the curve and each component of the prior, shape (C, B)."""
        parts = self.components(scale)
        return np.stack([part.log_weight + _log_marginal(sums, part.sds) for part in parts])

    def draw_linear(self, sums: Sums, *, rng: np.random.Generator) -> tuple[Array, Array]:
        """One draw of the linear parameters per set of sums, with its log likelihood.

        Returns
        -------
        linear : ndarray, shape (B, q)
        log_likelihood : ndarray, shape (B,)
        """
        parts = self.components()
        joint = self.log_likelihoods(sums)
        chance = np.exp(joint - log_sum_exp(joint, axis=0))
        chosen = (rng.random(len(sums.constant)) > np.cumsum(chance, axis=0)[:-1]).sum(axis=0)
        sds = np.stack([part.sds for part in parts])[chosen]
        factor, forward = _solve(sums.gram, sds)
        q = sds.shape[1]
        normals = rng.standard_normal((len(chosen), q))
        offset = sds * _back_substitute(factor, forward + normals)
        inner = sums.gram[:, 1:, 0]
        quadratic = np.einsum("bi,bij,bj->b", offset, sums.gram[:, 1:, 1:], offset)
        square = sums.gram[:, 0, 0] - 2 * np.einsum("bi,bi->b", inner, offset) + quadratic
        return self.means + offset, sums.constant - 0.5 * square


def _log_marginal(sums: Sums, sds: Array) -> Array:
    """Gaussian integral over linear parameters with prior sds (q,), shape (B,).

    ``ln N(r; 0, I + X D^2 X')`` by the matrix determinant lemma (Rasmussen and Williams 2006, A.9).
    """
    factor, forward = _solve(sums.gram, np.broadcast_to(sds, (len(sums.gram), sds.size)))
    log_det = np.log(np.stack([row[-1] for row in factor])).sum(axis=0) if factor else 0.0
    fitted = np.einsum("bi,bi->b", forward, forward)
    return np.asarray(sums.constant - 0.5 * (sums.gram[:, 0, 0] - fitted) - log_det)


def _solve(gram: Array, sds: Array) -> tuple[list[list[Array]], Array]:
    """Cholesky rows of ``I + D A D`` and ``L^-1 D b``, for few columns and many draws."""
    q = sds.shape[1]
    rows: list[list[Array]] = []
    forward = np.empty((len(gram), q))
    for i in range(q):
        row: list[Array] = []
        for j in range(i):
            value = sds[:, i] * gram[:, 1 + i, 1 + j] * sds[:, j]
            value = value - sum((row[k] * rows[j][k] for k in range(j)), np.zeros(()))
            row.append(value / rows[j][j])
        diagonal = 1 + sds[:, i] ** 2 * gram[:, 1 + i, 1 + i]
        # Rounding cannot push the pivot below the prior's own contribution.
        rest = np.maximum(diagonal - sum((v * v for v in row), np.zeros(())), 1.0)
        row.append(np.sqrt(rest))
        known = sum((row[k] * forward[:, k] for k in range(i)), np.zeros(()))
        forward[:, i] = (sds[:, i] * gram[:, 1 + i, 0] - known) / row[i]
        rows.append(row)
    return rows, forward


def _back_substitute(rows: list[list[Array]], right: Array) -> Array:
    """Solve ``L' x = right`` for Cholesky rows of L."""
    q = right.shape[1]
    x = np.empty_like(right)
    for i in reversed(range(q)):
        known = sum((rows[k][i] * x[:, k] for k in range(i + 1, q)), np.zeros(()))
        x[:, i] = (right[:, i] - known) / rows[i][i]
    return x
