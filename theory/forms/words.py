"""The parameter words that the forms share, so that one word means one thing in all of them."""

from __future__ import annotations

import math

from theory.parameter import Kind, Parameter

LOGISTIC_WIDTH = 2 * math.log(9)
"""10-90 % width of a logistic step of rate 1."""

EXPONENTIAL_WIDTH = math.log(9)
"""10-90 % width of an exponential approach of rate 1."""

floor = Parameter("floor", "value before the change", "y", Kind.FLOOR)
gain = Parameter("gain", "change from floor to plateau, negative for a fall", "y", Kind.GAIN)
slope = Parameter("slope", "change per unit of time", "y/t", Kind.SLOPE)
midpoint = Parameter("midpoint", "time at which half the gain is reached", "t", Kind.MIDPOINT)
half_time = Parameter(
    "timescale",
    "time at which half the gain is reached",
    "t",
    Kind.TIMESCALE,
    width_factor=80 / 9,
)
positive_midpoint = Parameter("midpoint", midpoint.meaning, "t", Kind.MIDPOINT, lower=0.0)


def step_rate(
    name: str = "rate", step: str = "the", *, width_factor: float = LOGISTIC_WIDTH
) -> Parameter:
    """Return the rate of a step, by default a logistic one: 4 × its steepest slope / its gain."""
    meaning = f"steepness of {step} step: 4 × steepest slope / gain"
    return Parameter(name, meaning, "1/t", Kind.RATE, width_factor=width_factor)


def step_midpoint(index: int, step: str) -> Parameter:
    """Return the midpoint of one of several steps."""
    return Parameter(f"midpoint_{index}", f"midpoint of {step} step", "t", Kind.MIDPOINT)
