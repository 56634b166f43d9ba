"""Slow wander plus white noise: stationary Gaussian processes, exact by Kalman filter."""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dtbtrs

from theory.curve import Curve
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
        return _filter(columns, np.diff(curve.t), psi, white_variance(curve, psi[:, 2]))

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
        return _filter(columns, np.ones(curve.n_obs - 1), psi, white_variance(curve, psi[:, 2]))

    def _log_likelihood(self, y_hat: Array, curve: Curve, psi: Array) -> Array:
        return gaussian_log_likelihood(self, y_hat, curve, psi)

    def _simulate(self, y_hat: Array, curve: Curve, psi: Array, rng: np.random.Generator) -> Array:
        white = np.sqrt(white_variance(curve, psi[2:3])[0]) * rng.standard_normal(curve.n_obs)
        return np.asarray(y_hat + _wander(np.ones(curve.n_obs - 1), psi[0], psi[1], rng) + white)


def _filter(columns: Array, gaps: Array, psi: Array, white: Array) -> tuple[Array, Array]:
    """Kalman filter of stationary wander plus white noise of variance ``white`` (B, n).

    The gains do not depend on the data: one loop over points on (B,) arrays. The state means of
    all draws and columns then solve one bidiagonal system, ``m_{i+1} - c_i m_i = g_i y_i``, in a
    single LAPACK call; draws follow one another with a zero coefficient between them.
    """
    n_draws, n = white.shape
    sd, time = psi[:, 0], psi[:, 1]
    even = gaps.size > 0 and bool(np.ptp(gaps) <= 1e-12 * gaps[0])
    exponent = -(gaps[:1] if even else gaps)[:, None] / time
    shape = (n - 1, n_draws)
    decay = np.broadcast_to(np.exp(exponent), shape)
    refill = np.broadcast_to(-(sd**2) * np.expm1(2 * exponent), shape)
    variance, kept = _gains(decay, refill, sd**2, white.T)
    scale = np.ascontiguousarray(np.sqrt(variance).T)
    means = _state_means(columns, decay, kept)
    np.subtract(np.moveaxis(columns, -1, 0), means, out=means)
    means /= scale
    return np.moveaxis(means, 0, -1), np.asarray(np.log(scale).sum(axis=-1))


def _gains(decay: Array, refill: Array, prior: Array, noise: Array) -> tuple[Array, Array]:
    """Variance of each innovation and one minus the Kalman gain, both (n, B)."""
    variance, kept = np.empty((2, *noise.shape))
    decay2 = decay[:1] ** 2 if decay.strides[0] == 0 else decay**2
    decay2 = np.broadcast_to(decay2, decay.shape)
    for i in range(len(noise)):
        np.add(prior, noise[i], out=variance[i])
        np.divide(noise[i], variance[i], out=kept[i])
        if i < len(decay):
            prior = decay2[i] * prior
            prior *= kept[i]
            prior += refill[i]
    return variance, kept


def _state_means(columns: Array, decay: Array, kept: Array) -> Array:
    """Predicted wander at each point, (k, B, n), from decays (n-1, B) and 1 - gains (n, B)."""
    n, n_draws = kept.shape
    band = np.empty((n_draws, n, 2))
    band[..., 0] = 1.0
    band[:, -1, 1] = 0.0  # nothing carries over to the next draw
    np.multiply(decay.T, kept[:-1].T, out=band[:, :-1, 1])
    take = decay.T - band[:, :-1, 1]
    np.negative(band[..., 1], out=band[..., 1])
    means = np.empty((columns.shape[-1], n_draws, n))
    means[..., 0] = 0.0
    np.multiply(np.moveaxis(columns, -1, 0)[..., :-1], take, out=means[..., 1:])
    flat = means.reshape(-1, n_draws * n).T
    solved, _ = dtbtrs(band.reshape(-1, 2).T, flat, uplo="L", diag="U", overwrite_b=1)
    return np.asarray(solved.T).reshape(means.shape)


def _wander(gaps: Array, sd: float, time: float, rng: np.random.Generator) -> Array:
    """One stationary Ornstein-Uhlenbeck path at points ``gaps`` apart, shape (n,)."""
    shocks = sd * rng.standard_normal(gaps.size + 1)
    decay, fresh = np.exp(-gaps / time), np.sqrt(-np.expm1(-2 * gaps / time))
    path = shocks.copy()
    for i in range(gaps.size):
        path[i + 1] = decay[i] * path[i] + fresh[i] * shocks[i + 1]
    return path
