"""The density that evidence integrates: prior times likelihood over standard normal deviates.

Linear parameters with Gaussian-mixture priors are integrated in closed form, and a share that
divides one of them by a sum over nodes (`fitting.sampling.share`), so only the other nonlinear and
the noise parameters remain. All a draw has to keep for it are its inner products.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.log_sum_exp import log_sum_exp
from fitting.sampling.marginal import log_marginals
from fitting.sampling.share import N_NODES, gram_at, least_squares_share, share_nodes
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
    gram : ndarray, shape (B, 1 + q, 1 + q), or 2 + q where a share is integrated
        Of the columns (y minus the linear parameters' prior means, design).
    constant : ndarray, shape (B,)
        Log density of whitened zeros; -inf where the likelihood is zero or undefined.
    """

    gram: Array
    constant: Array

    def at(self, index: NDArray[np.intp] | slice) -> "Sums":
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
        self.share = hypothesis.share
        self.nonlinear = [self.names.index(n) for n in form.nonlinear if n != self.share]
        self.sampled_linear = [self.names.index(n) for n in form.linear if n in self.names]
        self.places = hypothesis.places(self.names)
        # Sorting makes k! copies of the posterior; one is kept, and counts k! times.
        self.log_copies = sum(math.lgamma(len(places) + 1) for places in self.places)
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
        """Inner products at deviates z (B, dimension), the ordered ones sorted."""
        sums = self.no_sums(len(z))
        size = max(64, CHUNK // self.curve.n_obs)
        for i in range(0, len(z), size):
            part = slice(i, i + size)
            sums.gram[part], sums.constant[part] = self._sums(z[part])
        return sums

    def ordered_sums(self, z: Array) -> Sums:
        """Inner products at deviates z (B, dimension); likelihood zero where they are unordered."""
        sums = self.no_sums(len(z))
        kept = self.is_ordered(z)
        some = self.sums(z[kept])
        sums.gram[kept], sums.constant[kept] = some.gram, some.constant
        return sums

    def no_sums(self, size: int) -> Sums:
        """Make the sums of draws whose likelihood is zero."""
        k = 1 + len(self.hypothesis.linear) + (self.share is not None)
        return Sums(np.zeros((size, k, k)), np.full(size, -np.inf))

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
        gram, half_log_det = self.hypothesis.noise.gram(columns, curve, psi)
        return gram, -0.5 * curve.n_obs * LOG_2PI - half_log_det

    def design(self, nonlinear: Array) -> Array:
        """Columns that the likelihood needs, (B, n, q), at natural nonlinear parameters.

        Those of the linear parameters, and the direction of the share if one is integrated.
        """
        form, t = self.hypothesis.form, self.curve.t
        make = form.design if self.share is None else form.divided_design
        return np.asarray(make(t, nonlinear))

    @cached_property
    def gain(self) -> int:
        """Place among the columns of the parameter that the share divides."""
        _, gain = self.hypothesis.form.divided or ("", "")
        return 1 + self.hypothesis.linear.index(gain)

    @cached_property
    def precision(self) -> Array:
        """Prior precisions of the linear parameters and of gain times share, each its widest."""
        widest = np.max([part.sds for part in self.components()], axis=0)
        return np.append(widest, widest[self.gain - 1]) ** -2.0

    def log_likelihood(self, sums: Sums, scale: float = 1.0) -> Array:
        """Log likelihood with the linear parameters and the share integrated out, shape (B,)."""
        return self._marginals(sums, scale, np.empty((0, 0, 0)))[0]

    def log_likelihoods(self, sums: Sums) -> tuple[Array, Array]:
        """Joint log probability of the curve, each component of the prior, and each share.

        Returns
        -------
        logs : ndarray, shape (B, C, S)
        nodes : ndarray, shape (B, S)
            The shares; where none is integrated, one column of zeros.
        """
        n_nodes = 1 if self.share is None else N_NODES
        logs = np.empty((len(sums.constant), len(self.components()), n_nodes))
        return logs, self._marginals(sums, 1.0, logs)[1]

    def _marginals(self, sums: Sums, scale: float, logs: Array) -> tuple[Array, Array]:
        """Return the log likelihood and the nodes, and put what it consists of into `logs`."""
        parts = self.components(scale)
        q = len(self.hypothesis.linear)
        order = list(range(q))
        if self.share is None:
            nodes, weight = np.zeros((len(sums.constant), 1)), np.ones((len(sums.constant), 1))
        else:
            nodes, weight = share_nodes(sums.gram, self.gain, self.precision)
            order = [*(i for i in order if i != self.gain - 1), self.gain - 1, q]
        rows = np.array([*order, -1]) + 1
        total = np.empty(len(sums.constant))
        log_marginals(
            np.ascontiguousarray(sums.gram[:, rows[:, None], rows]),
            np.ascontiguousarray(sums.constant),
            nodes,
            weight,
            np.stack([part.sds for part in parts])[:, order[:q]],
            np.array([part.log_weight for part in parts]),
            logs,
            total,
        )
        return total, nodes

    def best_share(self, sums: Sums) -> Array:
        """Where least squares puts the share, held inside (0, 1), shape (B,)."""
        share, _ = least_squares_share(sums.gram, self.gain, self.precision)
        return np.asarray(np.clip(np.nan_to_num(share, nan=0.5), 0.02, 0.98))

    def draw_integrated(self, sums: Sums, *, rng: np.random.Generator) -> tuple[Array, Array]:
        """One draw of linear parameters and share per set of sums, with its log likelihood.

        Returns
        -------
        drawn : ndarray, shape (B, q), or (B, q + 1) with the share last
        log_likelihood : ndarray, shape (B,)
        """
        logs, nodes = self.log_likelihoods(sums)
        part, node = np.divmod(_drawn(logs.reshape(len(logs), -1), rng), nodes.shape[1])
        sds = np.stack([one.sds for one in self.components()])[part]
        if self.share is None:
            linear, value = _draw_linear(sums, sds, rng)
            return self.means + linear, value
        share = _between(nodes, node, rng)
        gram = gram_at(sums.gram, self.gain, share[None])[0]
        linear, value = _draw_linear(Sums(gram, sums.constant), sds, rng)
        return np.column_stack((self.means + linear, share)), value

    def draw_natural(
        self, z: Array, sums: Sums, *, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """All parameters in natural units, (B, p), and their log likelihoods (B,).

        At deviates z (B, dimension), whose sums are given, with one draw of what is integrated.
        """
        hypothesis = self.hypothesis
        drawn, value = self.draw_integrated(sums, rng=rng)
        theta = np.empty((len(z), len(hypothesis.names)))
        integrated = [*hypothesis.linear, *([self.share] if self.share else [])]
        theta[:, [hypothesis.names.index(n) for n in integrated]] = drawn
        theta[:, [hypothesis.names.index(n) for n in self.names]] = hypothesis.transport(
            z, self.names
        )
        return theta, value


def _drawn(logs: Array, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw a place among the logarithmic weights of every row (B, K), (B,)."""
    below = np.cumsum(np.exp(logs - log_sum_exp(logs, axis=1)[:, None]), axis=1)
    return np.asarray((rng.random((len(logs), 1)) > below[:, :-1]).sum(axis=1))


def _between(nodes: Array, node: NDArray[np.intp], rng: np.random.Generator) -> Array:
    """Draw shares (B,) evenly from the cell of each one's node: half way to the nodes beside it."""
    middles = 0.5 * (nodes[:, 1:] + nodes[:, :-1])
    edges = np.column_stack((nodes[:, 0], middles, nodes[:, -1]))
    row = np.arange(len(nodes))
    low, high = edges[row, node], edges[row, node + 1]
    return np.asarray(low + (high - low) * rng.random(len(node)))


def _draw_linear(sums: Sums, sds: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Draw the linear parameters' offsets from their means (B, q), with the log likelihood (B,)."""
    scaled = sds[:, :, None] * sums.gram[:, 1:, 1:] * sds[:, None, :]
    lower = np.linalg.cholesky(np.eye(sds.shape[1]) + scaled)
    right = sds * sums.gram[:, 1:, 0]
    forward = np.linalg.solve(lower, right[..., None])
    normals = rng.standard_normal((*sds.shape, 1))
    offset = sds * np.linalg.solve(lower.swapaxes(1, 2), forward + normals)[..., 0]
    inner = sums.gram[:, 1:, 0]
    quadratic = np.einsum("bi,bij,bj->b", offset, sums.gram[:, 1:, 1:], offset)
    square = sums.gram[:, 0, 0] - 2 * np.einsum("bi,bi->b", inner, offset) + quadratic
    return offset, sums.constant - 0.5 * square
