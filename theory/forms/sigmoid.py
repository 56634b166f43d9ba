"""Sigmoidal forms: slow, fast, slow. Every shape runs from 0 to 1.

Hill and Weibull curves with exponents of 1 and less only slow down: which family a curve belongs to
is a property of its shape, not of its name.
"""

from __future__ import annotations

import math

from sympy import exp, log, tanh

from theory.form import TIME as t
from theory.form import Form
from theory.forms.words import EXPONENTIAL_WIDTH, floor, gain, midpoint, step_rate
from theory.parameter import Kind, Parameter
from theory.stable import approach, clamped_log, softplus

rate = step_rate()

logistic = Form(
    name="logistic",
    expression=floor.symbol + gain.symbol * (1 + tanh(rate.symbol * (t - midpoint.symbol) / 2)) / 2,
    parameters=(floor, gain, rate, midpoint),
    reference="Verhulst 1838, Notice sur la loi que la population suit dans son accroissement",
)

gompertz_rate = Parameter(
    "rate",
    "steepness: e × steepest slope / gain",
    "1/t",
    Kind.RATE,
    width_factor=math.log(math.log(10) / math.log(10 / 9)),
)
inflection = Parameter(
    "midpoint", "time of the steepest slope, at 1/e of the gain", "t", Kind.MIDPOINT
)

gompertz = Form(
    name="gompertz",
    expression=floor.symbol
    + gain.symbol * exp(-exp(-gompertz_rate.symbol * (t - inflection.symbol))),
    parameters=(floor, gain, gompertz_rate, inflection),
    reference="Gompertz 1825, On the nature of the function expressive of the law of human "
    "mortality; as a growth curve Winsor 1932",
)

asymmetry = Parameter(
    "exponent",
    "asymmetry: 1 logistic, towards 0 Gompertz, above 1 an early slow rise and a sharp end",
    "",
    Kind.EXPONENT,
    default_range=(0.1, 10.0),
)

# Richards' three shape parameters are confounded in his own writing. Here the midpoint is the half
# rise and the rate four times the slope there, as for the logistic, whatever the exponent: the
# 10-90 % width then varies by 6 % only over the exponent's default range.
_steepness = asymmetry.symbol / (2 * (1 - 2 ** (-asymmetry.symbol)))
_distance = log(2**asymmetry.symbol - 1) - _steepness * rate.symbol * (t - midpoint.symbol)

richards = Form(
    name="richards",
    expression=floor.symbol + gain.symbol * exp(-softplus(_distance) / asymmetry.symbol),
    parameters=(floor, gain, rate, midpoint, asymmetry),
    reference="Richards 1959, A flexible growth function for empirical use",
)

hill_midpoint = Parameter(
    "midpoint", "time at which half the gain is reached", "t", Kind.MIDPOINT, lower=0.0
)
hill_exponent = Parameter(
    "exponent", "steepness in ln t", "", Kind.EXPONENT, default_range=(0.3, 20.0)
)

hill = Form(
    name="hill",
    expression=floor.symbol
    + gain.symbol * exp(-softplus(-hill_exponent.symbol * clamped_log(t / hill_midpoint.symbol))),
    parameters=(floor, gain, hill_midpoint, hill_exponent),
    reference="Hill 1910, The possible effects of the aggregation of the molecules of haemoglobin; "
    "in training compute Khatri et al. 2025, The art of scaling RL compute",
)

weibull_timescale = Parameter(
    "timescale",
    "time at which 1 - 1/e of the gain is reached",
    "t",
    Kind.TIMESCALE,
    width_factor=EXPONENTIAL_WIDTH,
)
weibull_exponent = Parameter(
    "exponent", "steepness in ln t; 1 is exponential", "", Kind.EXPONENT, default_range=(0.3, 10.0)
)

weibull = Form(
    name="weibull",
    expression=floor.symbol
    + gain.symbol
    * approach(exp(weibull_exponent.symbol * clamped_log(t / weibull_timescale.symbol))),
    parameters=(floor, gain, weibull_timescale, weibull_exponent),
    reference="Weibull 1951, A statistical distribution function of wide applicability; as a "
    "learning curve Domhan, Springenberg & Hutter 2015",
)
