"""Forms that leave the floor at t = 0 and rise to a plateau, with a free steepness in ln t.

Steep ones are sigmoidal, and with small exponents they only slow down: which family a curve belongs
to is a property of its shape, not of its name. Every shape runs from 0 to 1.
"""

from __future__ import annotations

import math

from sympy import erf, exp, log, pi, sqrt

from theory.form import TIME as t
from theory.form import Form
from theory.forms.words import EXPONENTIAL_WIDTH, floor, gain, positive_midpoint
from theory.parameter import Kind, Parameter
from theory.stable import approach, clamped_log, gamma_rise, softplus

steepness = Parameter(
    "exponent",
    "steepness in ln t: 4 × slope per ln t at the midpoint / gain",
    "",
    Kind.EXPONENT,
    default_range=(0.3, 20.0),
)
_log_time = steepness.symbol * clamped_log(t / positive_midpoint.symbol)

hill = Form(
    name="hill",
    expression=floor.symbol + gain.symbol * exp(-softplus(-_log_time)),
    parameters=(floor, gain, positive_midpoint, steepness),
    reference="Hill 1910, The possible effects of the aggregation of the molecules of haemoglobin; "
    "the same as a logistic in ln t, as the growth curve of Morgan, Mercer & Flodin 1975 (MMF), "
    "and as the sigmoid in training compute of Khatri et al. 2025, The art of scaling "
    "reinforcement learning compute for LLMs (arXiv 2510.13786)",
)

lognormal = Form(
    name="lognormal",
    expression=floor.symbol + gain.symbol * (1 + erf(sqrt(pi) * _log_time / 4)) / 2,
    parameters=(floor, gain, positive_midpoint, steepness),
    reference="Aitchison & Brown 1957, The lognormal distribution; a probit in ln t",
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
    "learning curve Domhan, Springenberg & Hutter 2015, where janoschek is the same function",
)

exponential_half_time = Parameter(
    "timescale",
    "time at which half the gain is reached",
    "t",
    Kind.TIMESCALE,
    width_factor=EXPONENTIAL_WIDTH / math.log(2),
)
allometry = Parameter(
    "exponent",
    "power of the exponential approach: the log-log slope at the start; 1 is exponential",
    "",
    Kind.EXPONENT,
    default_range=(0.3, 20.0),
)

# The rate is written in the half-time: in (1 - e^(-rate·t))^exponent a large exponent moves the
# curve to the right, and the two would be confounded.
_bertalanffy_rate = -log(1 - 2 ** (-1 / allometry.symbol)) / exponential_half_time.symbol

bertalanffy = Form(
    name="bertalanffy",
    expression=floor.symbol
    + gain.symbol * exp(allometry.symbol * clamped_log(approach(_bertalanffy_rate * t))),
    parameters=(floor, gain, exponential_half_time, allometry),
    reference="von Bertalanffy 1938, A quantitative theory of organic growth (exponent 1 for "
    "length, 3 for weight); any exponent Richards 1959, A flexible growth function",
)

arrival = Parameter("arrival", "mean time at which the gain arrives", "t", Kind.MIDPOINT, lower=0.0)
order = Parameter(
    "order",
    "number of equal stages passed one after the other, not necessarily whole",
    "",
    Kind.EXPONENT,
    default_range=(0.5, 50.0),
)

erlang = Form(
    name="erlang",
    expression=floor.symbol
    + gain.symbol * gamma_rise(order.symbol, order.symbol * t / arrival.symbol),
    parameters=(floor, gain, arrival, order),
    reference="Erlang 1917, Solution of some problems in the theory of probabilities of "
    "significance in automatic telephone exchanges; under TD(0) (Sutton 1988) on a chain, the "
    "value order - 1 steps before the reward",
)
