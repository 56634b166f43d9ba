"""Forms that rise and fall again (or fall and rise: the sign is in the gains)."""

from __future__ import annotations

from sympy import exp, tanh
from sympy.codegen.cfunctions import expm1

from theory.form import TIME as t
from theory.form import Form
from theory.forms.words import floor, step_midpoint, step_rate
from theory.parameter import Kind, Parameter
from theory.stable import approach

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
