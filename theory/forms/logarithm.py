"""Forms in ln t: each doubling of t brings as much as the last, or ever less."""

from __future__ import annotations

from sympy import Integer, log

from theory.form import TIME as t
from theory.form import Form
from theory.forms.words import floor, gain, positive_midpoint
from theory.parameter import Kind, Parameter

doubling_gain = Parameter(
    "gain",
    "change within the first timescale, and with each further doubling of t + timescale",
    "y",
    Kind.GAIN,
)
doubling_timescale = Parameter(
    "timescale",
    "time up to which the growth is linear, and at which the gain is reached",
    "t",
    Kind.TIMESCALE,
    width_factor=2**0.9 - 2**0.1,
)

# ln t itself is infinite at t = 0.
logarithmic = Form(
    name="logarithmic",
    expression=floor.symbol
    + doubling_gain.symbol * log(1 + t / doubling_timescale.symbol) / log(Integer(2)),
    parameters=(floor, doubling_gain, doubling_timescale),
    reference="Domhan, Springenberg & Hutter 2015, Speeding up automatic hyperparameter "
    "optimization of deep neural networks by extrapolation of learning curves (logx linear)",
)

_doublings = log(1 + t / positive_midpoint.symbol)

# A midpoint and no timescale: half of the gain lies far beyond every window, so that its 10-90 %
# width says nothing of when it begins.
inverse_log = Form(
    name="inverse_log",
    expression=floor.symbol + gain.symbol * _doublings / (log(Integer(2)) + _doublings),
    parameters=(floor, gain, positive_midpoint),
    reference="Domhan, Springenberg & Hutter 2015 (ilog2: plateau - a/log(t)), with "
    "log(2 + 2 t/midpoint), which is finite at t = 0",
)
