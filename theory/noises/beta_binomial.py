"""Counting noise of trials that share part of their luck."""

import math
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from theory.curve import Curve
from theory.native import native
from theory.noises.base import OVERDISPERSION, Noise, NoiseParameter, not_gaussian
from theory.noises.binomial import counts, log_cells, log_each_cell

Array = NDArray[np.float64]


@final
@dataclass(frozen=True)
class BetaBinomial(Noise):
    """Proportions of fresh trials whose chance is drawn anew at every point (Skellam 1948).

    The chance is Beta-distributed around the form's value p, so that two trials at one point are
    correlated by ``overdispersion``, rho, and the variance of a proportion of n trials is
    ``p (1 - p) (1 + (n - 1) rho) / n``. With ``theta = rho / (1 - rho)``, k successes have

        C(n, k) prod_{i<k} (p + i theta) prod_{i<n-k} (1 - p + i theta) / prod_{i<n} (1 + i theta)

    (Prentice 1986): binomial at rho = 0. A density of y as for binomial noise, and zero where the
    form leaves [0, 1].
    """

    name: ClassVar[str] = "beta_binomial"
    parameters: ClassVar[tuple[NoiseParameter, ...]] = (OVERDISPERSION,)
    gaussian: ClassVar[bool] = False

    def _whiten(self, columns: Array, curve: Curve, psi: Array) -> tuple[Array, Array]:
        raise not_gaussian(self)

    def _log_likelihood(self, y_hat: Array, curve: Curve, psi: Array) -> Array:
        successes, trials = counts(curve, self.name)
        y_hat, rho = np.broadcast_arrays(y_hat, psi[:, :1])
        theta = rho[:, 0] / (1 - rho[:, 0])
        total = np.empty(len(theta))
        _log_products(np.ascontiguousarray(y_hat), theta, successes, trials, total)
        return total + log_cells(successes, trials)

    def _pointwise(self, y_hat: Array, curve: Curve, psi: Array) -> Array:
        successes, trials = counts(curve, self.name)
        y_hat, rho = np.broadcast_arrays(y_hat, psi[:, :1])
        theta = rho[:, 0] / (1 - rho[:, 0])
        columns = np.empty((curve.n_obs, len(theta)))
        for i, column in enumerate(columns):
            one = slice(i, i + 1)
            single = np.ascontiguousarray(y_hat[:, one])
            _log_products(single, theta, successes[one], trials[one], column)
        return columns.T + log_each_cell(successes, trials)

    def _simulate(self, y_hat: Array, curve: Curve, psi: Array, rng: np.random.Generator) -> Array:
        _, trials = counts(curve, self.name)
        p = np.clip(y_hat, 0.0, 1.0)
        certain = (p == 0) | (p == 1)
        middle = np.where(certain, 0.5, p)
        size = 1 / psi[0] - 1
        chance = np.where(certain, p, rng.beta(middle * size, (1 - middle) * size))
        return rng.binomial(trials.astype(np.int64), chance) / trials


@native
def _log_products(
    y_hat: Array, theta: Array, successes: Array, trials: Array, total: Array
) -> None:
    """Log of the three products at every point, summed over points, into total (B,).

    ``prod_{i<m} (a + i theta) = theta^m Gamma(a / theta + m) / Gamma(a / theta)``: the first few
    factors are multiplied; for the rest the difference of two Stirling series is taken term by
    term, so that nothing large cancels however small theta is.
    """
    n_draws, n = y_hat.shape
    for b in range(n_draws):
        log_theta = math.log(theta[b])
        sum_b, below, last = 0.0, 0.0, -1.0
        for i in range(n):
            p = y_hat[b, i]
            if not 0.0 <= p <= 1.0:
                sum_b = -np.inf
                break
            for part in range(3):
                start, count = p, successes[i]
                if part == 1:
                    start, count = 1.0 - p, trials[i] - successes[i]
                elif part == 2:
                    start, count = 1.0, trials[i]
                    if count == last:  # points with as many trials share this product
                        break
                z, product, head = start / theta[b], 1.0, 0
                while head < count and z < 16.0:
                    product *= z
                    z += 1.0
                    head += 1
                value = head * log_theta + math.log(product)
                m = count - head
                if m > 0:
                    value += m * math.log(theta[b] * z) + (z + m - 0.5) * math.log1p(m / z) - m
                    for sign, x in ((1.0, z + m), (-1.0, z)):
                        s = 1.0 / (x * x)
                        series = (1 / 12 - s * (1 / 360 - s * (1 / 1260 - s / 1680))) / x
                        value += sign * series
                if part == 2:
                    below, last = value, count
                else:
                    sum_b += value
            sum_b -= below
        total[b] = sum_b
