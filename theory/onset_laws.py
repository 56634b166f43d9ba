"""Distributions of an onset over seeds, as logs of both tails.

A law takes `log_t` (N, M), the logs of M times at each of N settings, and parameters of shape
(N, 1); it returns ln P(onset <= t) and ln P(onset > t). Both are wanted, because a run whose onset
lies in (a, b] is as probable as the difference of two tails, the smaller pair of which has to be
taken, and a run that ended before its onset is the upper tail itself.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from scipy.special import gammainc, gammaincc, gammaincinv, gammaln, log_ndtr

from theory.native import native

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
Tails = tuple[FloatArray, FloatArray]

SMALLEST = 1e-10
"""Probabilities of `sum_of_exponentials` are not given as smaller: so much is rounding."""
NODES = 64
ROUNDING = 1e-14  # of a weight, far below what rounding does to the others
TABLE_RANGE, TABLE_CORE, TABLE_COLUMNS = (-4.0, 3.5), 0.05, 300
TABLE_STEP, TABLE_ROWS = 0.08, (13, 100)
ALIKE = 8
NARROW = 0.1
"""Coefficient of variation below which the inversion would need more nodes than double precision
carries; three cumulants fix such a law to 5e-4."""


def exponential(log_t: FloatArray, rate: FloatArray) -> Tails:
    """Return the first hit of a Poisson process: exponential, CV 1, skewness 2."""
    expected = np.exp(log_t) * rate
    with np.errstate(divide="ignore"):
        return np.log(-np.expm1(-expected)), -expected


def gamma(log_t: FloatArray, log_median: FloatArray, cv: FloatArray) -> Tails:
    """Return gamma onsets of a given median and coefficient of variation.

    A gamma distribution is what a chain of rare events gives (their number sets the coefficient
    of variation); its skewness lies between those of first hits and of drift. Far out, where the
    probability underflows, its leading asymptotic term stands in.
    """
    shape = 1.0 / np.square(cv)
    return _gamma_tails(np.exp(log_t - log_median) * gammaincinv(shape, 0.5), shape)


def gamma_of_moments(log_t: FloatArray, mean: FloatArray, variance: FloatArray) -> Tails:
    """Return gamma onsets of a given mean and variance: many small random steps."""
    shape = np.square(mean) / variance
    return _gamma_tails(np.exp(log_t) * mean / variance, shape)


def _gamma_tails(x: FloatArray, shape: FloatArray) -> Tails:
    below, above = gammainc(shape, x), gammaincc(shape, x)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        density = shape * np.log(x) - x - gammaln(shape)
        tail = density - np.log(np.maximum(np.abs(x - shape), np.sqrt(shape)))
        tail = np.where(np.isfinite(tail), np.minimum(tail, -644.0), -np.inf)
        log_below, log_above = (
            np.where(mass > 1e-280, np.log(mass), tail) for mass in (below, above)
        )
    return np.asarray(log_below), np.asarray(log_above)


def log_absolute_normal(log_t: FloatArray, at_one: FloatArray, rate: FloatArray) -> Tails:
    """Return the time at which u e^(rate t) passes 1, with u = |N(0, 1)| e^(-at_one).

    Exponential growth away from a saddle, from a random start: P(onset > t) is the chance that
    |N(0, 1)| lies below e^(at_one - rate t). Its standard deviation is π/(2 √2 rate) = 1.111/rate
    and its skewness 1.535, whatever the scale of the start. A start beyond 1 has its onset at 0.
    """
    edge = np.exp(np.minimum(at_one - rate * np.exp(log_t), 700.0))
    log_below = np.log(2.0) + log_ndtr(-edge)
    return log_below, np.log(-np.expm1(np.minimum(log_below, -1e-300)))


def sum_of_exponentials(log_t: FloatArray, rates: FloatArray) -> Tails:
    """Return a chain of K waits, the k-th exponential with rate ``rates[:, k]``.

    The Laplace transform of the density, ∏ 1/(1 + s/λ_k), is inverted along Talbot's contour with
    the constants of Trefethen, Weideman and Schmelzer (2006, BIT 46:653), whose error falls like
    3.89^-n for n nodes. Long chains, with a coefficient of variation below `NARROW`, are gamma
    distributions shifted to the same mean, variance and skewness (Pearson's type III).

    Parameters
    ----------
    log_t : (N, M) array
    rates : (N, K) array
        Infinite where a chain is shorter than K.
    """
    mean, variance, third = (np.sum(rates**-k, axis=1, keepdims=True) for k in (1.0, 2.0, 3.0))
    narrow = (np.sqrt(variance) < NARROW * mean)[:, 0]
    tails = np.empty((2, *log_t.shape))
    if narrow.any():
        mean, variance, third = mean[narrow], variance[narrow], third[narrow]
        scale = third / variance  # the third cumulant is twice the sum of λ^-3
        shape = variance / scale**2
        x = np.maximum((np.exp(log_t[narrow]) - mean) / scale + shape, 0.0)
        tails[:, narrow] = _gamma_tails(x, shape)
    links = np.isfinite(rates).sum(axis=1)
    wide = np.flatnonzero(~narrow)
    # Chains of about the same length together: the work goes with the longest.
    for rows in np.array_split(wide[np.argsort(links[wide])], max(1, -(-wide.size // ALIKE))):
        own = rates[rows]
        tails[:, rows] = _inverted(np.exp(log_t[rows]), own[:, np.isfinite(own).any(axis=0)])
    return tails[0], tails[1]


def _inverted(t: FloatArray, rates: FloatArray) -> Tails:
    """Invert the Laplace transform of a sum of exponentials, at t (N, M)."""
    angles = np.pi * np.arange(1, NODES, 2) / NODES
    cot = 1.0 / np.tan(0.6407 * angles)
    nodes = NODES * (0.5017 * angles * cot - 0.6122 + 0.2645j * angles)
    slopes = NODES * (
        0.5017 * cot - 0.5017 * 0.6407 * angles / np.sin(0.6407 * angles) ** 2 + 0.2645j
    )
    weights = 2 / NODES * np.exp(nodes) * slopes / nodes
    nodes, weights = (each[np.abs(weights) > ROUNDING] for each in (nodes, weights))
    below, above = np.zeros_like(t), np.zeros_like(t)
    _add_nodes(t, 1.0 / rates, nodes, weights, below, above)
    return np.log(np.clip(below, SMALLEST, 1.0)), np.log(np.clip(above, SMALLEST, 1.0))


@native
def _add_nodes(
    t: FloatArray,
    waits: FloatArray,
    nodes: ComplexArray,
    weights: ComplexArray,
    below: FloatArray,
    above: FloatArray,
) -> None:
    """Add what each node gives to both tails (N, M), for mean waits (N, K)."""
    for i in range(t.shape[0]):
        for j in range(t.shape[1]):
            for k in range(len(nodes)):
                s = nodes[k] / t[i, j]
                product = 1.0 + 0.0j
                for link in range(waits.shape[1]):
                    product *= 1.0 + s * waits[i, link]
                    if abs(product.real) + abs(product.imag) > 1e150:
                        break  # what comes is nothing to one
                transform = 1.0 / product
                below[i, j] += (weights[k] * transform).imag
                above[i, j] += (weights[k] * (1.0 - transform)).imag


def tabulated(
    law: Callable[[FloatArray, FloatArray], Tails],
    log_mean: Callable[[FloatArray], FloatArray],
    log_t: FloatArray,
    log_x: FloatArray,
) -> Tails:
    """Return a costly law of one parameter x at many values of it, by a table.

    Parameters
    ----------
    law : callable
        From ln t (G, M) and ln x (G, 1) to the tails.
    log_mean : callable
        From ln x (G, 1) to ln of the mean onset, about: tables are aligned there.
    log_t : (N, M) array
    log_x : (N, 1) array

    Returns
    -------
    tails
        By cubic splines in ln x and ln(t / mean). A law that jumps with x, as one does whose
        chain gets a link longer, is smoothed by as much as a link weighs.
    """
    low, high = float(log_x.min()), float(log_x.max()) + 1e-9
    n_rows = int(np.clip((high - low) / TABLE_STEP, *TABLE_ROWS))
    rows = np.linspace(low, high, n_rows)[:, None]
    # Columns lie close about the mean, where narrow laws rise, and apart in the tails.
    first, last = (float(np.arcsinh(edge / TABLE_CORE)) for edge in TABLE_RANGE)
    even = np.linspace(first, last, TABLE_COLUMNS)
    columns = TABLE_CORE * np.sinh(even)
    middles = log_mean(rows)
    # Steep tails would make a spline ring.
    tables = np.maximum(law(middles + columns, rows), np.log(SMALLEST))
    middle = np.interp(log_x, rows[:, 0], middles[:, 0])
    place = np.stack(
        [
            np.broadcast_to((log_x - low) / (high - low) * (n_rows - 1), log_t.shape),
            (np.arcsinh((log_t - middle) / TABLE_CORE) - even[0]) / (even[1] - even[0]),
        ]
    )
    below, above = (map_coordinates(table, place, order=3, mode="nearest") for table in tables)
    return np.minimum(below, 0.0), np.minimum(above, 0.0)
