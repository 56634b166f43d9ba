"""What is believed of a population of runs before their curves are seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from theory.curve import Curve
from theory.form import Form
from theory.hypothesis import SMALLEST_SD, center_and_extent
from theory.parameter import Kind, Parameter
from theory.prior import LogNormal, Normal

_FACTOR = 1.0  # sd of ln


@final
@dataclass(frozen=True)
class Population:
    """The prior of one parameter over runs: normal, or normal in its logarithm.

    Attributes
    ----------
    name
        The parameter of the form.
    center
        Prior of the population's median, in the parameter's own unit.
    spread
        The population's standard deviation (of ln, where `log`) is half-normal with this scale.
    because
        One sentence: why this spread.
    """

    name: str
    center: Normal | LogNormal
    spread: float
    because: str

    @property
    def mean(self) -> float:
        """Mean of the center's prior, of its ln where `log`."""
        return self.center.mean

    @property
    def sd(self) -> float:
        """Standard deviation of the center's prior, of its ln where `log`."""
        return self.center.sd

    @property
    def log(self) -> bool:
        """Whether runs are normal in ln of the parameter: so are times and rates."""
        return isinstance(self.center, LogNormal)


def is_poolable(form: Form) -> bool:
    """Tell whether runs can be pooled under a form: one step, known by place, height and speed."""
    kinds = sorted(parameter.kind for parameter in form.parameters)
    speeds = (Kind.RATE, Kind.TIMESCALE)
    return any(kinds == sorted((Kind.FLOOR, Kind.GAIN, Kind.MIDPOINT, s)) for s in speeds)


def check_kinds(form: Form) -> None:
    """Check that runs can be pooled under a form.

    Raises
    ------
    ValueError
        If the form has other parameters.
    """
    if is_poolable(form):
        return
    has = ", ".join(f"{p.name} ({p.kind})" for p in form.parameters)
    raise ValueError(
        "runs are pooled under a form with one floor, one gain, one midpoint and one rate or "
        f"timescale; {form.name} has {has}."
    )


def populations(form: Form, curves: Sequence[Curve]) -> tuple[Population, ...]:
    """Make weakly informative priors in the curves' own units, one for each parameter of the form.

    They move with the units of t and y, and look at the extent of the curves only.

    Parameters
    ----------
    form
        With one floor, one gain, one midpoint and one rate or timescale.
    curves
        The runs.

    Raises
    ------
    ValueError
        If the form has other parameters.
    """
    check_kinds(form)
    center, extent = _center_and_extent(curves)
    return tuple(_population(p, curves, center, extent) for p in form.parameters)


def noise_prior(curves: Sequence[Curve]) -> LogNormal:
    """Make the prior of each run's white noise."""
    extent = _center_and_extent(curves)[1]
    return LogNormal(
        math.log(math.sqrt(SMALLEST_SD) * extent),
        -math.log(SMALLEST_SD) / 4,
        because="95 % from a ten-thousandth of the range of y to all of it.",
    )


def _center_and_extent(curves: Sequence[Curve]) -> tuple[float, float]:
    """Midpoint and length of the range of y that the runs have together."""
    ends = [(c - e / 2, c + e / 2) for c, e in map(center_and_extent, curves)]
    low, high = min(a for a, _ in ends), max(b for _, b in ends)
    return 0.5 * (low + high), high - low


def _population(
    parameter: Parameter, curves: Sequence[Curve], center: float, extent: float
) -> Population:
    level = "Runs of one rung share task and scale: half of the range of y is a wide spread."
    factor = "Runs of one rung seldom differ by an order of magnitude: sd of ln about 1 or less."
    match parameter.kind:
        case Kind.FLOOR:
            near = "Somewhere near the range of y: its middle, its length."
            prior = Normal(center, extent, because=near)
            return Population(parameter.name, prior, extent / 2, level)
        case Kind.GAIN:
            alike = "Rise or fall alike; twice the range of y, for plateaus not yet seen."
            prior = Normal(0.0, 2 * extent, because=alike)
            return Population(parameter.name, prior, extent / 2, level)
        case Kind.MIDPOINT:
            return Population(parameter.name, _place(curves), _FACTOR, factor)
        case _:
            return Population(parameter.name, _speed(parameter, curves), _FACTOR, factor)


def _place(curves: Sequence[Curve]) -> LogNormal:
    middle = float(np.median([np.median(curve.t[curve.t > 0]) for curve in curves]))
    return LogNormal(
        math.log(middle), 1.5, because="95 % within a factor of 20 of the middle sampled time."
    )


def _speed(parameter: Parameter, curves: Sequence[Curve]) -> LogNormal:
    narrowest = float(np.median([np.median(np.diff(curve.t)) for curve in curves]))
    widest = 2 * max(float(curve.t[-1]) for curve in curves)
    typical = math.log(math.sqrt(narrowest * widest) / parameter.width_factor)
    return LogNormal(
        typical if parameter.kind is Kind.TIMESCALE else -typical,
        math.log(widest / narrowest) / 4,
        because="95 % of widths from one sampling gap to twice the longest curve.",
    )
