"""A proof by algebra that two forms draw the same curves."""

from __future__ import annotations

import numpy as np
import sympy
from numpy.typing import NDArray

from theory.form import TIME, Form

FloatArray = NDArray[np.float64]


def proved_equal(form: Form, theta: FloatArray, registered: Form, nonlinear: FloatArray) -> bool:
    """Whether sympy finds that one form is the other, in other parameters.

    How the registered form's constants follow from the found one's is read off pairs of equal
    curves: each a number times one of them, or over one of them. Then the ratio of the two slopes
    in t must be free of t; floor and gain do the rest.

    Parameters
    ----------
    form : Form
    theta : ndarray, shape (K, p)
        Parameters of the found form.
    registered : Form
    nonlinear : ndarray, shape (K, d)
        The registered form's nonlinear parameters for the same curves.
    """
    if len(form.linear) != 2 or len(registered.linear) != 2:
        return False
    swaps = {}
    for name, values in zip(registered.nonlinear, nonlinear.T, strict=True):
        found = _relation(form, theta, values)
        if found is None:
            return False
        swaps[sympy.Symbol(name, real=True)] = found
    slopes = [sympy.diff(_shape(one), TIME).rewrite(sympy.exp) for one in (form, registered)]
    slopes[1] = slopes[1].subs(swaps, simultaneous=True)
    time = sympy.Symbol("time", positive=True)
    positive = {s: sympy.Symbol(s.name, positive=True) for s in form.symbols} | {TIME: time}
    ratio = sympy.simplify((slopes[0] / slopes[1]).subs(positive, simultaneous=True))
    return bool(sympy.simplify(sympy.diff(ratio, time)) == 0)


def _shape(form: Form) -> sympy.Expr:
    """Return what the gain multiplies, in elementary functions."""
    symbols = dict(zip(form.names, form.symbols, strict=True))
    return sympy.diff(form.plain, symbols[form.linear[1]])


def _relation(form: Form, theta: FloatArray, values: FloatArray) -> sympy.Expr | None:
    """Return values as a simple number, or one times or over one of the form's constants."""
    candidates: list[tuple[FloatArray, sympy.Expr]] = [(np.ones(len(values)), sympy.Integer(1))]
    for name in form.nonlinear:
        column, symbol = theta[:, form.names.index(name)], sympy.Symbol(name, real=True)
        candidates += [(column, symbol), (1 / column, 1 / symbol)]
    for column, expression in candidates:
        factors = values / column
        if np.ptp(factors) <= 1e-4 * abs(factors.mean()):
            number = _number(float(factors.mean()))
            return None if number is None else number * expression
    return None


def _number(value: float) -> sympy.Expr | None:
    """Return the simple number that a value is: a small fraction, perhaps times √π or its like."""
    for unit in (sympy.Integer(1), sympy.sqrt(sympy.pi), 1 / sympy.sqrt(sympy.pi), sympy.log(2)):
        fraction = sympy.Rational(value / float(unit)).limit_denominator(12)
        if fraction != 0 and abs(float(fraction * unit) - value) <= 1e-4 * abs(value):
            return fraction * unit
    return None
