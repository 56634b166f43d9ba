"""Sigmoidal forms around a midpoint: slow, fast, slow. Every shape runs from 0 to 1.

With one rate and midpoint, the logistic, the probit and the two forms of policy gradients have the
same value and slope at the midpoint, and differ in their tails only.
"""

from __future__ import annotations

import math
from statistics import NormalDist

from sympy import erf, exp, log, pi, sqrt, tanh

from theory.form import TIME as t
from theory.form import Form
from theory.forms.words import floor, gain, midpoint, slope, step_rate
from theory.parameter import Kind, Parameter
from theory.stable import approach, gradient_rise, softplus

rate = step_rate()

logistic = Form(
    name="logistic",
    expression=floor.symbol + gain.symbol * (1 + tanh(rate.symbol * (t - midpoint.symbol) / 2)) / 2,
    parameters=(floor, gain, rate, midpoint),
    reference="Verhulst 1838, Notice sur la loi que la population suit dans son accroissement",
)

logistic_with_drift = Form(
    name="logistic_with_drift",
    expression=logistic.expression + slope.symbol * t,
    parameters=(floor, gain, slope, rate, midpoint),
    reference="Leybourne, Newbold & Vougas 1998, Unit roots and smooth transitions, model B",
)

probit_rate = step_rate(width_factor=8 * NormalDist().inv_cdf(0.9) / math.sqrt(2 * math.pi))

probit = Form(
    name="probit",
    expression=floor.symbol
    + gain.symbol * (1 + erf(sqrt(pi) * probit_rate.symbol * (t - midpoint.symbol) / 4)) / 2,
    parameters=(floor, gain, probit_rate, midpoint),
    reference="Bliss 1934, The method of probits: the share of units whose normally distributed "
    "onsets have passed",
)

normalized_rate = step_rate(width_factor=16 / 3)
_scaled = normalized_rate.symbol * (t - midpoint.symbol)

# p' = 2·rate·(p(1 - p))^(3/2): between the logistic (power 1) and the softmax policy gradient (2).
normalized_policy_gradient = Form(
    name="normalized_policy_gradient",
    expression=floor.symbol + gain.symbol * (1 + _scaled / sqrt(4 + _scaled**2)) / 2,
    parameters=(floor, gain, normalized_rate, midpoint),
    reference="Shao et al. 2024, DeepSeekMath, sec. 4.1 (GRPO): a policy gradient divided by the "
    "standard deviation of a binary reward, in the limit of small steps and large groups",
)

softmax_rate = step_rate(width_factor=math.log(9) + 40 / 9)

softmax_policy_gradient = Form(
    name="softmax_policy_gradient",
    expression=floor.symbol
    + gain.symbol * gradient_rise(softmax_rate.symbol * (t - midpoint.symbol)),
    parameters=(floor, gain, softmax_rate, midpoint),
    reference="Mei, Xiao, Szepesvari & Schuurmans 2020, On the global convergence rates of softmax "
    "policy gradient methods, for two arms: gradient_rise(x) is the p with "
    "2 ln(p/(1 - p)) + (2p - 1)/(p(1 - p)) = 4x, so that p' = 4 p^2 (1 - p)^2",
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

late_inflection = Parameter(
    "midpoint", "time of the steepest slope, at 1 - 1/e of the gain", "t", Kind.MIDPOINT
)

reversed_gompertz = Form(
    name="reversed_gompertz",
    expression=floor.symbol
    + gain.symbol * approach(exp(gompertz_rate.symbol * (t - late_inflection.symbol))),
    parameters=(floor, gain, gompertz_rate, late_inflection),
    reference="Gumbel 1958, Statistics of extremes: the distribution of a smallest value",
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
