"""Forms that approach a plateau: the rate of change only falls.

Every shape runs from 0 at t = 0 (at the onset, for the delayed one) to 1.
"""

from __future__ import annotations

from sympy import Integer, Piecewise, exp

from theory.form import TIME as t
from theory.form import Form
from theory.forms.words import EXPONENTIAL_WIDTH, floor, gain, half_time
from theory.parameter import Kind, Parameter
from theory.stable import approach

rate = Parameter(
    "rate",
    "share of the remaining way covered per unit of time",
    "1/t",
    Kind.RATE,
    width_factor=EXPONENTIAL_WIDTH,
)
onset = Parameter("onset", "time at which the approach begins", "t", Kind.MIDPOINT, lower=0.0)

exponential_approach = Form(
    name="exponential_approach",
    expression=floor.symbol + gain.symbol * approach(rate.symbol * t),
    parameters=(floor, gain, rate),
    reference="Heathcote, Brown & Mewhort 2000, The power law repealed, eq. 2",
)

hyperbolic = Form(
    name="hyperbolic",
    expression=floor.symbol + gain.symbol * t / (t + half_time.symbol),
    parameters=(floor, gain, half_time),
    reference="Thurstone 1919, The learning curve equation",
)

delayed_exponential = Form(
    name="delayed_exponential",
    expression=floor.symbol
    + gain.symbol
    * Piecewise(
        (Integer(0), t <= onset.symbol),
        (approach(rate.symbol * (t - onset.symbol)), True),
    ),
    parameters=(floor, gain, rate, onset),
    reference="Gallistel, Fairhurst & Balsam 2004, The learning curve: implications of a "
    "quantitative analysis",
    breakpoints=("onset",),
)

share = Parameter("share", "part of the gain that the faster part brings", "", Kind.SHARE)
fast_rate = Parameter(
    "rate",
    "share of its remaining way that the faster part covers per unit of time",
    "1/t",
    Kind.RATE,
    width_factor=EXPONENTIAL_WIDTH,
)
log_ratio = Parameter(
    "log_ratio",
    "ln of the faster rate over the slower; towards 0 the two coincide",
    "",
    Kind.EXPONENT,
    default_range=(0.3, 7.0),
)

# A ratio above 1 in place of a second rate: else the two parts could change places.
biexponential = Form(
    name="biexponential",
    expression=floor.symbol
    + gain.symbol
    * (
        share.symbol * approach(fast_rate.symbol * t)
        + (1 - share.symbol) * approach(fast_rate.symbol * exp(-log_ratio.symbol) * t)
    ),
    parameters=(floor, gain, share, fast_rate, log_ratio),
    reference="Smith, Ghazizadeh & Shadmehr 2006, Interacting adaptive processes with different "
    "timescales underlie short-term motor learning",
)
