"""Forms with several stages in one direction."""

from __future__ import annotations

from sympy import sqrt, tanh

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

share_1 = Parameter("share_1", "part of the first two steps that the first brings", "", Kind.SHARE)
share_2 = Parameter(
    "share_2", "square of the part of the gain that the first two steps bring", "", Kind.SHARE
)
rate_3, midpoint_3 = step_rate("rate_3", "the third"), step_midpoint(3, "the third")

# Squared so that, with both uniform on (0, 1), the parts of the gain are Dirichlet(1, 1, 1): all
# divisions between three steps alike.
_first_two = sqrt(share_2.symbol)
_step_3 = 1 + tanh(rate_3.symbol * (t - midpoint_3.symbol) / 2)

triple_logistic = Form(
    name="triple_logistic",
    expression=floor.symbol
    + gain.symbol
    * (
        _first_two * (share_1.symbol * _step_1 + (1 - share_1.symbol) * _step_2)
        + (1 - _first_two) * _step_3
    )
    / 2,
    parameters=(
        *(floor, gain, share_1, share_2),
        *(rate_1, midpoint_1, rate_2, midpoint_2, rate_3, midpoint_3),
    ),
    reference="Saxe, McClelland & Ganguli 2014, as double_logistic, with three modes",
    ordered=(("midpoint_1", "midpoint_2", "midpoint_3"),),
)
