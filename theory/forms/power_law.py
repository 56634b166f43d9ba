"""Forms with power-law stretches."""

from __future__ import annotations

from sympy import Integer, exp, log

from theory.form import TIME as t
from theory.form import Form
from theory.forms.words import EXPONENTIAL_WIDTH, floor, gain, half_time
from theory.parameter import Kind, Parameter
from theory.stable import clamped_log, softplus

tail_exponent = Parameter(
    "exponent", "exponent of the power-law tail", "", Kind.EXPONENT, default_range=(0.2, 5.0)
)

# The timescale is the half-time whatever the exponent: as the exponent grows the form becomes the
# exponential with that half-time, so that the two are not confounded as in (1 + t/τ)^(-exponent).
_growth = 2 ** (1 / tail_exponent.symbol) - 1

power_law_approach = Form(
    name="power_law_approach",
    expression=floor.symbol
    + gain.symbol * (1 - (1 + _growth * t / half_time.symbol) ** (-tail_exponent.symbol)),
    parameters=(floor, gain, half_time, tail_exponent),
    reference="Newell & Rosenbloom 1981, Mechanisms of skill acquisition and the law of practice; "
    "Heathcote, Brown & Mewhort 2000, The power law repealed",
)

final_rate = Parameter(
    "rate",
    "share of the remaining way covered per unit of time in the end, when the power law is slower",
    "1/t",
    Kind.RATE,
    width_factor=EXPONENTIAL_WIDTH,
)
power_half_time = Parameter(
    "timescale",
    "half-time of the power law alone",
    "t",
    Kind.TIMESCALE,
    width_factor=half_time.width_factor,
)

# What remains of the way is a product, so the relative rate of learning falls to `rate`, not to 0.
# APEX has t^(-exponent) for the second factor, infinite at t = 0.
apex = Form(
    name="apex",
    expression=floor.symbol
    + gain.symbol
    * (
        1
        - exp(-final_rate.symbol * t)
        * (1 + _growth * t / power_half_time.symbol) ** (-tail_exponent.symbol)
    ),
    parameters=(floor, gain, final_rate, power_half_time, tail_exponent),
    reference="Heathcote, Brown & Mewhort 2000, The power law repealed (APEX)",
)

early_gain = Parameter(
    "gain", "change within the first timescale, negative for a fall", "y", Kind.GAIN
)
growth_timescale = Parameter(
    "timescale",
    "time at which the gain is reached",
    "t",
    Kind.TIMESCALE,
    width_factor=0.8,
)
growth_exponent = Parameter(
    "exponent",
    "log-log slope at late times; 1 is linear, towards 0 logarithmic",
    "",
    Kind.EXPONENT,
    default_range=(0.1, 5.0),
)

# In (t/timescale)^exponent alone timescale and gain would be one number, t^exponent's factor; a
# power that starts with a finite slope tells them apart.
power_growth = Form(
    name="power_growth",
    expression=floor.symbol
    + early_gain.symbol
    * ((1 + t / growth_timescale.symbol) ** growth_exponent.symbol - 1)
    / (2**growth_exponent.symbol - 1),
    parameters=(floor, early_gain, growth_timescale, growth_exponent),
    reference="Domhan, Springenberg & Hutter 2015, Speeding up automatic hyperparameter "
    "optimization of deep neural networks by extrapolation of learning curves: pow4 with an "
    "exponent that makes it grow",
)

exponent_1 = Parameter(
    "exponent_1", "log-log slope before the break", "", Kind.EXPONENT, default_range=(0.2, 5.0)
)
exponent_2 = Parameter(
    "exponent_2", "log-log slope after the break", "", Kind.EXPONENT, default_range=(0.05, 5.0)
)
breakpoint_ = Parameter(
    "breakpoint",
    "time of the break, at which the gain is reached",
    "t",
    Kind.MIDPOINT,
    lower=0.0,
)
smoothness = Parameter(
    "smoothness",
    "width of the break in units of ln t",
    "",
    Kind.EXPONENT,
    default_range=(0.05, 1.0),
)

# Caballero's curve diverges at t = 0 where its first exponent is negative. Here both log-log slopes
# are positive, so that the curve starts at the floor and keeps growing, faster or slower after the
# break; it is 1 at the break. An approach to a plateau is what power_law_approach and hill are for.
_log_time = clamped_log(t / breakpoint_.symbol)
_turn = smoothness.symbol * (exponent_2.symbol - exponent_1.symbol)

broken_power_law = Form(
    name="broken_power_law",
    expression=floor.symbol
    + gain.symbol
    * exp(
        exponent_1.symbol * _log_time
        + _turn * softplus(_log_time / smoothness.symbol)
        - _turn * log(Integer(2))
    ),
    parameters=(floor, gain, exponent_1, exponent_2, breakpoint_, smoothness),
    reference="Caballero, Gupta, Rish & Krueger 2022, Broken neural scaling laws, eq. 1, one break",
)

exponent_3 = Parameter(
    "exponent_3",
    "log-log slope after the second break",
    "",
    Kind.EXPONENT,
    default_range=(0.05, 5.0),
)
between = Parameter(
    "exponent_2", "log-log slope between the breaks", "", Kind.EXPONENT, default_range=(0.05, 5.0)
)
before = Parameter(
    "exponent_1", "log-log slope before the breaks", "", Kind.EXPONENT, default_range=(0.2, 5.0)
)
breakpoint_1 = Parameter(
    "breakpoint_1",
    "time of the first break, at which the gain is reached",
    "t",
    Kind.MIDPOINT,
    lower=0.0,
)
breakpoint_2 = Parameter("breakpoint_2", "time of the second break", "t", Kind.MIDPOINT, lower=0.0)
both_smoothness = Parameter(
    "smoothness",
    "width of either break in units of ln t",
    "",
    Kind.EXPONENT,
    default_range=(0.05, 1.0),
)

_log_time_1 = clamped_log(t / breakpoint_1.symbol)
_log_time_2 = clamped_log(t / breakpoint_2.symbol)
_log_gap = clamped_log(breakpoint_1.symbol / breakpoint_2.symbol)
_turn_1 = both_smoothness.symbol * (between.symbol - before.symbol)
_turn_2 = both_smoothness.symbol * (exponent_3.symbol - between.symbol)

doubly_broken_power_law = Form(
    name="doubly_broken_power_law",
    expression=floor.symbol
    + gain.symbol
    * exp(
        before.symbol * _log_time_1
        + _turn_1 * softplus(_log_time_1 / both_smoothness.symbol)
        - _turn_1 * log(Integer(2))
        + _turn_2 * softplus(_log_time_2 / both_smoothness.symbol)
        - _turn_2 * softplus(_log_gap / both_smoothness.symbol)
    ),
    parameters=(
        *(floor, gain, before, between, exponent_3),
        *(breakpoint_1, breakpoint_2, both_smoothness),
    ),
    reference="Caballero, Gupta, Rish & Krueger 2022, Broken neural scaling laws, eq. 1, two "
    "breaks of one smoothness",
    ordered=(("breakpoint_1", "breakpoint_2"),),
)
