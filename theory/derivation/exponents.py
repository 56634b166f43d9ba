"""Exponents of a mean field: how long a small start waits, and how the last gap closes.

Near 0 a drift a(z) ~ c z^m takes t ~ z0^(1 - m) / (c (m - 1)) to leave, and ln(1/z0)/c for m = 1
(Strogatz 2015, Nonlinear Dynamics and Chaos, sec. 2.4 and 4.3); near a fixed point it closes a gap
x as (c (m - 1) t)^(-1/(m - 1)), and as e^(-c t) for m = 1. For dp/dt = c [p (1 - p)]^m the
exponents -(m - 1) and -1/(m - 1) have the product 1, whatever m is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import sympy

from theory.derivation.fixed_point import factors, fixed_point
from theory.derivation.story import TIME, NotDerived, Story

_HIGHEST_ORDER = 12
_ZERO = 1e-20
_NEAR_ONE = 1e-12


@final
@dataclass(frozen=True)
class Local:
    """The drift near a place, at a distance x: coefficient · x^order.

    The coefficient is None where a logarithm stands beside the power.
    """

    order: sympy.Expr
    coefficient: sympy.Expr | None


@final
@dataclass(frozen=True)
class Expansion:
    """A mean field at its two ends.

    Attributes
    ----------
    plateau : Local or None
        The drift near 0; None if the state does not start there, or not from rest.
    plateau_exponent : sympy expression or None
        Of the time to any level, in the start; 0 is logarithmic.
    escape : sympy expression or None
        Leading term of that time.
    tail : Local or None
        The drift near the fixed point ahead; None without one.
    tail_exponent : sympy expression or None
        Of the last gap, in t; minus infinity is exponential.
    gap : sympy expression or None
        Leading term of the last gap, up to a factor where it closes exponentially.
    """

    plateau: Local | None
    plateau_exponent: sympy.Expr | None
    escape: sympy.Expr | None
    tail: Local | None
    tail_exponent: sympy.Expr | None
    gap: sympy.Expr | None

    @property
    def product(self) -> sympy.Expr | None:
        """The product of the two exponents; None if one is missing, or neither algebraic."""
        if self.plateau_exponent in (None, 0) or self.tail_exponent in (None, -sympy.oo):
            return None
        return sympy.simplify(self.plateau_exponent * self.tail_exponent)

    @property
    def words(self) -> tuple[str, ...]:
        """The results in sentences."""
        return tuple(filter(None, (self._leaving, self._closing)))

    @property
    def _leaving(self) -> str:
        if self.plateau is None:
            return ""
        wait = ", up to logarithms" if self.plateau.coefficient is None else ""
        wait = wait if self.escape is None else f", about {self.escape}"
        if self.plateau_exponent == 0:
            return f"the wait of a small start grows no faster than its logarithm{wait}."
        return f"the wait of a small start grows as its power {self.plateau_exponent}{wait}."

    @property
    def _closing(self) -> str:
        if self.tail_exponent is None:
            return ""
        gap = "" if self.gap is None else f", as {self.gap}"
        if self.tail_exponent == -sympy.oo:
            return f"the last gap closes exponentially{gap}."
        return f"the last gap closes as the power {self.tail_exponent} of time{gap}."


def expand(story: Story) -> Expansion:
    """Expand a mean field at 0 and at the fixed point ahead.

    Raises
    ------
    NotDerived
        If the state neither leaves from near 0 nor comes to rest.
    """
    plateau, end = _plateau(story), fixed_point(story)
    tail = None if end is None else local(story, end)
    if plateau is None and tail is None:
        raise NotDerived(f"{story.state} neither leaves from near 0 nor comes to rest.")
    waits, escape = (None, None) if plateau is None else _waiting(plateau, story)
    exponent, gap = (None, None) if tail is None else _closing(tail, story)
    return Expansion(plateau, waits, escape, tail, exponent, gap)


def local(story: Story, point: sympy.Expr) -> Local:
    """Return order and coefficient of the drift at a small distance from a point.

    A factor's order is that of its first derivative that is not zero there; for one that grows
    without bounds it is the limit of its local slope.
    """
    side = 1 if story.number(story.start) > story.number(point) else -1
    order, coefficient = sympy.Integer(0), sympy.Integer(1)
    for base, power in factors(story.drift, story):
        one = _order(base, story, point, side)
        order += one.order * power
        if coefficient is not None and one.coefficient is not None:
            coefficient *= one.coefficient**power
        else:
            coefficient = None
    if coefficient is not None:
        coefficient = sympy.factor(sympy.powsimp(coefficient)).replace(
            lambda e: e.is_Pow, lambda e: e.base ** sympy.cancel(e.exp)
        )
        coefficient *= 1 if story.number(coefficient) > 0 else -1
    return Local(sympy.expand(order), coefficient)


def _order(base: sympy.Expr, story: Story, point: sympy.Expr, side: int) -> Local:
    """Return order and coefficient of one factor."""
    derivative = base
    for k in range(_HIGHEST_ORDER):
        value = derivative.subs(story.state, point)
        if value.has(sympy.zoo, sympy.nan, sympy.oo, -sympy.oo):
            break
        if abs(story.number(value)) > _ZERO:
            return Local(sympy.Integer(k), value * side**k / sympy.factorial(k))
        derivative = sympy.diff(derivative, story.state)
    slope = (story.state - point) * sympy.diff(base, story.state) / base
    return Local(sympy.limit(slope, story.state, point, "+" if side > 0 else "-"), None)


def _plateau(story: Story) -> Local | None:
    """Return the drift near 0, if it vanishes there and the state leaves from a small start."""
    if story.direction <= 0 or story.number(story.start) <= 0 or not story.start.free_symbols:
        return None
    found = local(story, sympy.Integer(0))
    return found if story.number(found.order) > 0 else None


def _waiting(near: Local, story: Story) -> tuple[sympy.Expr, sympy.Expr | None]:
    """Return the exponent of the wait in the start, and its leading term."""
    over = story.number(near.order) - 1
    if over < -_NEAR_ONE:
        return sympy.Integer(0), None  # the start does not matter in the limit
    if over <= _NEAR_ONE:
        known = near.coefficient
        return sympy.Integer(0), None if known is None else sympy.log(1 / story.start) / known
    exponent = 1 - near.order
    if near.coefficient is None:
        return exponent, None
    return exponent, story.start**exponent / (-exponent * near.coefficient)


def _closing(near: Local, story: Story) -> tuple[sympy.Expr | None, sympy.Expr | None]:
    """Return the exponent of the last gap in t, and its leading term."""
    over = story.number(near.order) - 1
    if over < -_NEAR_ONE:
        return None, None  # the gap closes in finite time
    if over <= _NEAR_ONE:
        known = near.coefficient
        return -sympy.oo, None if known is None else sympy.exp(-known * TIME)
    exponent = -1 / (near.order - 1)
    if near.coefficient is None:
        return exponent, None
    return exponent, ((near.order - 1) * near.coefficient * TIME) ** exponent
