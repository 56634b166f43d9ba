"""Hypotheses: a complete, fittable claim about one curve."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import lgamma
from types import MappingProxyType
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.curve import Curve
from theory.form import Form
from theory.noise import MeanLinked, Noise, NoiseKind, NoiseParameter
from theory.parameter import Kind, Parameter
from theory.prior import LogUniform, Normal, Prior, ScaleMixture, TimeLocation, Uniform

Array = NDArray[np.float64]

SMALLEST_SD = 1e-4  # of the range of y
RESOLVED = 1e-12
"""Range of y over its size from which on double precision resolves a curve."""
LARGEST = 1e50
"""Range of y, and last t, whose powers are still numbers; so is one over it the smallest."""


@final
@dataclass(frozen=True, eq=False)
class Hypothesis:
    """A form, a noise, and a prior for every parameter of both.

    Parameters are ordered: the form's, then the noise's. Deviates z with prior N(0, I) map to
    parameters by ``transport``, which sorts ordered midpoints: they are the order statistics of
    independent draws from their common prior (density k! times the product, increasing).

    Raises
    ------
    ValueError
        If a parameter lacks a prior, a prior belongs to no parameter, a name is used by form and
        noise both, or ordered midpoints have different priors.
    """

    form: Form
    noise: Noise
    priors: Mapping[str, Prior]

    def __post_init__(self) -> None:
        shared = sorted(set(self.form.names) & set(self.noise.names))
        if shared:
            raise ValueError(f"{self.form.name} and {self.noise.name} both name {shared}.")
        missing = sorted(set(self.names) - set(self.priors))
        if missing:
            raise ValueError(f"{self.name} needs a prior for {missing}.")
        extra = sorted(set(self.priors) - set(self.names))
        if extra:
            raise ValueError(
                f"{self.name} has priors for {extra}, which it does not name; "
                f"its parameters are {sorted(self.names)}."
            )
        for group in self.form.ordered:
            first = self.priors[group[0]]
            for name in group[1:]:
                if self.priors[name] is not first and self.priors[name] != first:
                    raise ValueError(
                        f"{self.name}: ordered parameters {list(group)} need one common prior; "
                        f"{name} has another than {group[0]}."
                    )
        priors = {name: self.priors[name] for name in self.names}
        object.__setattr__(self, "priors", MappingProxyType(priors))

    @property
    def name(self) -> str:
        """``form x noise``, as shown in tables."""
        return f"{self.form.name} × {self.noise.name}"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all parameters: the form's, then the noise's."""
        return (*self.form.names, *self.noise.names)

    @cached_property
    def linear(self) -> tuple[str, ...]:
        """Parameters that can be integrated in closed form.

        The form's linear parameters, where the noise is Gaussian and all their priors are Gaussian
        mixtures; otherwise none.
        """
        mixtures = all(self.priors[name].gaussians for name in self.form.linear)
        return self.form.linear if self.noise.gaussian and mixtures else ()

    @cached_property
    def share(self) -> str | None:
        """A share that can be integrated beside the linear parameters: see `Form.divided`.

        Uniform on [0, 1], and dividing a parameter whose prior is centered at zero.
        """
        if not self.linear or self.form.divided is None:
            return None
        share, gain = self.form.divided
        prior = self.priors[share]
        whole = isinstance(prior, Uniform) and (prior.lower, prior.upper) == (0.0, 1.0)
        centered = all(mean == 0.0 for _, mean, _ in self.priors[gain].gaussians)
        return share if whole and centered else None

    @cached_property
    def sampled(self) -> tuple[str, ...]:
        """The other parameters, in order."""
        integrated = (*self.linear, self.share)
        return tuple(name for name in self.names if name not in integrated)

    def transport(self, z: ArrayLike, names: tuple[str, ...] | None = None) -> Array:
        """Parameters in natural units from standard normal deviates.

        Parameters
        ----------
        z : array_like, shape (..., d)
        names : tuple of str, optional
            The d parameters, all by default. Ordered groups must be whole.

        Returns
        -------
        ndarray, shape (..., d)
        """
        names = self.names if names is None else names
        z = self.ordered(np.asarray(z, dtype=np.float64), names)
        columns = [self.priors[name].transport(z[..., i]) for i, name in enumerate(names)]
        return np.stack(columns, axis=-1) if columns else np.empty_like(z)

    def standard(self, theta: ArrayLike, names: tuple[str, ...] | None = None) -> Array:
        """Map parameters to standard normal deviates: the inverse of ``transport`` on ordered z."""
        names = self.names if names is None else names
        theta = np.asarray(theta, dtype=np.float64)
        columns = [self.priors[name].standard(theta[..., i]) for i, name in enumerate(names)]
        return np.stack(columns, axis=-1) if columns else np.empty_like(theta)

    def log_prior(self, theta: ArrayLike) -> Array:
        """Evaluate the log prior density at parameters (..., d) in natural units: shape (...)."""
        theta = np.asarray(theta, dtype=np.float64)
        total = np.zeros(theta.shape[:-1])
        for i, name in enumerate(self.names):
            total = total + self.priors[name].logpdf(theta[..., i])
        for places in self.places():
            increasing = np.all(np.diff(theta[..., places], axis=-1) > 0, axis=-1)
            total = np.where(increasing, total + lgamma(len(places) + 1), -np.inf)
        return total

    def draw_prior(self, size: int, *, rng: np.random.Generator) -> Array:
        """Independent draws from the prior, shape (size, d)."""
        return self.transport(rng.standard_normal((size, len(self.names))))

    def log_likelihood(self, theta: ArrayLike, curve: Curve) -> Array:
        """Log density of the curve at parameters (B, d): shape (B,)."""
        theta = np.asarray(theta, dtype=np.float64)
        p = len(self.form.names)
        y_hat = np.asarray(self.form(curve.t, theta[:, :p]))
        return self.noise.log_likelihood(y_hat, curve, theta[:, p:])

    def pointwise(self, theta: ArrayLike, curve: Curve) -> Array:
        """Log density of every point at parameters (B, d): shape (B, n).

        Raises
        ------
        ValueError
            If the noise lets points depend on each other.
        """
        theta = np.asarray(theta, dtype=np.float64)
        p = len(self.form.names)
        return self.noise.pointwise(
            np.asarray(self.form(curve.t, theta[:, :p])), curve, theta[:, p:]
        )

    def __getstate__(self) -> dict[str, Any]:
        return {"form": self.form, "noise": self.noise, "priors": dict(self.priors)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for key, value in state.items():
            frozen = MappingProxyType(value) if key == "priors" else value
            object.__setattr__(self, key, frozen)

    def places(self, names: tuple[str, ...] | None = None) -> tuple[tuple[int, ...], ...]:
        """Where the members of each ordered group stand among ``names`` (all by default)."""
        names = self.names if names is None else names
        groups = (group for group in self.form.ordered if group[0] in names)
        return tuple(tuple(names.index(name) for name in group) for group in groups)

    def ordered(self, z: Array, names: tuple[str, ...] | None = None) -> Array:
        """Sort the deviates (..., d) of each ordered group."""
        for places in self.places(names):
            z = z.copy()
            z[..., places] = np.sort(z[..., places], axis=-1)
        return z


def default_hypothesis(form: Form, noise: Noise, curve: Curve, *, scale: float = 1.0) -> Hypothesis:
    """Make a hypothesis with default priors in the curve's own units.

    The priors move with the units of the curve, so evidence is equivariant under t -> a t and
    y -> b y + c. They look at the curve's extent in t and y (empirical Bayes), not at its course.

    Parameters
    ----------
    form, noise, curve
    scale : float
        Multiplies the range of y in the priors of floor, gain and slope (the sensitivity band uses
        1/2 and 2). The priors of the noise keep the unscaled range.

    Raises
    ------
    ValueError
        If the curve has fewer than 3 points, does not vary by numbers that can be reckoned with,
        or the scale is not positive.
    """
    if not (np.isfinite(scale) and scale > 0):
        raise ValueError(f"scale must be positive and finite; got {scale}.")
    center, extent = center_and_extent(curve)
    _check_fittable(curve, extent)
    if isinstance(noise, MeanLinked):
        noise = noise.anchored(curve)  # a part of the curve is held against the whole one's ends
    location = _location(curve)
    priors: dict[str, Prior] = {}
    for parameter in form.parameters:
        priors[parameter.name] = _form_prior(parameter, curve, center, extent * scale, location)
    for noise_parameter in noise.parameters:
        priors[noise_parameter.name] = _noise_prior(noise_parameter, curve, extent)
    return Hypothesis(form=form, noise=noise, priors=priors)


def center_and_extent(curve: Curve) -> tuple[float, float]:
    """Midpoint and length of the range of y.

    The declared support if there is one; otherwise the 2.5-97.5 % range (the whole range where
    that has no length, as for rare spikes).
    """
    if curve.support is not None:
        low, high = curve.support
    else:
        low, high = np.quantile(curve.y, [0.025, 0.975])
        if not high > low:
            low, high = curve.y.min(), curve.y.max()
    return float(0.5 * (low + high)), float(high - low)


def _check_fittable(curve: Curve, extent: float) -> None:
    if curve.n_obs < 3:
        raise ValueError(f"a fit needs at least 3 points; {curve.observable} has {curve.n_obs}.")
    spread, size = float(np.ptp(curve.y)), float(np.abs(curve.y).max())
    if not extent > 0 or spread == 0:
        raise ValueError(
            f"y must vary to be fitted; {curve.observable} is {curve.y[0]} at all "
            f"{curve.n_obs} points."
        )
    if spread <= RESOLVED * max(size, extent):
        raise ValueError(
            f"y must vary by more than its rounding to be fitted; {curve.observable} varies by "
            f"{spread:.3g} around {size:.3g}: subtract the offset before the values are rounded."
        )
    for name, length in (("y", extent), ("y", spread), ("t", float(curve.t[-1]))):
        if not 1 / LARGEST < abs(length) < LARGEST:
            raise ValueError(
                f"{name} must have a range between {1 / LARGEST:.0e} and {LARGEST:.0e} to be "
                f"fitted, so that its powers are numbers; that of {curve.observable} is "
                f"{length:.3g}: use another unit."
            )


def _location(curve: Curve) -> TimeLocation:
    return TimeLocation(
        tuple(float(t) for t in curve.t[curve.t > 0]),
        because="80 % over the sampled times, 10 % before the first, 10 % up to 10 times the last.",
    )


def _form_prior(
    parameter: Parameter, curve: Curve, center: float, extent: float, location: TimeLocation
) -> Prior:
    last = float(curve.t[-1])
    match parameter.kind:
        case Kind.FLOOR:
            return Normal(
                center, extent, because="Somewhere near the range of y: its middle, its length."
            )
        case Kind.GAIN:
            return ScaleMixture(
                (0.5, 0.5),
                0.0,
                (extent, 5 * extent),
                because="Rise or fall alike; half of the range of y, half of it unseen.",
            )
        case Kind.SLOPE:
            return ScaleMixture(
                (0.5, 0.5),
                0.0,
                (extent / last, 5 * extent / last),
                because="The change over the whole curve is like a gain.",
            )
        case Kind.MIDPOINT:
            return location
        case Kind.TIMESCALE | Kind.RATE:
            return _width_prior(parameter, curve)
        case Kind.EXPONENT:
            if parameter.default_range is None:
                raise ValueError(f"{parameter.name} is an exponent and needs a default_range.")
            return LogUniform(*parameter.default_range, because="Any order of magnitude alike.")
        case Kind.SHARE:
            return Uniform(0.0, 1.0, because="Every division between two stages alike.")


def _width_prior(parameter: Parameter, curve: Curve) -> Prior:
    narrowest, widest = float(np.median(np.diff(curve.t))), 2 * float(curve.t[-1])
    factor = parameter.width_factor
    because = "Widths from one sampling gap to twice the curve, any order of magnitude alike."
    if parameter.kind is Kind.TIMESCALE:
        return LogUniform(narrowest / factor, widest / factor, because=because)
    return LogUniform(factor / widest, factor / narrowest, because=because)


def _noise_prior(parameter: NoiseParameter, curve: Curve, extent: float) -> Prior:
    match parameter.kind:
        case NoiseKind.SD:
            return LogUniform(
                SMALLEST_SD * extent,
                extent,
                because="From a ten-thousandth of the range of y to all of it.",
            )
        case NoiseKind.TIME:
            return LogUniform(
                float(np.diff(curve.t).min()),
                float(curve.t[-1]),
                because="From the smallest sampling gap to the whole curve.",
            )
        case NoiseKind.COUNT:
            return LogUniform(1.0, float(curve.n_obs), because="From one point to all points.")
        case NoiseKind.FREEDOM:
            return LogUniform(
                2.0,
                100.0,
                because="From an infinite variance to all but Gaussian, every order alike.",
            )
        case NoiseKind.OVERDISPERSION:
            return LogUniform(
                1e-3, 0.5, because="A thousandth to half of a trial's luck is shared, any order."
            )
