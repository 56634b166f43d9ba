"""Forms with power-law stretches."""

from __future__ import annotations

from sympy import Integer, exp, log

from theory.form import TIME as t
from theory.form import Form
from theory.forms.words import floor, gain, half_time
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
