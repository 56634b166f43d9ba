"""The posterior of a product of weights by quadrature, and where descent on its energy ends.

With independent normal weights u of sd s, w = a u_L and a = u_1 … u_{L-1}, the posterior of w given
a is normal, and the mean z of n samples is N(0, v²/n + s² a²), v the sd of the noise. What is left
is one integral over ln|a|, whose density is known for one weight (half normal) and for two
(Bessel's K_0); the trapezoid rule is exact to rounding for such an integrand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import kve, ndtr

from empirics.product_cell import ProductCell

FloatArray = NDArray[np.float64]
BOUNDARY = 0.25
"""Share of the singular value from which on a product counts as learned: between the phases, where
the posteriors tested here are thin."""
LOG_SIZES = np.linspace(-45.0, 5.0, 2000)
DEVIATES = np.linspace(-6.0, 6.0, 241)
CHANCES = np.exp(-(DEVIATES**2) / 2) / np.exp(-(DEVIATES**2) / 2).sum()


@final
@dataclass(frozen=True)
class ProductPosterior:
    """What samples say of a product of weights.

    Attributes
    ----------
    samples : float
        Their number, which need not be whole here.
    prior_sd, singular_value, noise_sd, depth
        As in `ProductCell`; the depth is 2 or 3.
    """

    samples: float
    prior_sd: float
    singular_value: float = 1.0
    noise_sd: float = 1.0
    depth: int = 3

    @classmethod
    def of(cls, cell: ProductCell) -> Self:
        """Return the posterior that a cell samples."""
        if cell.prior_sd is None:
            raise ValueError("a posterior needs a prior_sd; it is None.")
        return cls(cell.samples, cell.prior_sd, cell.singular_value, cell.noise_sd, cell.depth)

    def log_size_density(self) -> FloatArray:
        """Return the log prior density of ln|a / prior_sd^(depth - 1)| at `LOG_SIZES`."""
        a = np.exp(LOG_SIZES)
        if self.depth == 2:
            return np.asarray(math.log(2 / math.sqrt(2 * math.pi)) - a**2 / 2 + LOG_SIZES)
        if self.depth == 3:
            return np.asarray(np.log(2 / math.pi * kve(0, a)) - a + LOG_SIZES)
        raise ValueError(f"depth must be 2 or 3 for this quadrature; it is {self.depth}.")

    def given(self, mean: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return log evidence, chance that the product is learned, and its mean, (N,) each.

        Parameters
        ----------
        mean : (N,) array
            Mean z of the samples.
        """
        z = np.atleast_1d(np.asarray(mean, dtype=float))[:, None]
        of_data = self.noise_sd**2 / self.samples
        of_product = (self.prior_sd**self.depth * np.exp(LOG_SIZES)) ** 2
        total = of_data + of_product
        log_density = self.log_size_density() - z**2 / (2 * total) - np.log(2 * math.pi * total) / 2
        highest = log_density.max(axis=1, keepdims=True)
        density = np.exp(log_density - highest)
        mass = density.sum(axis=1)
        shrunk = of_product / total
        spread = np.maximum(np.sqrt(shrunk * of_data), 1e-300)
        above = ndtr((shrunk * z - BOUNDARY * self.singular_value) / spread)
        return (
            highest[:, 0] + np.log(mass * (LOG_SIZES[1] - LOG_SIZES[0])),
            (density * above).sum(axis=1) / mass,
            (density * (shrunk * z)).sum(axis=1) / mass,
        )

    def means_of_data(self) -> FloatArray:
        """Return the mean z of data at `DEVIATES`, each as likely as `CHANCES` says."""
        return self.singular_value + DEVIATES * self.noise_sd / math.sqrt(self.samples)

    def learned(self) -> float:
        """Return the chance that the product is learned, averaged over data."""
        return float(CHANCES @ self.given(self.means_of_data())[1])

    def critical_samples(self, *, of_population: bool = False) -> float:
        """Return the number of samples at which half of the weight is learned.

        Averaged over data, or with the mean z of the population.
        """

        def excess(log_n: float) -> float:
            at = replace(self, samples=math.exp(log_n))
            found = at.given(self.singular_value)[1][0] if of_population else at.learned()
            return float(found) - 0.5

        return math.exp(brentq(excess, 0.0, math.log(1e5)))

    def volume_gap(self) -> float:
        """Return the constant of the free energy of the learned phase above the other's.

        The learned phase, exact but for its width, has the evidence p(s) sqrt(2 π v²/n) with p the
        prior density of the product; the simple one exp(-n s²/(2 v²)).
        """
        scale = self.prior_sd**self.depth
        a = scale * np.exp(LOG_SIZES)
        given_a = np.exp(-((self.singular_value / a) ** 2) / 2) / (math.sqrt(2 * math.pi) * a)
        step = LOG_SIZES[1] - LOG_SIZES[0]
        density = float(np.sum(np.exp(self.log_size_density()) * given_a) * step)
        return -math.log(density * math.sqrt(2 * math.pi) * self.noise_sd)


def resting_share(cell: ProductCell, mean: float, start: float) -> float:
    """Return the share at which gradient flow on a cell's energy ends, from equal weights.

    Parameters
    ----------
    cell : ProductCell
    mean : float
        Mean z of the samples.
    start : float
        Every weight at the start, positive.
    """
    depth, s = cell.depth, cell.singular_value
    decay = 0.0 if cell.prior_sd is None else (cell.noise_sd / cell.prior_sd) ** 2 / cell.samples
    # u^(depth - 1) (u^depth - z) + decay u, without its root at 0
    polynomial = np.zeros(2 * depth - 1)
    polynomial[0], polynomial[depth] = 1.0, -mean
    polynomial[-1] += decay
    roots = np.roots(polynomial)
    stops = np.sort([0.0, *roots[(abs(roots.imag) < 1e-9) & (roots.real > 1e-9)].real])
    rising = float(np.polyval(polynomial, start)) < 0
    end = stops[stops > start].min() if rising else stops[stops < start].max()
    return float(end**depth / s)
