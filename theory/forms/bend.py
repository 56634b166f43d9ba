"""Forms with a jump or a bend: before it nothing happens."""

from __future__ import annotations

from sympy import Heaviside, Integer, Piecewise

from theory.form import TIME as t
from theory.form import Form
from theory.forms.words import LOGISTIC_WIDTH, floor, gain
from theory.parameter import Kind, Parameter
from theory.stable import softplus

jump = Parameter("midpoint", "time of the step", "t", Kind.MIDPOINT)

step = Form(
    name="step",
    expression=floor.symbol + gain.symbol * Heaviside(t - jump.symbol, 0),
    parameters=(floor, gain, jump),
    reference="Bower 1961, Application of a model to paired-associate learning: all or none",
    breakpoints=("midpoint",),
)

slope = Parameter("slope", "change per unit of time after the bend", "y/t", Kind.SLOPE)
onset = Parameter("onset", "time of the bend", "t", Kind.MIDPOINT, lower=0.0)

hockey_stick = Form(
    name="hockey_stick",
    expression=floor.symbol
    + slope.symbol * Piecewise((Integer(0), t <= onset.symbol), (t - onset.symbol, True)),
    parameters=(floor, slope, onset),
    reference="Hudson 1966, Fitting segmented curves whose join points have to be estimated",
    breakpoints=("onset",),
)

bend_time = Parameter(
    "timescale",
    "duration of the bend: e-folding time of the slope before it",
    "t",
    Kind.TIMESCALE,
    width_factor=LOGISTIC_WIDTH,
)

soft_hockey_stick = Form(
    name="soft_hockey_stick",
    expression=floor.symbol
    + slope.symbol * bend_time.symbol * softplus((t - onset.symbol) / bend_time.symbol),
    parameters=(floor, slope, onset, bend_time),
    reference="Bacon & Watts 1971, Estimating the transition between two intersecting straight "
    "lines, the slope changing as a logistic: softplus (Dugas et al. 2001, Incorporating "
    "second-order functional knowledge for better option pricing)",
)
