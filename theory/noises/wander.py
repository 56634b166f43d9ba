"""Slow wander plus white noise: stationary Gaussian processes, exact by Kalman filter."""

import math
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from theory.curve import Curve
from theory.native import native
from theory.noises.base import (
    CORRELATION_COUNT,
    CORRELATION_TIME,
    SD_WANDER,
    SD_WHITE,
    Noise,
    NoiseParameter,
    gaussian_log_likelihood,
    white_variance,
)

Array = NDArray[np.float64]


@final
@dataclass(frozen=True)
class OUWhite(Noise):
    """Ornstein-Uhlenbeck wander in t plus white noise; exact on any grid.

    Covariance ``sd_wander^2 exp(-|t_i - t_j| / correlation_time)``, and on the diagonal
    ``sd_white^2 + y_se_i^2`` more.
    """

    name: ClassVar[str] = "ou_white"
    parameters: ClassVar[tuple[NoiseParameter, ...]] = (SD_WANDER, CORRELATION_TIME, SD_WHITE)
    gaussian: ClassVar[bool] = True

    def _whiten(self, columns: Array, curve: Curve, psi: Array) -> tuple[Array, Array]:
        return _whitened(columns, np.diff(curve.t), curve, psi)

    def _gram(self, columns: Array, curve: Curve, psi: Array) -> tuple[Array, Array]:
        return _gram(columns, np.diff(curve.t), curve, psi)

    def _ahead(self, residual: Array, curve: Curve, psi: Array) -> tuple[Array, Array]:
        return _ahead(residual, np.diff(curve.t), curve, psi)

    def _log_likelihood(self, y_hat: Array, curve: Curve, psi: Array) -> Array:
        return gaussian_log_likelihood(self, y_hat, curve, psi)

    def _simulate(self, y_hat: Array, curve: Curve, psi: Array, rng: np.random.Generator) -> Array:
        white = np.sqrt(white_variance(curve, psi[2:3])[0]) * rng.standard_normal(curve.n_obs)
        return np.asarray(y_hat + _wander(np.diff(curve.t), psi[0], psi[1], rng) + white)


@final
@dataclass(frozen=True)
class AR1White(Noise):
    """First-order autoregression in the index of the points plus white noise.

    ``OUWhite`` with the point number as time: covariance of the wander
    ``sd_wander^2 exp(-|i - j| / correlation_time)``.
    """

    name: ClassVar[str] = "ar1_white"
    parameters: ClassVar[tuple[NoiseParameter, ...]] = (SD_WANDER, CORRELATION_COUNT, SD_WHITE)
    gaussian: ClassVar[bool] = True

    def _whiten(self, columns: Array, curve: Curve, psi: Array) -> tuple[Array, Array]:
        return _whitened(columns, np.ones(curve.n_obs - 1), curve, psi)

    def _gram(self, columns: Array, curve: Curve, psi: Array) -> tuple[Array, Array]:
        return _gram(columns, np.ones(curve.n_obs - 1), curve, psi)

    def _ahead(self, residual: Array, curve: Curve, psi: Array) -> tuple[Array, Array]:
        return _ahead(residual, np.ones(curve.n_obs - 1), curve, psi)

    def _log_likelihood(self, y_hat: Array, curve: Curve, psi: Array) -> Array:
        return gaussian_log_likelihood(self, y_hat, curve, psi)

    def _simulate(self, y_hat: Array, curve: Curve, psi: Array, rng: np.random.Generator) -> Array:
        white = np.sqrt(white_variance(curve, psi[2:3])[0]) * rng.standard_normal(curve.n_obs)
        return np.asarray(y_hat + _wander(np.ones(curve.n_obs - 1), psi[0], psi[1], rng) + white)


def _whitened(columns: Array, gaps: Array, curve: Curve, psi: Array) -> tuple[Array, Array]:
    """Whiten columns (B or 1, k, n) under stationary wander plus white noise, psi (B, 3)."""
    white = np.empty((len(psi), *columns.shape[1:]))
    half_log_det = _filter(columns, gaps, curve, psi, white, np.empty((0, 0, 0)))
    return white, half_log_det


def _gram(columns: Array, gaps: Array, curve: Curve, psi: Array) -> tuple[Array, Array]:
    """Inner products (B, k, k) of the whitened columns, of which only one draw's are kept."""
    k = columns.shape[1]
    gram = np.empty((len(psi), k, k))
    half_log_det = _filter(columns, gaps, curve, psi, np.empty((1, *columns.shape[1:])), gram)
    return gram, half_log_det


def _filter(
    columns: Array, gaps: Array, curve: Curve, psi: Array, white: Array, gram: Array
) -> Array:
    known = np.zeros(curve.n_obs) if curve.y_se is None else curve.y_se**2
    even = gaps.size > 0 and bool(np.ptp(gaps) <= 1e-12 * gaps[0])
    half_log_det = np.empty(len(psi))
    _kalman(
        np.ascontiguousarray(columns),
        gaps[:1] if even else np.ascontiguousarray(gaps),
        np.ascontiguousarray(psi),
        known,
        white,
        gram,
        half_log_det,
    )
    return half_log_det


@native
def _kalman(
    columns: Array,
    gaps: Array,
    psi: Array,
    known: Array,
    white: Array,
    gram: Array,
    half_log_det: Array,
) -> None:
    """Kalman filter of each draw: scaled innovations of every column, and ln |L|.

    The variance of the wander given the past, `prior`, does not depend on the data; where gaps and
    white noise are all alike it settles, and is not computed any more. Where `gram` has room, the
    inner products of the innovations go there, and `white` is one draw's scratch.
    """
    n_columns, n = white.shape[1:]
    alike = gaps.size == 1 and known.min() == known.max()
    mean = np.empty(n_columns)
    for b in range(len(psi)):
        own = b if len(columns) > 1 else 0
        out = white[b if len(white) > 1 else 0]
        variance = psi[b, 0] ** 2
        prior, decay, refill, gain, scale = variance, 0.0, 0.0, 0.0, 0.0
        product, log_det, settled = 1.0, 0.0, False
        mean[:] = 0.0
        for i in range(n):
            if not settled:
                noise = psi[b, 2] ** 2 + known[i]
                total = prior + noise
                gain = prior / total
                scale = 1.0 / math.sqrt(total)
                product *= total  # one logarithm for many factors
                if not 1e-100 < product < 1e100:
                    log_det += math.log(product)
                    product = 1.0
                if i < gaps.size:  # gaps that are all alike are given once
                    forgotten = math.expm1(-gaps[i] / psi[b, 1])
                    decay = 1.0 + forgotten
                    refill = -variance * forgotten * (2.0 + forgotten)
                before, prior = prior, decay * decay * noise * gain + refill
                if alike and abs(prior - before) <= 1e-15 * prior:
                    settled = True
                    log_det += (n - 1 - i) * math.log(total)
            for k in range(n_columns):
                innovation = columns[own, k, i] - mean[k]
                out[k, i] = scale * innovation
                mean[k] = decay * (mean[k] + gain * innovation)
        half_log_det[b] = 0.5 * (log_det + math.log(product))
        if gram.size:
            gram[b] = out @ out.T


def _ahead(residual: Array, gaps: Array, curve: Curve, psi: Array) -> tuple[Array, Array]:
    """Filter to the last residual (B, first), then let the wander decay: no more to learn."""
    first = residual.shape[1]
    variance, time = psi[:, 0] ** 2, psi[:, 1]
    white = white_variance(curve, psi[:, 2])
    mean, prior = np.zeros(len(psi)), variance
    ahead, spread = np.empty((2, len(psi), curve.n_obs - first))
    for i in range(curve.n_obs):
        if i < first:
            gain = prior / (prior + white[:, i])
            mean, prior = mean + gain * (residual[:, i] - mean), prior * (1.0 - gain)
        else:
            ahead[:, i - first], spread[:, i - first] = mean, prior + white[:, i]
        if i < gaps.size:
            forgotten = np.expm1(-gaps[i] / time)
            mean = mean * (1.0 + forgotten)
            prior = prior * (1.0 + forgotten) ** 2 - variance * forgotten * (2.0 + forgotten)
    return ahead, np.sqrt(spread)


def _wander(gaps: Array, sd: float, time: float, rng: np.random.Generator) -> Array:
    """One stationary Ornstein-Uhlenbeck path at points ``gaps`` apart, shape (n,)."""
    shocks = sd * rng.standard_normal(gaps.size + 1)
    decay, fresh = np.exp(-gaps / time), np.sqrt(-np.expm1(-2 * gaps / time))
    path = shocks.copy()
    for i in range(gaps.size):
        path[i + 1] = decay[i] * path[i] + fresh[i] * shocks[i + 1]
    return path
