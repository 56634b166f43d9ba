"""How the incomplete gamma function changes with its order."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, gammaln

from theory.native import native

FloatArray = NDArray[np.float64]


def order_slope(order: ArrayLike, x: ArrayLike) -> FloatArray:
    """Return ∂P(order, x)/∂order of the regularized lower incomplete gamma function P.

    Below x = order + 1 from the series of P, above it from the continued fraction of 1 - P (Press
    et al. 2007, Numerical recipes, sec. 6.2), each differentiated term by term: neither loses more
    than a digit to cancellation there.

    Parameters
    ----------
    order : positive.
    x : not negative, broadcast with `order`.
    """
    a, x = np.asarray(order, dtype=np.float64), np.asarray(x, dtype=np.float64)
    parts = np.broadcast_arrays(a, x, gammaln(a), digamma(a + 1))
    orders, xs, log_gammas, log_centers = (part.ravel() for part in parts)
    out = np.empty(orders.size)
    _order_slopes(orders, xs, log_gammas, log_centers, out)
    return out.reshape(parts[0].shape)


@native
def _order_slopes(
    order: FloatArray, x: FloatArray, log_gamma: FloatArray, log_center: FloatArray, out: FloatArray
) -> None:
    for i in range(order.size):
        a = order[i]
        log_x = math.log(x[i])
        density = math.exp(a * log_x - x[i] - log_gamma[i])  # of ln x
        if density == 0.0:  # as at x = 0 and far beyond the order
            out[i] = 0.0
        elif x[i] < a + 1.0:
            term, harmonic, total, weighted = 1.0 / a, 0.0, 1.0 / a, 0.0
            n = 0
            while n == 0 or term * harmonic > 1e-17 * weighted:
                n += 1
                term *= x[i] / (a + n)
                harmonic += 1.0 / (a + n)
                total += term
                weighted += term * harmonic
            out[i] = density * ((log_x - log_center[i]) * total - weighted)
        else:
            # Lentz's method: `ratio` and `inverse` are its C and D; a slope is a derivative in a.
            b = x[i] + 1.0 - a
            ratio, ratio_slope = math.inf, 0.0
            inverse, inverse_slope = 1.0 / b, 1.0 / b**2
            fraction, log_slope = inverse, inverse_slope / inverse
            for n in range(1, 10_000):
                numerator = n * (a - n)
                b += 2.0
                denominator = b + numerator * inverse
                change = n * inverse + numerator * inverse_slope - 1.0
                inverse, inverse_slope = 1.0 / denominator, -change / denominator**2
                ratio_slope = n / ratio - numerator * ratio_slope / ratio**2 - 1.0
                ratio = b + numerator / ratio
                fraction *= ratio * inverse
                step = ratio_slope / ratio + inverse_slope / inverse
                log_slope += step
                if abs(ratio * inverse - 1.0) < 1e-16 and abs(step) < 1e-16 * abs(log_slope):
                    break
            slope = log_x - log_center[i] + 1.0 / a + log_slope
            out[i] = -density * fraction * slope
