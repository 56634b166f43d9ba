"""Forms that rise and fall again (or fall and rise: the sign is in the gains)."""

from __future__ import annotations

import math

from sympy import Integer, cos, exp, log, pi, sin, tanh
from sympy.codegen.cfunctions import expm1

from theory.form import TIME as t
from theory.form import Form
from theory.forms.words import floor, gain, step_midpoint, step_rate
from theory.parameter import Kind, Parameter
from theory.stable import approach, clamped_log, softplus

height = Parameter("gain", "height of the peak above the floor", "y", Kind.GAIN)
peak = Parameter("peak", "time of the peak", "t", Kind.MIDPOINT, lower=0.0)
log_ratio = Parameter(
    "log_ratio",
    "ln of decay time over rise time; towards 0 the two coincide",
    "",
    Kind.EXPONENT,
    default_range=(0.1, 10.0),
)

# exp(-t/decay) - exp(-t/rise) in its peak's place and height. With `expm1` and `approach` the limit
# of equal times, (t/peak)·exp(1 - t/peak), is reached without loss of digits.
_decay = log_ratio.symbol / expm1(log_ratio.symbol)

bump = Form(
    name="bump",
    expression=floor.symbol
    + height.symbol
    * exp(_decay * (1 - t / peak.symbol))
    * approach(log_ratio.symbol * t / peak.symbol)
    / approach(log_ratio.symbol),
    parameters=(floor, height, peak, log_ratio),
    reference="Bateman 1910, The solution of a system of differential equations occurring in the "
    "theory of radioactive transformations",
)

peak_exponent = Parameter(
    "exponent",
    "log-log slope of the rise; the peak's width in ln t is about 1/√exponent",
    "",
    Kind.EXPONENT,
    default_range=(0.3, 20.0),
)

gamma_bump = Form(
    name="gamma_bump",
    expression=floor.symbol
    + height.symbol
    * exp(
        peak_exponent.symbol * clamped_log(t / peak.symbol)
        + peak_exponent.symbol * (1 - t / peak.symbol)
    ),
    parameters=(floor, height, peak, peak_exponent),
    reference="Wood 1967, Algebraic model of the lactation curve in cattle; in the place and "
    "height of the peak Madsen 1992, A simplified formulation of the gamma variate function",
)

pulse_rate = Parameter(
    "rate",
    "steepness of the logistic step whose slope this is",
    "1/t",
    Kind.RATE,
    width_factor=2 * (math.atanh(math.sqrt(0.9)) - math.atanh(math.sqrt(0.1))),
)
_from_peak = pulse_rate.symbol * (t - peak.symbol)

# sech² of half the argument, which is 4·p·(1 - p) of the logistic p: without loss of digits in the
# tails.
logistic_pulse = Form(
    name="logistic_pulse",
    expression=floor.symbol
    + height.symbol * exp(2 * log(Integer(2)) - softplus(_from_peak) - softplus(-_from_peak)),
    parameters=(floor, height, pulse_rate, peak),
    reference="Kermack & McKendrick 1927, A contribution to the mathematical theory of epidemics; "
    "the variance of a binary choice while its probability rises as a logistic",
)

first_peak = Parameter("peak", "time of the first and highest peak", "t", Kind.MIDPOINT, lower=0.0)
decrement = Parameter(
    "decrement",
    "ln of a swing over the next; the first passes the plateau by exp(-decrement) of the gain",
    "",
    Kind.EXPONENT,
    default_range=(0.1, 5.0),
)
_swings = t / first_peak.symbol

overshoot = Form(
    name="overshoot",
    expression=floor.symbol
    + gain.symbol
    * (
        1
        - exp(-decrement.symbol * _swings)
        * (cos(pi * _swings) + decrement.symbol * sin(pi * _swings) / pi)
    ),
    parameters=(floor, gain, first_peak, decrement),
    reference="Qian 1999, On the momentum term in gradient descent learning algorithms: a damped "
    "oscillator at rest, released",
)

gain_1 = Parameter("gain_1", "change that the first step brings", "y", Kind.GAIN)
gain_2 = Parameter("gain_2", "change that the second step brings", "y", Kind.GAIN)
rate_1, rate_2 = step_rate("rate_1", "the first"), step_rate("rate_2", "the second")
midpoint_1, midpoint_2 = step_midpoint(1, "the first"), step_midpoint(2, "the second")

signed_double_logistic = Form(
    name="signed_double_logistic",
    expression=floor.symbol
    + gain_1.symbol * (1 + tanh(rate_1.symbol * (t - midpoint_1.symbol) / 2)) / 2
    + gain_2.symbol * (1 + tanh(rate_2.symbol * (t - midpoint_2.symbol) / 2)) / 2,
    parameters=(floor, gain_1, gain_2, rate_1, midpoint_1, rate_2, midpoint_2),
    reference="Saxe, McClelland & Ganguli 2014, as double_logistic, with steps of either sign: "
    "what one stage builds another may take away",
    ordered=(("midpoint_1", "midpoint_2"),),
)
