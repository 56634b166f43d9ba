"""A fitted expression as a `Form`: its constants become parameters in the user's units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray

from fitting.search.grammar import Node, Skeleton
from theory.form import Form
from theory.forms.words import floor
from theory.parameter import UNITS, Kind, Parameter

FloatArray = NDArray[np.float64]

STRAIGHT = ("whole", "late")
"""Terms that grow as t itself: what multiplies them is a slope."""

REFERENCE = (
    "found by Ontogeny's search: fitted among all expressions of its grammar of growth, "
    "for description length, to one curve"
)


def form_of(skeleton: Skeleton, name: str, last: float, reference: str = REFERENCE) -> Form:
    """Make a form of a skeleton.

    Parameters
    ----------
    skeleton
    name : str
        Of the form.
    last : float
        The unit of time in which it was fitted (`unit_of_time`): a bare t under a root or power is
        divided by it.
    reference : str
        How it was found.
    """
    constants = _parameters(skeleton)
    symbols = [parameter.symbol for parameter in constants]
    gains = _gains(skeleton)
    unit = sympy.Rational(str(last))
    expression = floor.symbol
    for gain, (node, first) in zip(gains, skeleton.columns, strict=True):
        own = symbols[first : first + len(node.constants)]
        # Between a slope and t stands no unit.
        scale = sympy.Integer(1) if gain.kind is Kind.SLOPE else unit
        expression += gain.symbol * node.expression(own, scale)
    return Form(
        name=name,
        expression=expression,
        parameters=(floor, *gains, *constants),
        reference=reference,
        breakpoints=tuple(p.name for p in constants if p.name.startswith("onset")),
        ordered=_ordered(skeleton),
    )


def unit_of_time(t: FloatArray) -> float:
    """Return the last of some times, to three digits: short enough to be written."""
    return float(f"{t[-1]:.3g}")


def natural(skeleton: Skeleton, linear: FloatArray, nonlinear: FloatArray, last: float) -> Any:
    """Return the form's parameters (p,) of a fit in units of about the curve's last time."""
    gains = linear.copy()
    for i, (node, _) in enumerate(skeleton.columns):
        if node.name in STRAIGHT:
            gains[i + 1] /= last
    powers = {Kind.MIDPOINT: 1, Kind.TIMESCALE: 1, Kind.RATE: -1}
    scale = [last ** powers.get(c.kind, 0) for c in skeleton.constants]
    return np.concatenate((gains, nonlinear * np.array(scale)))


def _parameters(skeleton: Skeleton) -> list[Parameter]:
    """Return the constants as parameters."""
    return [
        Parameter(
            name,
            constant.meaning,
            UNITS[constant.kind],
            constant.kind,
            lower=0.0 if constant.after_start else -np.inf,
            width_factor=constant.width_factor,
            default_range=constant.default_range,
        )
        for name, constant in zip(skeleton.nonlinear, skeleton.constants, strict=True)
    ]


def _gains(skeleton: Skeleton) -> list[Parameter]:
    kinds = [Kind.SLOPE if node.name in STRAIGHT else Kind.GAIN for node, _ in skeleton.columns]
    return [
        Parameter(name, _meaning(node, kind), UNITS[kind], kind)
        for name, kind, (node, _) in zip(_numbered(kinds), kinds, skeleton.columns, strict=True)
    ]


def _meaning(node: Node, kind: Kind) -> str:
    if kind is Kind.SLOPE:
        return "change per unit of time"
    return "factor of the " + " of the ".join(one.name.replace("_", " ") for one in node.walk())


def _numbered(words: Sequence[str]) -> list[str]:
    """Return the words, those that come several times with their number."""
    total, so_far = Counter(map(str, words)), Counter[str]()
    found = []
    for word in map(str, words):
        so_far[word] += 1
        found.append(word if total[word] == 1 else f"{word}_{so_far[word]}")
    return found


def _ordered(skeleton: Skeleton) -> tuple[tuple[str, ...], ...]:
    """Return the places in time that tell two terms of one kind apart: the first of each."""
    if len(skeleton.terms) < 2 or skeleton.terms[0].key != skeleton.terms[1].key:
        return ()
    places = [
        (skeleton.nonlinear[i], skeleton.nonlinear[i + len(skeleton.terms[0].constants)])
        for i, constant in enumerate(skeleton.terms[0].constants)
        if constant.kind is Kind.MIDPOINT
    ]
    return tuple(places[:1])
