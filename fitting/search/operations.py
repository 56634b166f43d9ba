"""The words of the grammar of growth: operations with their values, slopes and mathematics.

Time is counted in units of about the curve's last one while a curve is searched, so that no
constant depends on the user's units.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, final

import numpy as np
import sympy
from numpy.typing import NDArray
from scipy.special import erf, expit

from theory.form import TIME
from theory.forms.words import EXPONENTIAL_WIDTH, LOGISTIC_WIDTH
from theory.parameter import Kind
from theory.stable import approach, clamped_log, softplus

FloatArray = NDArray[np.float64]
Slopes = tuple[FloatArray, ...]


@final
@dataclass(frozen=True)
class Constant:
    """A nonlinear constant of an operation; what a parameter of a form is made from.

    Attributes
    ----------
    name, meaning : str
    kind : Kind
    default_range : tuple of float or None
        Of an exponent.
    width_factor : float
        Of a rate or timescale.
    after_start : bool
        Whether a place in time is at or after t = 0.
    """

    name: str
    meaning: str
    kind: Kind
    default_range: tuple[float, float] | None = None
    width_factor: float = 1.0
    after_start: bool = False


@final
@dataclass(frozen=True)
class Operation:
    """What stands at a node of an expression.

    Attributes
    ----------
    name : str
    constants : tuple of Constant
    numeric : callable
        Takes the constants, each (B, 1), then the arguments, each (B, n); a clock takes the times
        (n,) instead. Returns the value, then its slope in each constant and argument.
    symbolic : callable
        Takes symbols of the constants, then expressions of the arguments (a clock: of the time, and
        the curve's last time).
    signs : int
        How many signs it takes, its arguments not counted: a function one, a constant one.
    """

    name: str
    constants: tuple[Constant, ...]
    numeric: Callable[..., tuple[FloatArray, Slopes]]
    symbolic: Callable[..., sympy.Expr]
    signs: int


TIMESCALE = Constant(
    "timescale", "time scale of the change", Kind.TIMESCALE, width_factor=EXPONENTIAL_WIDTH
)
RATE = Constant("rate", "steepness around the midpoint", Kind.RATE, width_factor=LOGISTIC_WIDTH)
MIDPOINT = Constant("midpoint", "time around which it changes", Kind.MIDPOINT)
ONSET = Constant("onset", "time before which nothing happens", Kind.MIDPOINT, after_start=True)
# Up to a quarter of a cycle between two points: from half a cycle on, a wave draws the same points
# as a slower one.
FREQUENCY = Constant("frequency", "cycles per unit of time", Kind.RATE, width_factor=0.25)
EXPONENT = Constant("exponent", "power", Kind.EXPONENT, default_range=(0.1, 10.0))
STRENGTH = Constant(
    "strength", "how strongly the outer function bends the inner", Kind.EXPONENT, (0.02, 50.0)
)


def _elapsed(timescale: FloatArray, t: FloatArray) -> tuple[FloatArray, Slopes]:
    x = t / timescale
    return x, (-x / timescale,)


def _centered(rate: FloatArray, midpoint: FloatArray, t: FloatArray) -> tuple[FloatArray, Slopes]:
    since = t - midpoint
    return rate * since, (since, np.broadcast_to(-rate, since.shape))


def _late(onset: FloatArray, t: FloatArray) -> tuple[FloatArray, Slopes]:
    since = np.maximum(t - onset, 0.0)
    return since, (-(since > 0).astype(float),)


def _delayed(timescale: FloatArray, onset: FloatArray, t: FloatArray) -> tuple[FloatArray, Slopes]:
    since, (by_onset,) = _late(onset, t)
    return since / timescale, (-since / timescale**2, by_onset / timescale)


def _since(onset: sympy.Symbol) -> sympy.Expr:
    return sympy.Piecewise((sympy.Integer(0), TIME <= onset), (TIME - onset, True))


def _whole(t: FloatArray) -> tuple[FloatArray, Slopes]:
    return t[None, :], ()


def _cosine(frequency: FloatArray, t: FloatArray) -> tuple[FloatArray, Slopes]:
    angle = 2 * math.pi * frequency * t
    return np.cos(angle), (-2 * math.pi * t * np.sin(angle),)


def _sine(frequency: FloatArray, t: FloatArray) -> tuple[FloatArray, Slopes]:
    angle = 2 * math.pi * frequency * t
    return np.sin(angle), (2 * math.pi * t * np.cos(angle),)


CLOCKS: Mapping[str, Operation] = MappingProxyType(
    {
        o.name: o
        for o in (
            Operation("whole", (), _whole, lambda last: TIME / last, 1),
            Operation("elapsed", (TIMESCALE,), _elapsed, lambda tau, last: TIME / tau, 3),
            Operation(
                "centered", (RATE, MIDPOINT), _centered, lambda r, m, last: r * (TIME - m), 5
            ),
            Operation("late", (ONSET,), _late, lambda m, last: _since(m) / last, 4),
            Operation(
                "delayed", (TIMESCALE, ONSET), _delayed, lambda tau, m, last: _since(m) / tau, 6
            ),
            Operation(
                "cosine",
                (FREQUENCY,),
                _cosine,
                lambda f, last: sympy.cos(2 * sympy.pi * f * TIME),
                4,
            ),
            Operation(
                "sine", (FREQUENCY,), _sine, lambda f, last: sympy.sin(2 * sympy.pi * f * TIME), 4
            ),
        )
    }
)
"""What an expression's leaves are: the progress axis, scaled, shifted, delayed, or as a wave."""


def _of_one(
    value_and_slope: Callable[[FloatArray], tuple[FloatArray, FloatArray]],
) -> Callable[[FloatArray], tuple[FloatArray, Slopes]]:
    def numeric(u: FloatArray) -> tuple[FloatArray, Slopes]:
        value, slope = value_and_slope(u)
        return value, (slope,)

    return numeric


def _by(value: Any, slope: Callable[[FloatArray, FloatArray], FloatArray]) -> Any:
    """Make a numeric function of its value, and its slope from argument and value."""

    def numeric(u: FloatArray) -> tuple[FloatArray, FloatArray]:
        f = value(u)
        return f, slope(u, f)

    return _of_one(numeric)


def _power(exponent: FloatArray, u: FloatArray) -> tuple[FloatArray, Slopes]:
    log = np.log(np.maximum(u, 1e-200))
    f = np.exp(exponent * log)
    return f, (f * log, exponent * np.exp((exponent - 1) * log))


def _scaled(strength: FloatArray, u: FloatArray) -> tuple[FloatArray, Slopes]:
    return strength * u, (u, np.broadcast_to(strength, u.shape))


def _product(a: FloatArray, b: FloatArray) -> tuple[FloatArray, Slopes]:
    return a * b, (b, a)


def _logistic(u: sympy.Expr) -> sympy.Expr:
    return (1 + sympy.tanh(u / 2)) / 2


FUNCTIONS: Mapping[str, Operation] = MappingProxyType(
    {
        o.name: o
        for o in (
            Operation(
                "approach",
                (),
                _by(lambda u: -np.expm1(-u), lambda u, f: 1 - f),
                approach,
                1,
            ),
            Operation(
                "decay", (), _by(lambda u: np.exp(-u), lambda u, f: -f), lambda u: sympy.exp(-u), 1
            ),
            Operation("growth", (), _by(np.exp, lambda u, f: f), sympy.exp, 1),
            Operation(
                "saturation",
                (),
                _by(lambda u: u / (1 + u), lambda u, f: (1 + u) ** -2.0),
                lambda u: u / (1 + u),
                1,
            ),
            Operation(
                "fade",
                (),
                _by(lambda u: 1 / (1 + u), lambda u, f: -(f**2)),
                lambda u: 1 / (1 + u),
                1,
            ),
            Operation(
                "logarithm",
                (),
                _by(np.log1p, lambda u, f: 1 / (1 + u)),
                lambda u: sympy.log(1 + u),
                1,
            ),
            Operation(
                "root",
                (),
                _by(np.sqrt, lambda u, f: 0.5 / np.maximum(f, 1e-100)),
                lambda u: sympy.exp(clamped_log(u) / 2),
                1,
            ),
            Operation("tanh", (), _by(np.tanh, lambda u, f: 1 - f**2), sympy.tanh, 1),
            Operation(
                "bell",
                (),
                _by(lambda u: np.exp(-(u**2)), lambda u, f: -2 * u * f),
                lambda u: sympy.exp(-(u**2)),
                1,
            ),
            Operation(
                "hump",
                (),
                _by(lambda u: 1 / (1 + u**2), lambda u, f: -2 * u * f**2),
                lambda u: 1 / (1 + u**2),
                1,
            ),
            Operation(
                "pulse",
                (),
                _by(lambda u: 4 * expit(u) * expit(-u), lambda u, f: f * (1 - 2 * expit(u))),
                lambda u: sympy.exp(2 * sympy.log(sympy.Integer(2)) - softplus(u) - softplus(-u)),
                1,
            ),
            Operation("logistic", (), _by(expit, lambda u, f: f * (1 - f)), _logistic, 1),
            Operation(
                "fall",
                (),
                _by(lambda u: expit(-u), lambda u, f: -f * (1 - f)),
                lambda u: _logistic(-u),
                1,
            ),
            Operation(
                "probit",
                (),
                _by(
                    lambda u: 0.5 + 0.5 * erf(u), lambda u, f: np.exp(-(u**2)) / math.sqrt(math.pi)
                ),
                lambda u: (1 + sympy.erf(u)) / 2,
                1,
            ),
            Operation(
                "algebraic",
                (),
                _by(lambda u: u / np.sqrt(1 + u**2), lambda u, f: (1 + u**2) ** -1.5),
                lambda u: u / sympy.sqrt(1 + u**2),
                1,
            ),
            Operation("arctangent", (), _by(np.arctan, lambda u, f: 1 / (1 + u**2)), sympy.atan, 1),
            Operation(
                "gumbel",
                (),
                _by(lambda u: np.exp(-np.exp(-u)), lambda u, f: np.exp(-u - np.exp(-u))),
                lambda u: sympy.exp(-sympy.exp(-u)),
                1,
            ),
            Operation(
                "reversed_gumbel",
                (),
                _by(lambda u: -np.expm1(-np.exp(u)), lambda u, f: np.exp(u - np.exp(u))),
                lambda u: approach(sympy.exp(u)),
                1,
            ),
            Operation(
                "bend", (), _by(lambda u: np.logaddexp(0.0, u), lambda u, f: expit(u)), softplus, 1
            ),
            Operation("power", (EXPONENT,), _power, lambda p, u: sympy.exp(p * clamped_log(u)), 2),
            Operation("scaled", (STRENGTH,), _scaled, lambda k, u: k * u, 2),
            Operation("product", (), _product, lambda a, b: a * b, 1),
        )
    }
)
"""What an expression's inner nodes are: functions of one argument, and the product of two."""
