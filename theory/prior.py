"""Priors: what was believed of a number before the curve was seen, and why.

Every prior is a transport of a standard normal z: ``x = ppf(Phi(z))``, written so that it is exact
in both tails. A hypothesis is sampled in z, where its whole prior is N(0, I); rescaling the units
of a curve rescales the transports and leaves z alone, so evidence is equivariant by construction.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_ndtr, ndtr, ndtri, ndtri_exp

Array = NDArray[np.float64]

LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True, kw_only=True)
class Prior(ABC):
    """A distribution of one number, with the reason for it.

    Attributes
    ----------
    because : str
        One sentence: why this distribution.
    """

    because: str = ""

    def transport(self, z: ArrayLike) -> Array:
        """Map standard normal deviates of any shape to values: ``x = ppf(Phi(z))``, increasing."""
        return self._transport(np.asarray(z, dtype=np.float64))

    def standard(self, x: ArrayLike) -> Array:
        """Map a value to its standard normal deviate: the inverse of ``transport``."""
        return self._standard(np.asarray(x, dtype=np.float64))

    def logpdf(self, x: ArrayLike) -> Array:
        """Evaluate the log density, -inf outside the support."""
        return self._logpdf(np.asarray(x, dtype=np.float64))

    @property
    def gaussians(self) -> tuple[tuple[float, float, float], ...]:
        """``(weight, mean, sd)`` of each component if this is a mixture of Gaussians, else empty.

        A linear parameter under such a prior is integrated in closed form.
        """
        return self._gaussians()

    def ppf(self, u: ArrayLike) -> Array:
        """Map probabilities in (0, 1) to quantiles."""
        return self.transport(ndtri(np.asarray(u, dtype=np.float64)))

    def draw(self, size: int | tuple[int, ...], *, rng: np.random.Generator) -> Array:
        """Make independent draws, shape ``size``."""
        return self.transport(rng.standard_normal(size))

    @abstractmethod
    def _transport(self, z: Array) -> Array: ...

    @abstractmethod
    def _standard(self, x: Array) -> Array: ...

    @abstractmethod
    def _logpdf(self, x: Array) -> Array: ...

    @abstractmethod
    def _gaussians(self) -> tuple[tuple[float, float, float], ...]: ...


@final
@dataclass(frozen=True)
class Normal(Prior):
    """``x = mean + sd z``."""

    mean: float
    sd: float

    def __post_init__(self) -> None:
        _check_positive("Normal", "sd", self.sd)

    def _transport(self, z: Array) -> Array:
        return np.asarray(self.mean + self.sd * z)

    def _standard(self, x: Array) -> Array:
        return (x - self.mean) / self.sd

    def _logpdf(self, x: Array) -> Array:
        return np.asarray(_log_normal(self._standard(x)) - np.log(self.sd))

    def _gaussians(self) -> tuple[tuple[float, float, float], ...]:
        return ((1.0, self.mean, self.sd),)


@final
@dataclass(frozen=True)
class LogNormal(Prior):
    """``x = exp(mean + sd z)``: mean and sd are those of ln x."""

    mean: float
    sd: float

    def __post_init__(self) -> None:
        _check_positive("LogNormal", "sd", self.sd)

    def _transport(self, z: Array) -> Array:
        return np.asarray(np.exp(self.mean + self.sd * z))

    def _standard(self, x: Array) -> Array:
        return (_log(x) - self.mean) / self.sd

    def _logpdf(self, x: Array) -> Array:
        log_x = _log(x)
        with np.errstate(invalid="ignore"):
            density = _log_normal((log_x - self.mean) / self.sd) - np.log(self.sd) - log_x
        return np.where(np.isfinite(log_x), density, -np.inf)

    def _gaussians(self) -> tuple[tuple[float, float, float], ...]:
        return ()


@final
@dataclass(frozen=True)
class ScaleMixture(Prior):
    """Normals of one mean and several widths: ``x ~ sum_k weight_k N(mean, sd_k^2)``.

    Symmetric about its mean, heavier in the tails than one normal, and still integrable in closed
    form against a Gaussian likelihood.
    """

    weights: tuple[float, ...]
    mean: float
    sds: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.weights) != len(self.sds) or not self.weights:
            raise ValueError(
                f"ScaleMixture needs one weight for each sd; got {len(self.weights)} weights "
                f"and {len(self.sds)} sds."
            )
        for sd in self.sds:
            _check_positive("ScaleMixture", "sds", sd)
        if min(self.weights) <= 0 or abs(sum(self.weights) - 1) > 1e-12:
            raise ValueError(
                f"ScaleMixture weights must be positive and sum to 1; got {self.weights}."
            )

    def _transport(self, z: Array) -> Array:
        target = log_ndtr(-np.abs(z))
        # |x| lies between its quantiles under the narrowest and the widest component, and ln sf
        # is decreasing: Newton's step, halved back into the bracket when it leaves it.
        low, high = np.abs(z) * min(self.sds), np.abs(z) * max(self.sds)
        x = 0.5 * (low + high)
        for _ in range(100):
            excess = self._log_sf(x) - target
            low, high = np.where(excess > 0, x, low), np.where(excess > 0, high, x)
            slope = np.exp(self._log_density(x) - excess - target)
            step = x + excess / np.maximum(slope, 1e-300)
            new = np.where((step > low) & (step < high), step, 0.5 * (low + high))
            # Newton's last step of 1e-13 leaves only rounding, which never lets x rest quite.
            done = np.abs(new - x) <= 1e-13 * (np.abs(x) + max(self.sds))
            x = new
            if np.all(done):
                break
        return np.asarray(self.mean + np.copysign(x, z))

    def _standard(self, x: Array) -> Array:
        offset = x - self.mean
        return np.asarray(np.copysign(-ndtri_exp(self._log_sf(np.abs(offset))), offset))

    def _logpdf(self, x: Array) -> Array:
        return self._log_density(x - self.mean)

    def _gaussians(self) -> tuple[tuple[float, float, float], ...]:
        return tuple((w, self.mean, s) for w, s in zip(self.weights, self.sds, strict=True))

    def _log_sf(self, offset: Array) -> Array:
        terms = [np.log(w) + log_ndtr(-offset / s) for w, _, s in self._gaussians()]
        return np.asarray(np.logaddexp.reduce(terms))

    def _log_density(self, offset: Array) -> Array:
        terms = [np.log(w / s) + _log_normal(offset / s) for w, _, s in self._gaussians()]
        return np.asarray(np.logaddexp.reduce(terms))


@final
@dataclass(frozen=True)
class Uniform(Prior):
    """Uniform on ``[lower, upper]``."""

    lower: float
    upper: float

    def __post_init__(self) -> None:
        _check_interval("Uniform", self.lower, self.upper)

    def _transport(self, z: Array) -> Array:
        return _between(self.lower, self.upper, z)

    def _standard(self, x: Array) -> Array:
        return _standard_between(self.lower, self.upper, x)

    def _logpdf(self, x: Array) -> Array:
        inside = (x >= self.lower) & (x <= self.upper)
        return np.where(inside, -np.log(self.upper - self.lower), -np.inf)

    def _gaussians(self) -> tuple[tuple[float, float, float], ...]:
        return ()


@final
@dataclass(frozen=True)
class LogUniform(Prior):
    """ln x uniform on ``[ln lower, ln upper]``."""

    lower: float
    upper: float

    def __post_init__(self) -> None:
        _check_positive("LogUniform", "lower", self.lower)
        _check_interval("LogUniform", self.lower, self.upper)

    def _transport(self, z: Array) -> Array:
        # From the unit interval outwards, so that rescaled bounds rescale x to the last bit or so.
        span = np.log(self.upper / self.lower)
        return np.asarray(self.lower * np.exp(span * ndtr(z)))

    def _standard(self, x: Array) -> Array:
        span = np.log(self.upper / self.lower)
        return _standard_between(0.0, span, _log(x / self.lower))

    def _logpdf(self, x: Array) -> Array:
        inside = (x >= self.lower) & (x <= self.upper)
        log_x = np.log(np.where(inside, x, 1.0))
        return np.where(inside, -log_x - np.log(np.log(self.upper / self.lower)), -np.inf)

    def _gaussians(self) -> tuple[tuple[float, float, float], ...]:
        return ()


@final
@dataclass(frozen=True, eq=False)
class TimeLocation(Prior):
    """A place in time: mostly where the curve was sampled, sometimes before or after.

    ``inside`` of the mass lies over the sampled times, equally much between every two neighbors
    (so a log-spaced schedule gives a log-spaced prior); the rest is halved: ln x uniform on
    ``[t_1 / before, t_1]`` and on ``[t_n, after * t_n]``.

    Attributes
    ----------
    times : tuple of float
        Positive sampled times, strictly increasing, at least two.
    inside : float
        Mass over the sampled times.
    before, after : float
        Factors by which the place may precede the first and follow the last sampled time.
    """

    times: tuple[float, ...]
    inside: float = 0.8
    before: float = 100.0
    after: float = 10.0
    _knots: Array = field(init=False, repr=False)
    _masses: Array = field(init=False, repr=False)

    def __post_init__(self) -> None:
        knots = np.asarray(self.times, dtype=np.float64)
        if knots.size < 2 or knots[0] <= 0 or np.any(np.diff(knots) <= 0):
            raise ValueError(
                "TimeLocation needs at least two positive, strictly increasing times; got "
                f"{knots.size} from {knots[:1]} to {knots[-1:]}."
            )
        if not 0 < self.inside < 1 or self.before <= 1 or self.after <= 1:
            raise ValueError(
                "TimeLocation needs inside in (0, 1), before > 1 and after > 1; got "
                f"{self.inside}, {self.before}, {self.after}."
            )
        tail = 0.5 * (1 - self.inside)
        masses = np.linspace(tail, 1 - tail, knots.size)
        for name, array in (("_knots", knots), ("_masses", masses)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def _transport(self, z: Array) -> Array:
        u = ndtr(z)
        tail, first, last = self._masses[0], self._knots[0], self._knots[-1]
        early = first * self.before ** np.minimum(u / tail - 1, 0)
        late = last * self.after ** np.maximum((u - (1 - tail)) / tail, 0)
        middle = np.interp(u, self._masses, self._knots)
        return np.asarray(np.where(u < tail, early, np.where(u > 1 - tail, late, middle)))

    def _standard(self, x: Array) -> Array:
        tail, first, last = self._masses[0], self._knots[0], self._knots[-1]
        early = tail * (1 + _log(x / first) / np.log(self.before))
        late = tail * (1 - _log(x / last) / np.log(self.after))  # mass above x
        middle = np.interp(x, self._knots, self._masses)
        below = np.where(x < first, early, middle)
        with np.errstate(invalid="ignore"):
            z = np.where(x > last, -ndtri(np.clip(late, 0, 1)), ndtri(np.clip(below, 0, 1)))
        return np.asarray(z)

    def _logpdf(self, x: Array) -> Array:
        tail, first, last = self._masses[0], self._knots[0], self._knots[-1]
        inside = (x >= first / self.before) & (x <= last * self.after)
        safe = np.where(inside, x, first)
        cell = np.clip(np.searchsorted(self._knots, safe, side="right") - 1, 0, len(self.times) - 2)
        middle = np.log(self.inside / (len(self.times) - 1) / np.diff(self._knots)[cell])
        factor = np.where(safe < first, self.before, self.after)
        outer = np.log(tail / np.log(factor)) - np.log(safe)
        return np.where(inside, np.where((safe < first) | (safe > last), outer, middle), -np.inf)

    def _gaussians(self) -> tuple[tuple[float, float, float], ...]:
        return ()


def _log_normal(z: Array) -> Array:
    return np.asarray(-0.5 * (z * z + LOG_2PI))


def _log(x: Array) -> Array:
    return np.where(x > 0, np.log(np.where(x > 0, x, 1.0)), -np.inf)


def _between(lower: float, upper: float, z: Array) -> Array:
    """Point of the interval at deviate z, measured from the nearer end."""
    part = (upper - lower) * ndtr(-np.abs(z))
    return np.asarray(np.where(z < 0, lower + part, upper - part))


def _standard_between(lower: float, upper: float, x: Array) -> Array:
    below = np.clip((x - lower) / (upper - lower), 0, 1)
    above = np.clip((upper - x) / (upper - lower), 0, 1)
    return np.asarray(np.where(below < 0.5, ndtri(below), -ndtri(above)))


def _check_positive(kind: str, name: str, value: float) -> None:
    if not (np.isfinite(value) and value > 0):
        raise ValueError(f"{kind} needs a positive, finite {name}; got {value}.")


def _check_interval(kind: str, lower: float, upper: float) -> None:
    if not (np.isfinite(lower) and np.isfinite(upper) and lower < upper):
        raise ValueError(f"{kind} needs finite lower < upper; got {lower} and {upper}.")
