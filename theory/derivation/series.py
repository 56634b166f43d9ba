"""Truncated power series in t, to many digits: Taylor coefficients of a run without formulas.

Products, powers and functions of series follow from the recurrences of automatic differentiation
(Griewank and Walther 2008, Evaluating Derivatives, ch. 13); ``dz/dt = f(z)`` then gives one
coefficient after the other (Moore 1966, Interval Analysis, ch. 11).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import sympy

DIGITS = 60
ZERO, ONE = sympy.Float(0, DIGITS), sympy.Float(1, DIGITS)


def number(value: Any) -> sympy.Float:
    """Return a real number to many digits."""
    return sympy.Float(sympy.sympify(value).evalf(DIGITS), DIGITS)


@final
class Series:
    """A power series c_0 + c_1 t + … + c_n t^n, with arithmetic that leaves out higher powers."""

    def __init__(self, coefficients: Sequence[sympy.Float]) -> None:
        self.c = tuple(coefficients)

    def _like(self, other: Any) -> tuple[sympy.Float, ...]:
        if isinstance(other, Series):
            return other.c
        return (number(other), *(ZERO,) * (len(self.c) - 1))

    def __add__(self, other: Any) -> Series:
        return Series([a + b for a, b in zip(self.c, self._like(other), strict=True)])

    def __neg__(self) -> Series:
        return Series([-a for a in self.c])

    def __sub__(self, other: Any) -> Series:
        return self.__add__(-other)

    def __mul__(self, other: Any) -> Series:
        if not isinstance(other, Series):
            factor = number(other)
            return Series([a * factor for a in self.c])
        return Series([_convolved(self.c, other.c, k) for k in range(len(self.c))])

    def __truediv__(self, other: Any) -> Series:
        return self.__mul__(other**-1 if isinstance(other, Series) else ONE / number(other))

    def __pow__(self, exponent: Any) -> Series:
        """Raise to a number (Miller's recurrence; by products for whole numbers), or a series."""
        if isinstance(exponent, Series):
            return exponential(exponent * logarithm(self))
        if exponent == int(exponent) and exponent >= 0:
            result = Series(self._like(1))
            for _ in range(int(exponent)):
                result = result.__mul__(self)
            return result
        power = number(exponent)
        first = self.c[0] ** power
        return self._solved(first, lambda c, k: _miller(self.c, c, k, power))

    def __rpow__(self, base: Any) -> Series:
        return exponential(self * sympy.log(number(base)))

    def __rtruediv__(self, other: Any) -> Series:
        return (self**-1).__mul__(other)

    def __rsub__(self, other: Any) -> Series:
        return (-self).__add__(other)

    __radd__ = __add__
    __rmul__ = __mul__

    def _solved(self, first: Any, next_: Callable[[list[sympy.Float], int], sympy.Float]) -> Series:
        c = [number(first)]
        for k in range(1, len(self.c)):
            c.append(next_(c, k))
        return Series(c)

    def composed(self, first: Any, slope: Callable[[Series], Series]) -> Series:
        """Return a function of this series, from its value at c_0 and its slope as a series."""
        slopes = slope(self)
        return Series(
            [
                number(first),
                *(
                    sum((j * self.c[j] * slopes.c[k - j] for j in range(1, k + 1)), ZERO) / k
                    for k in range(1, len(self.c))
                ),
            ]
        )


def _convolved(a: Sequence[Any], b: Sequence[Any], k: int) -> sympy.Float:
    return sum((a[j] * b[k - j] for j in range(k + 1)), ZERO)


def _miller(a: Sequence[Any], c: Sequence[Any], k: int, power: sympy.Float) -> sympy.Float:
    return sum(((power * j - (k - j)) * a[j] * c[k - j] for j in range(1, k + 1)), ZERO) / (
        k * a[0]
    )


def exponential(x: Series) -> Series:
    """Return the exponential of a series."""
    return x._solved(
        sympy.exp(x.c[0]),
        lambda c, k: sum((j * x.c[j] * c[k - j] for j in range(1, k + 1)), ZERO) / k,
    )


def logarithm(x: Series) -> Series:
    """Return the logarithm of a series."""
    return x.composed(sympy.log(x.c[0]), lambda x: x**-1)


def exp(x: Any) -> Any:
    """Return the exponential."""
    return exponential(x) if isinstance(x, Series) else sympy.exp(number(x))


def log(x: Any) -> Any:
    """Return the logarithm."""
    return logarithm(x) if isinstance(x, Series) else sympy.log(number(x))


def sqrt(x: Any) -> Any:
    """Return the square root."""
    half = sympy.Rational(1, 2)
    return x**half if isinstance(x, Series) else sympy.sqrt(number(x))


def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent."""
    return 1 - 2 / (exp(2 * x) + 1)


def cosh(x: Any) -> Any:
    """Return the hyperbolic cosine."""
    return (exp(x) + exp(-x)) / 2


def acos(x: Any) -> Any:
    """Return the arc cosine."""
    if not isinstance(x, Series):
        return sympy.acos(number(x))
    return x.composed(sympy.acos(x.c[0]), lambda x: -1 / sqrt(1 - x**2))


FUNCTIONS: Mapping[str, Any] = {
    "exp": exp,
    "log": log,
    "sqrt": sqrt,
    "tanh": tanh,
    "cosh": cosh,
    "acos": acos,
    "pi": sympy.pi.evalf(DIGITS),
}


def run(
    dynamics: Sequence[Callable[..., Any]], start: Sequence[sympy.Float], order: int
) -> list[Series]:
    """Return the states of a run as series up to t^order.

    Parameters
    ----------
    dynamics : sequence of callables
        Right-hand sides, from one series a state to a series, or a number where it is constant.
    start : sequence of numbers
    order : int
    """
    known = [[value] for value in start]
    for k in range(order):
        rates = [rate(*(Series(state) for state in known)) for rate in dynamics]
        for state, rate in zip(known, rates, strict=True):
            constant = rate if k == 0 else ZERO
            state.append((rate.c[k] if isinstance(rate, Series) else constant) / (k + 1))
    return [Series(state) for state in known]
