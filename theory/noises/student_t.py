"""Independent noise with heavy tails: now and then a point lies far off."""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln

from theory.curve import Curve
from theory.noises.base import FREEDOM, SCALE, Noise, NoiseParameter, not_gaussian, white_variance

Array = NDArray[np.float64]


@final
@dataclass(frozen=True)
class StudentT(Noise):
    """Independent Student-t noise of squared scale ``sd_white^2 + y_se^2`` (Lange et al. 1989).

    Density ``(1 + u^2 / freedom)^(-(freedom + 1) / 2) / (s sqrt(freedom) B(freedom / 2, 1 / 2))``
    at ``u = (y - y_hat) / s``. Its standard deviation is ``s sqrt(freedom / (freedom - 2))``; with
    freedom large it is white noise.
    """

    name: ClassVar[str] = "student_t"
    parameters: ClassVar[tuple[NoiseParameter, ...]] = (SCALE, FREEDOM)
    gaussian: ClassVar[bool] = False

    def _whiten(self, columns: Array, curve: Curve, psi: Array) -> tuple[Array, Array]:
        raise not_gaussian(self)

    def _log_likelihood(self, y_hat: Array, curve: Curve, psi: Array) -> Array:
        variance, freedom = white_variance(curve, psi[:, 0]), psi[:, 1]
        square = (curve.y - y_hat) ** 2 / variance
        tails = np.log1p(square / freedom[:, None]).sum(axis=-1)
        log_scale = 0.5 * np.log(variance).sum(axis=-1)
        each = 0.5 * np.log(freedom) + betaln(0.5 * freedom, 0.5)
        return np.asarray(-0.5 * (freedom + 1) * tails - log_scale - curve.n_obs * each)

    def _pointwise(self, y_hat: Array, curve: Curve, psi: Array) -> Array:
        variance, freedom = white_variance(curve, psi[:, 0]), psi[:, 1:2]
        tails = np.log1p((curve.y - y_hat) ** 2 / variance / freedom)
        each = 0.5 * np.log(freedom) + betaln(0.5 * freedom, 0.5)
        return np.asarray(-0.5 * ((freedom + 1) * tails + np.log(variance)) - each)

    def _simulate(self, y_hat: Array, curve: Curve, psi: Array, rng: np.random.Generator) -> Array:
        scale = np.sqrt(white_variance(curve, psi[:1])[0])
        return np.asarray(y_hat + scale * rng.standard_t(psi[1], curve.n_obs))
