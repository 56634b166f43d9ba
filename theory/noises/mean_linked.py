"""Independent Gaussian noise whose size follows the curve's own value."""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from theory.curve import Curve
from theory.noises.base import (
    LOG_2PI,
    SD_HIGH,
    SD_LOW,
    Noise,
    NoiseParameter,
    gaussian_pointwise,
    not_gaussian,
)

Array = NDArray[np.float64]


@final
@dataclass(frozen=True)
class MeanLinked(Noise):
    """Independent Gaussian noise, its variance a function of the mean (Davidian and Carroll 1987).

    ``ln sd`` runs straight in the form's value from ``ln sd_low`` at the low end of the range of y
    to ``ln sd_high`` at its high end, and is level beyond; variance ``sd^2 + y_se^2``. Both
    standard deviations alike make it white. Under y -> b y + c it is the same noise with both
    standard deviations times ``|b|``; a negative b exchanges them.

    Attributes
    ----------
    ends : (float, float) or None
        The low and the high end; None for those of the curve at hand (`ends_of`). Where several
        curves share the parameters, as a curve and its first part do, the ends have to be given:
        else the same number means another thing on each.
    """

    ends: tuple[float, float] | None = None

    name: ClassVar[str] = "mean_linked"
    parameters: ClassVar[tuple[NoiseParameter, ...]] = (SD_LOW, SD_HIGH)
    gaussian: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.ends is not None and not self.ends[0] < self.ends[1]:
            raise ValueError(f"the ends of mean_linked noise must increase; they are {self.ends}.")

    def anchored(self, curve: Curve) -> "MeanLinked":
        """Return the noise with its ends held where this curve has them."""
        return MeanLinked(self.ends or ends_of(curve))

    def _whiten(self, columns: Array, curve: Curve, psi: Array) -> tuple[Array, Array]:
        raise not_gaussian(self)

    def _log_likelihood(self, y_hat: Array, curve: Curve, psi: Array) -> Array:
        variance = self.variance(y_hat, curve, psi)
        each = (curve.y - y_hat) ** 2 / variance + np.log(variance)
        return np.asarray(-0.5 * (each.sum(axis=-1) + curve.n_obs * LOG_2PI))

    def _pointwise(self, y_hat: Array, curve: Curve, psi: Array) -> Array:
        return gaussian_pointwise(curve.y - y_hat, self.variance(y_hat, curve, psi))

    def _simulate(self, y_hat: Array, curve: Curve, psi: Array, rng: np.random.Generator) -> Array:
        sd = np.sqrt(self.variance(y_hat[None], curve, psi[None])[0])
        return np.asarray(y_hat + sd * rng.standard_normal(curve.n_obs))

    def variance(self, y_hat: Array, curve: Curve, psi: Array) -> Array:
        """Variance of every point (B, n) around ``y_hat`` (B, n)."""
        low, high = self.ends or ends_of(curve)
        place = np.clip((y_hat - low) / (high - low), 0.0, 1.0)
        log_sd = np.log(psi)
        variance = np.exp(2 * (log_sd[:, :1] * (1 - place) + log_sd[:, 1:] * place))
        return np.asarray(variance if curve.y_se is None else variance + curve.y_se**2)


def ends_of(curve: Curve) -> tuple[float, float]:
    """Low and high end of the range of y: the declared support, else its 2.5 and 97.5 % points.

    The whole range where these coincide, as for rare spikes.

    Raises
    ------
    ValueError
        If y does not vary.
    """
    if curve.support is not None:
        return curve.support
    low, high = np.quantile(curve.y, [0.025, 0.975])
    if not high > low:
        low, high = curve.y.min(), curve.y.max()
    if not high > low:
        raise ValueError(
            f"mean_linked noise needs a y that varies; {curve.observable} is {low} everywhere. "
            "Give the noise its ends, or use white noise."
        )
    return float(low), float(high)
