"""Symbolic regression by Operon, where it is installed: its expressions as forms of ours.

Burlacu, Kronberger and Kommenda 2020, Operon C++ (GECCO). Its own criteria are not used: the
members of its Pareto front of error and length become forms, whose constants we fit and whose
description length we compute as for every other.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray

from theory.form import TIME, Form
from theory.forms.words import floor
from theory.parameter import Kind, Parameter

FloatArray = NDArray[np.float64]

SYMBOLS = "add,mul,div,constant,variable,exp,log,tanh,sqrt,sin,cos,pow"
EVALUATIONS = 200_000
LONGEST = 20
MOST_CONSTANTS = 4
MOST_TERMS = 2
DEPENDENT = 1e-7
_X = sympy.Symbol("X1", real=True)
_ANY = (1e-2, 1e2)
REFERENCE = (
    "found by symbolic regression with Operon (Burlacu, Kronberger & Kommenda 2020), simplified "
    "and fitted anew to one curve"
)


def is_installed() -> bool:
    """Whether pyoperon can be imported."""
    return importlib.util.find_spec("pyoperon") is not None


def pareto_front(
    t: FloatArray, y: FloatArray, *, seed: int, evaluations: int = EVALUATIONS
) -> tuple[sympy.Expr, ...]:
    """Return Operon's expressions in ``X1``, shortest first.

    Parameters
    ----------
    t, y : ndarray, shape (n,)
        Times in units of the last, and values in units of their range.
    seed : int
        One thread; same seed, same result.
    evaluations : int
        Expressions bred.
    """
    from pyoperon.sklearn import SymbolicRegressor

    regressor = SymbolicRegressor(
        allowed_symbols=SYMBOLS,
        objectives=["r2", "length"],
        max_evaluations=evaluations,
        max_length=LONGEST,
        optimizer_iterations=5,
        n_threads=1,
        random_state=seed,
    )
    regressor.fit(np.array(t)[:, None], np.array(y))  # it does not take read-only arrays
    texts = [regressor.get_model_string(one["tree"], 8) for one in regressor.pareto_front_]
    read = (_read(text) for text in texts)
    return tuple(dict.fromkeys(one for one in read if one is not None))


def _read(text: str) -> sympy.Expr | None:
    """Return an expression with its products and sums of numbers carried out."""
    expression = sympy.sympify(text.replace("^", "**"), locals={"X1": _X})
    expression = sympy.powsimp(sympy.expand_mul(expression))
    unknown = expression.has(sympy.zoo, sympy.nan, sympy.oo, sympy.I)
    return None if unknown or not expression.has(_X) or not _swings(expression) else expression


def _swings(expression: sympy.Expr) -> bool:
    """Whether every sine and cosine is a wave in x: sin(sin(x)) means nothing."""
    waves = expression.atoms(sympy.sin, sympy.cos)
    return all(wave.args[0].diff(_X, 2) == 0 for wave in waves)


def lifted(
    expression: sympy.Expr, name: str, t: FloatArray, last: float
) -> tuple[Form, FloatArray] | None:
    """Return an expression as a form, its numbers as parameters, and their values.

    A number that multiplies x is a rate, any other a constant whose sign stays. None where it has
    more terms or constants than data of one curve can fix.

    Parameters
    ----------
    expression
        In ``X1``, which is t over `last`.
    name : str
        Of the form.
    t : ndarray, shape (n,)
    last : float
        The unit of time.
    """
    _, rest = expression.as_independent(_X, as_Add=True)
    terms = sympy.Add.make_args(rest)
    if len(terms) > MOST_TERMS:
        return None
    constants: list[tuple[Parameter, float]] = []
    gains: list[tuple[Parameter, float]] = []
    body = floor.symbol
    for i, term in enumerate(terms):
        factor, shape = term.as_independent(_X, as_Add=False)
        word = "gain" if len(terms) == 1 else f"gain_{i + 1}"
        gain = Parameter(word, f"factor of term {i + 1}", "y", Kind.GAIN)
        gains.append((gain, float(factor)))
        body += gain.symbol * _lift(shape, constants, last)
    if len(constants) > MOST_CONSTANTS or 1 + len(gains) + len(constants) > len(t):
        return None
    form = _form(body, [gain for gain, _ in gains], [c for c, _ in constants], name)
    theta = np.array([0.0, *(v for _, v in gains), *(v for _, v in constants)])
    return _without_dependent(form, theta, t)


def _lift(
    expression: sympy.Expr, constants: list[tuple[Parameter, float]], last: float
) -> sympy.Expr:
    """Put parameters for the numbers in an expression, and t for x."""
    if expression == _X:
        return TIME / sympy.Rational(str(last))
    if expression.is_Float:
        return _constant(float(expression), constants)
    if expression.is_Mul:
        number, rest = expression.as_coeff_Mul()
        if number.is_Float and rest == _X:
            return _rate(float(number) / last, constants) * TIME
    if not expression.args:
        return expression
    return expression.func(*(_lift(one, constants, last) for one in expression.args))


def _rate(value: float, constants: list[tuple[Parameter, float]]) -> sympy.Expr:
    number = 1 + sum(parameter.kind is Kind.RATE for parameter, _ in constants)
    rate = Parameter(f"rate_{number}", "factor of t", "1/t", Kind.RATE)
    constants.append((rate, abs(value)))
    return rate.symbol if value > 0 else -rate.symbol


def _constant(value: float, constants: list[tuple[Parameter, float]]) -> sympy.Expr:
    number = 1 + sum(parameter.kind is Kind.EXPONENT for parameter, _ in constants)
    meaning = "number in the expression, of this sign"
    one = Parameter(f"constant_{number}", meaning, "", Kind.EXPONENT, default_range=_ANY)
    constants.append((one, abs(value)))
    return one.symbol if value > 0 else -one.symbol


def _form(body: sympy.Expr, gains: list[Parameter], constants: list[Parameter], name: str) -> Form:
    return Form(name, body, (floor, *gains, *constants), REFERENCE)


def _without_dependent(
    form: Form, theta: FloatArray, t: FloatArray
) -> tuple[Form, FloatArray] | None:
    """Turn constants whose effect the others have, at these values, back into numbers."""
    while True:
        columns = form.jacobian(t, theta)
        with np.errstate(all="ignore"):
            columns = columns / np.linalg.norm(columns, axis=0)
        if not np.isfinite(columns).all():
            return None
        size = np.abs(np.diag(np.linalg.qr(columns, mode="r")))
        places = [i for i in range(len(theta)) if size[i] < DEPENDENT]
        if not places:
            return form, theta
        parameter = form.parameters[places[-1]]
        if parameter.kind in (Kind.FLOOR, Kind.GAIN):
            return None
        value = sympy.Rational(f"{theta[places[-1]]:.6g}")
        kept = [p for p in form.parameters if p is not parameter]
        body = form.expression.xreplace({parameter.symbol: value})
        form = Form(form.name, body, tuple(kept), form.reference)
        theta = np.delete(theta, places[-1])


def signs(expression: sympy.Expr) -> Iterator[str]:
    """Name every sign that an expression takes, with repeats: numbers and parameters alike."""
    for node in sympy.preorder_traversal(expression):
        if node == TIME:
            yield "t"
        elif not node.args:
            yield "constant"
        else:
            kind: Any = type(node).__name__
            yield from [kind] * (len(node.args) - 1 if node.is_Add or node.is_Mul else 1)
