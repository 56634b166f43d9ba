"""Forms with several stages in one direction."""

from __future__ import annotations

from sympy import tanh

from theory.form import TIME as t
from theory.form import Form
from theory.forms.words import floor, gain, step_midpoint, step_rate
from theory.parameter import Kind, Parameter

share = Parameter("share", "part of the gain that the first step brings", "", Kind.SHARE)
rate_1, rate_2 = step_rate("rate_1", "the first"), step_rate("rate_2", "the second")
midpoint_1, midpoint_2 = step_midpoint(1, "the first"), step_midpoint(2, "the second")

# Twice each step, so that the halves stand outside once.
_step_1 = 1 + tanh(rate_1.symbol * (t - midpoint_1.symbol) / 2)
_step_2 = 1 + tanh(rate_2.symbol * (t - midpoint_2.symbol) / 2)

double_logistic = Form(
    name="double_logistic",
    expression=floor.symbol
    + gain.symbol * (share.symbol * _step_1 + (1 - share.symbol) * _step_2) / 2,
    parameters=(floor, gain, share, rate_1, midpoint_1, rate_2, midpoint_2),
    reference="Saxe, McClelland & Ganguli 2014, Exact solutions to the nonlinear dynamics of "
    "learning in deep linear neural networks, eq. 12: one logistic step a mode",
    ordered=(("midpoint_1", "midpoint_2"),),
)
