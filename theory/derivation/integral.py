"""Integrals over the state in closed form, where one is certain to be found soon.

Rational functions are integrated by partial fractions. A state in exponentials, and square roots
of z and 1 - z in a probability z, become rational in u = e^z and in u = sqrt(z/(1 - z)). Anything
else is not tried: a general integrator may think for hours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import sympy
from sympy.integrals.rationaltools import ratint

from theory.derivation.story import Story

_U = sympy.Symbol("u", positive=True)
_HIGHEST = 16
"""Degree of a denominator beyond which partial fractions are not tried."""


@final
@dataclass(frozen=True)
class Integral:
    """An antiderivative, and the variable in which it was found.

    Attributes
    ----------
    value : sympy expression
        In the state.
    variable, inverse : sympy expression
        u in the state, and the state in u.
    in_variable : sympy expression
        The antiderivative in u.
    symbol : sympy symbol
        u.
    """

    value: sympy.Expr
    variable: sympy.Expr
    inverse: sympy.Expr
    in_variable: sympy.Expr
    symbol: sympy.Symbol = _U


def integral(integrand: sympy.Expr, story: Story) -> Integral | None:
    """Integrate over the state of a story; None if no closed form is within reach.

    What is returned has been differentiated again, at the typical numbers.
    """
    z = story.state
    chances = [(z, _U)]
    if integrand.has(sympy.exp, sympy.cosh, sympy.sinh, sympy.tanh):
        integrand = integrand.rewrite(sympy.exp)
        chances = [(sympy.exp(z), sympy.log(_U))]
    elif any(power.exp.is_Rational and power.exp.q == 2 for power in integrand.atoms(sympy.Pow)):
        chances = [(sympy.sqrt(z / (1 - z)), _U**2 / (1 + _U**2)), (sympy.sqrt(z), _U**2)]
    for variable, inverse in chances:
        inside = _in_variable(integrand.subs(z, inverse) * sympy.diff(inverse, _U))
        found = _rational(inside, story, variable)
        if found is not None and _holds(found, inside, variable, story):
            return Integral(found.subs(_U, variable), variable, inverse, found)
    return None


def separated(expression: sympy.Expr, variable: sympy.Symbol) -> tuple[sympy.Expr, sympy.Expr]:
    """Return the factors of an expression that are free of a variable, and the others."""
    if expression.is_rational_function(variable):
        expression = sympy.factor(sympy.together(expression))
    constant, shape = expression.as_independent(variable, as_Add=False)
    return constant, shape


def _in_variable(integrand: sympy.Expr) -> sympy.Expr:
    """Write powers of ratios of positive terms as powers of the terms."""

    def split(power: sympy.Expr) -> sympy.Expr:
        base = sympy.factor(sympy.together(power.base))
        return sympy.powdenest(sympy.expand_power_base(base**power.exp, force=True), force=True)

    return sympy.powsimp(integrand.replace(lambda e: e.is_Pow, split))


def _holds(found: sympy.Expr, inside: sympy.Expr, variable: sympy.Expr, story: Story) -> bool:
    """Whether the derivative of what was found is what was integrated, near the start."""
    here = story.number(variable.subs(story.state, story.start))
    residual = sympy.diff(found, _U) - inside
    places = [sympy.Float(here * factor + story.direction * 1e-3, 30) for factor in (1, 1.03)]
    return all(
        abs(story.number(residual.subs(_U, place)))
        <= 1e-9 * abs(story.number(inside.subs(_U, place)))
        for place in places
    )


def _rational(integrand: sympy.Expr, story: Story, variable: sympy.Expr) -> sympy.Expr | None:
    """Integrate a rational function of u, with logarithms of what is positive at the start."""
    if not integrand.is_rational_function(_U):
        return None
    constant, shape = separated(integrand, _U)
    denominator = sympy.denom(sympy.together(shape))
    if sympy.degree(denominator, _U) > _HIGHEST:
        return None
    # The roots of such a factor would be sums over roots, which are no closed form, after hours.
    factors = [factor for factor, _ in sympy.factor_list(denominator, _U)[1]]
    if any(sympy.degree(f, _U) > 2 and f.free_symbols != {_U} for f in factors):
        return None
    found = ratint(shape, _U, real=True)
    if found.has(sympy.RootSum, sympy.Integral, sympy.I):
        return None
    here = variable.subs(story.state, story.start)
    for log in found.atoms(sympy.log):
        inner = log.args[0]
        if story.number(inner.subs(_U, here)) < 0:
            found = found.subs(log, sympy.log(-inner))
    return constant * found
