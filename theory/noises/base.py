"""What every noise is and does."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from theory.curve import Curve

Array = NDArray[np.float64]

LOG_2PI = float(np.log(2 * np.pi))


class NoiseKind(StrEnum):
    """What a noise parameter measures; it decides the default prior and the transformation laws."""

    SD = "standard deviation, in the unit of y"
    TIME = "length of memory, in the unit of t"
    COUNT = "length of memory, in points"
    FREEDOM = "degrees of freedom, a pure number"
    OVERDISPERSION = "correlation of the trials at one point, between 0 and 1"


@final
@dataclass(frozen=True)
class NoiseParameter:
    """One parameter of a noise: its name, what it means, and its kind. All are positive."""

    name: str
    meaning: str
    kind: NoiseKind


SD_WHITE = NoiseParameter("sd_white", "spread of the independent part of the noise", NoiseKind.SD)
SD_WANDER = NoiseParameter("sd_wander", "spread of the slowly wandering part", NoiseKind.SD)
CORRELATION_TIME = NoiseParameter(
    "correlation_time", "progress over which the wander forgets by 1/e", NoiseKind.TIME
)
CORRELATION_COUNT = NoiseParameter(
    "correlation_time", "points over which the wander forgets by 1/e", NoiseKind.COUNT
)
WINDOW = NoiseParameter("window", "progress over which the log averages", NoiseKind.TIME)
SCALE = NoiseParameter(
    "sd_white", "scale of the scatter: its spread, were the tails Gaussian", NoiseKind.SD
)
FREEDOM = NoiseParameter(
    "freedom", "degrees of freedom; the fewer, the heavier the tails", NoiseKind.FREEDOM
)
SD_LOW = NoiseParameter("sd_low", "spread at the low end of the range of y", NoiseKind.SD)
SD_HIGH = NoiseParameter("sd_high", "spread at the high end of the range of y", NoiseKind.SD)
OVERDISPERSION = NoiseParameter(
    "overdispersion", "correlation of the trials at one point", NoiseKind.OVERDISPERSION
)


@dataclass(frozen=True)
class Noise(ABC):
    """A distribution of measured y around a form's values.

    Shapes: B parameter draws, n points, k columns, m noise parameters (in ``parameters`` order).
    """

    name: ClassVar[str]
    parameters: ClassVar[tuple[NoiseParameter, ...]]
    gaussian: ClassVar[bool]

    @property
    def names(self) -> tuple[str, ...]:
        """Parameter names, in order."""
        return tuple(parameter.name for parameter in self.parameters)

    def whiten(self, columns: Array, curve: Curve, psi: Array) -> tuple[Array, Array]:
        """Decorrelate columns: with covariance ``S = L L'``, give ``L^-1 columns`` and ``ln |L|``.

        Parameters
        ----------
        columns : ndarray, shape (B, k, n)
            B may be 1 for columns shared by all draws.
        curve : Curve
            Gives the times and the known standard errors.
        psi : ndarray, shape (B, m)

        Returns
        -------
        whitened : ndarray, shape (B, k, n)
        half_log_det : ndarray, shape (B,)

        Raises
        ------
        ValueError
            If the noise is not Gaussian.
        """
        return self._whiten(columns, curve, psi)

    def gram(self, columns: Array, curve: Curve, psi: Array) -> tuple[Array, Array]:
        """Inner products of the decorrelated columns, (B, k, k), and ``ln |L|``, (B,).

        As from ``whiten``, whose arguments these are, but the columns are not kept.
        """
        return self._gram(columns, curve, psi)

    def ahead(self, residual: Array, curve: Curve, psi: Array) -> tuple[Array, Array]:
        """Foretell the residuals of the last points of a curve from those of the first.

        The conditional mean and spread of a Gaussian process (Rasmussen and Williams 2006, eq.
        2.23 and 2.24).

        Parameters
        ----------
        residual : ndarray, shape (B, first)
            Of the first points.
        curve : Curve
        psi : ndarray, shape (B, m)

        Returns
        -------
        mean, sd : ndarray, shape (B, n - first)
            Of the residual of every later point, its own noise included.

        Raises
        ------
        ValueError
            If the noise is not Gaussian.
        """
        return self._ahead(residual, curve, psi)

    def log_likelihood(self, y_hat: Array, curve: Curve, psi: Array) -> Array:
        """Evaluate the log density of ``curve.y`` around ``y_hat`` (B, n): shape (B,)."""
        return self._log_likelihood(y_hat, curve, psi)

    def pointwise(self, y_hat: Array, curve: Curve, psi: Array) -> Array:
        """Evaluate the log density of every single point around ``y_hat`` (B, n): shape (B, n).

        Raises
        ------
        ValueError
            If the points are not independent given the parameters.
        """
        return self._pointwise(y_hat, curve, psi)

    def simulate(
        self, y_hat: Array, curve: Curve, psi: Array, *, rng: np.random.Generator
    ) -> Array:
        """Draw one noisy curve around ``y_hat`` (n,) under ``psi`` (m,): shape (n,)."""
        return self._simulate(y_hat, curve, psi, rng)

    @abstractmethod
    def _whiten(self, columns: Array, curve: Curve, psi: Array) -> tuple[Array, Array]: ...

    def _gram(self, columns: Array, curve: Curve, psi: Array) -> tuple[Array, Array]:
        white, half_log_det = self._whiten(columns, curve, psi)
        return white @ white.swapaxes(1, 2), half_log_det

    def _ahead(self, residual: Array, curve: Curve, psi: Array) -> tuple[Array, Array]:
        first = residual.shape[1]
        identity = np.eye(curve.n_obs)[None]
        mean, sd = np.empty((2, len(psi), curve.n_obs - first))
        for b, one in enumerate(psi):
            whitener = self._whiten(identity, curve, one[None])[0][0].T
            lower = np.linalg.inv(whitener[first:, first:])
            mean[b] = -lower @ (whitener[first:, :first] @ residual[b])
            sd[b] = np.sqrt(np.square(lower).sum(axis=1))
        return mean, sd

    def _pointwise(self, y_hat: Array, curve: Curve, psi: Array) -> Array:
        raise ValueError(
            f"under {self.name} noise a point depends on the others; use log_likelihood."
        )

    @abstractmethod
    def _log_likelihood(self, y_hat: Array, curve: Curve, psi: Array) -> Array: ...

    @abstractmethod
    def _simulate(
        self, y_hat: Array, curve: Curve, psi: Array, rng: np.random.Generator
    ) -> Array: ...


def gaussian_log_likelihood(noise: Noise, y_hat: Array, curve: Curve, psi: Array) -> Array:
    """Log density of ``curve.y`` under Gaussian noise around ``y_hat`` (B, n): shape (B,)."""
    residual, half_log_det = noise.whiten((curve.y - y_hat)[:, None], curve, psi)
    square = np.einsum("bkn,bkn->b", residual, residual)
    return np.asarray(-0.5 * (curve.n_obs * LOG_2PI + square) - half_log_det)


def gaussian_pointwise(residual: Array, variance: Array) -> Array:
    """Log densities of independent Gaussian residuals (B, n) of ``variance`` (B, n)."""
    return np.asarray(-0.5 * (residual**2 / variance + np.log(variance) + LOG_2PI))


def not_gaussian(noise: Noise) -> ValueError:
    """Say that a noise cannot be whitened."""
    return ValueError(f"{noise.name} noise cannot be whitened; use log_likelihood.")


def white_variance(curve: Curve, sd: Array) -> Array:
    """Variance of the independent part, (B, n), for ``sd`` (B,)."""
    variance = np.broadcast_to((sd**2)[:, None], (len(sd), curve.n_obs))
    return variance if curve.y_se is None else variance + curve.y_se**2
