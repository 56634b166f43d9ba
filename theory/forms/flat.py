"""Flat forms: nothing happens, or the same happens all the time."""

from __future__ import annotations

from theory.form import TIME as t
from theory.form import Form
from theory.forms.words import floor, slope

constant = Form(
    name="constant",
    expression=floor.symbol,
    parameters=(floor,),
    reference="the hypothesis of no change",
)

linear = Form(
    name="linear",
    expression=floor.symbol + slope.symbol * t,
    parameters=(floor, slope),
    reference="the hypothesis of steady drift",
)
