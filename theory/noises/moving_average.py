"""Means over a trailing window: neighboring points share most of what they average."""

import math
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from theory.curve import Curve
from theory.native import native
from theory.noises.base import (
    SD_WANDER,
    SD_WHITE,
    WINDOW,
    Noise,
    NoiseParameter,
    gaussian_log_likelihood,
    white_variance,
)
from theory.noises.schur import whiten_banded_toeplitz

Array = NDArray[np.float64]


@final
@dataclass(frozen=True)
class MovingAverage(Noise):
    """A trailing mean of white noise in t, plus white noise; exact on any grid.

    Covariance ``sd_wander^2 max(0, 1 - |t_i - t_j| / window)`` (Slepian 1961), and on the diagonal
    ``sd_white^2 + y_se_i^2`` more. The form stands for the averaged curve: averaging delays and
    widens a rise by as much as the window is long, which no noise undoes. The first points of a
    log, averaged over less than a window, are taken for full ones.
    """

    name: ClassVar[str] = "moving_average"
    parameters: ClassVar[tuple[NoiseParameter, ...]] = (SD_WANDER, WINDOW, SD_WHITE)
    gaussian: ClassVar[bool] = True

    def _whiten(self, columns: Array, curve: Curve, psi: Array) -> tuple[Array, Array]:
        columns, psi = np.ascontiguousarray(columns), np.ascontiguousarray(psi)
        known = np.zeros(curve.n_obs) if curve.y_se is None else curve.y_se**2
        whitened = np.empty((len(psi), *columns.shape[1:]))
        half_log_det = np.empty(len(psi))
        gaps = np.diff(curve.t)
        even = gaps.size > 0 and bool(np.ptp(gaps) <= 1e-12 * gaps[0])
        if even and not np.ptp(known):
            shares = np.arange(curve.n_obs) * float(gaps.mean()) / psi[:, 1:2]
            rows = psi[:, :1] ** 2 * np.maximum(0.0, 1.0 - shares)
            rows[:, 0] += psi[:, 2] ** 2 + known[0]
            whiten_banded_toeplitz(columns, rows, whitened, half_log_det)
        else:
            _cholesky(columns, curve.t, psi, known, whitened, half_log_det)
        return whitened, half_log_det

    def _log_likelihood(self, y_hat: Array, curve: Curve, psi: Array) -> Array:
        return gaussian_log_likelihood(self, y_hat, curve, psi)

    def _simulate(self, y_hat: Array, curve: Curve, psi: Array, rng: np.random.Generator) -> Array:
        white = np.sqrt(white_variance(curve, psi[2:3])[0]) * rng.standard_normal(curve.n_obs)
        return np.asarray(y_hat + _averaged(curve.t, psi[0], psi[1], rng) + white)


@native
def _cholesky(
    columns: Array, t: Array, psi: Array, known: Array, whitened: Array, half_log_det: Array
) -> None:
    """Whiten the columns of each draw by the Cholesky factor of its band, O(n b^2).

    Column j of the factor, from the diagonal down, stands in ``factor[j]``; it ends with the last
    point less than a window after the j-th, so the band is as wide as the grid is dense there.
    """
    n_draws, n_columns, n = whitened.shape
    longest = psi[:, 1].max()
    end, widest = 0, 1
    for j in range(n):
        while end < n and t[end] - t[j] < longest:
            end += 1
        widest = max(widest, end - j)
    factor = np.empty((n, widest))
    reach = np.empty(n, dtype=np.int64)
    for b in range(n_draws):
        variance, window, white = psi[b, 0] ** 2, psi[b, 1], psi[b, 2] ** 2
        end = 0
        for j in range(n):
            end = max(end, j + 1)
            while end < n and t[end] - t[j] < window:
                end += 1
            reach[j] = end - j - 1
            for d in range(end - j):
                factor[j, d] = variance * (1.0 - (t[j + d] - t[j]) / window)
            factor[j, 0] += white + known[j]
        whitened[b] = columns[b if len(columns) > 1 else 0]
        log_det = 0.0
        for j in range(n):
            log_det += math.log(factor[j, 0])
            scale = 1.0 / math.sqrt(factor[j, 0])
            below = factor[j, 1 : 1 + reach[j]]
            for d in range(below.size):
                below[d] *= scale
            for k in range(n_columns):
                innovation = scale * whitened[b, k, j]
                whitened[b, k, j] = innovation
                rest = whitened[b, k, j + 1 : j + 1 + below.size]
                for d in range(below.size):
                    rest[d] -= innovation * below[d]
            for m in range(below.size):
                weight = below[m]
                later, shared = factor[j + 1 + m], below[m:]
                for d in range(shared.size):
                    later[d] -= weight * shared[d]
        half_log_det[b] = 0.5 * log_det


def _averaged(t: Array, sd: float, window: float, rng: np.random.Generator) -> Array:
    """White noise averaged over the window before each time, of standard deviation sd, (n,)."""
    edges = np.concatenate((t - window, t))
    order = np.argsort(edges)
    steps = np.sqrt(np.diff(edges[order])) * rng.standard_normal(edges.size - 1)
    walk = np.empty(edges.size)
    walk[order] = np.concatenate(([0.0], np.cumsum(steps)))
    return np.asarray(sd / math.sqrt(window) * (walk[t.size :] - walk[: t.size]))
