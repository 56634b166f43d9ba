"""Independent Gaussian noise, of fitted and of known size."""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from theory.curve import Curve
from theory.noises.base import (
    SD_WHITE,
    Noise,
    NoiseParameter,
    gaussian_log_likelihood,
    gaussian_pointwise,
    white_variance,
)

Array = NDArray[np.float64]


@final
@dataclass(frozen=True)
class White(Noise):
    """Independent Gaussian noise: variance ``sd_white^2 + y_se^2``."""

    name: ClassVar[str] = "white"
    parameters: ClassVar[tuple[NoiseParameter, ...]] = (SD_WHITE,)
    gaussian: ClassVar[bool] = True

    def _whiten(self, columns: Array, curve: Curve, psi: Array) -> tuple[Array, Array]:
        return _scale(columns, white_variance(curve, psi[:, 0]))

    def _gram(self, columns: Array, curve: Curve, psi: Array) -> tuple[Array, Array]:
        if curve.y_se is not None:
            return super()._gram(columns, curve, psi)
        sd = psi[:, 0]
        return (columns @ columns.swapaxes(1, 2)) / (sd**2)[:, None, None], (
            curve.n_obs * np.log(sd)
        )

    def _ahead(self, residual: Array, curve: Curve, psi: Array) -> tuple[Array, Array]:
        variance = white_variance(curve, psi[:, 0])[:, residual.shape[1] :]
        return np.zeros(variance.shape), np.sqrt(variance)

    def _log_likelihood(self, y_hat: Array, curve: Curve, psi: Array) -> Array:
        return gaussian_log_likelihood(self, y_hat, curve, psi)

    def _pointwise(self, y_hat: Array, curve: Curve, psi: Array) -> Array:
        return gaussian_pointwise(curve.y - y_hat, white_variance(curve, psi[:, 0]))

    def _simulate(self, y_hat: Array, curve: Curve, psi: Array, rng: np.random.Generator) -> Array:
        variance = white_variance(curve, psi[:1])[0]
        return np.asarray(y_hat + np.sqrt(variance) * rng.standard_normal(curve.n_obs))


@final
@dataclass(frozen=True)
class KnownSE(Noise):
    """Independent Gaussian noise with the curve's own standard errors and nothing more."""

    name: ClassVar[str] = "known_se"
    parameters: ClassVar[tuple[NoiseParameter, ...]] = ()
    gaussian: ClassVar[bool] = True

    def _whiten(self, columns: Array, curve: Curve, psi: Array) -> tuple[Array, Array]:
        return _scale(columns, np.repeat(_known_variance(curve)[None], len(psi), axis=0))

    def _ahead(self, residual: Array, curve: Curve, psi: Array) -> tuple[Array, Array]:
        variance = np.repeat(_known_variance(curve)[None, residual.shape[1] :], len(psi), axis=0)
        return np.zeros(variance.shape), np.sqrt(variance)

    def _log_likelihood(self, y_hat: Array, curve: Curve, psi: Array) -> Array:
        return gaussian_log_likelihood(self, y_hat, curve, psi)

    def _pointwise(self, y_hat: Array, curve: Curve, psi: Array) -> Array:
        return gaussian_pointwise(curve.y - y_hat, _known_variance(curve)[None])

    def _simulate(self, y_hat: Array, curve: Curve, psi: Array, rng: np.random.Generator) -> Array:
        return np.asarray(
            y_hat + np.sqrt(_known_variance(curve)) * rng.standard_normal(curve.n_obs)
        )


def _scale(columns: Array, variance: Array) -> tuple[Array, Array]:
    """Whiten independent noise of ``variance`` (B, n)."""
    sd = np.sqrt(variance)
    return columns / sd[:, None], np.asarray(np.log(sd).sum(axis=-1))


def _known_variance(curve: Curve) -> Array:
    if curve.y_se is None or np.any(curve.y_se <= 0):
        raise ValueError(
            "known_se noise needs a positive y_se at every point; give y_se or use white noise."
        )
    return np.asarray(curve.y_se**2)
