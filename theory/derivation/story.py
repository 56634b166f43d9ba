"""A story of one state variable: what happens how often, and how far it moves the state.

Its mean field and its diffusion are the first two orders of van Kampen's system-size expansion
(2007, Stochastic Processes in Physics and Chemistry, ch. X).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import final

import sympy

TIME = sympy.Symbol("t", positive=True)
"""Progress, in all that is derived."""

DIGITS = 30


@final
class NotDerived(ValueError):
    """Something does not follow by the means that are tried; the message says why."""


@final
@dataclass(frozen=True)
class Episode:
    """Something that happens at a rate and moves the state by a jump, both given its value."""

    rate: sympy.Expr
    jump: sympy.Expr


@final
@dataclass(frozen=True, eq=False)
class Story:
    """One state variable that moves by episodes, or flows.

    Attributes
    ----------
    state : sympy symbol
    start : sympy expression
        State at progress 0.
    typical : mapping of str to float
        A number for every parameter: a place at which results check themselves, and at which it
        is seen which root, sign or branch is meant.
    episodes : tuple of Episode
    flow : sympy expression
        A drift without chance, beside the episodes.

    Raises
    ------
    ValueError
        If a parameter has no typical number.
    """

    state: sympy.Symbol
    start: sympy.Expr
    typical: Mapping[str, float]
    episodes: tuple[Episode, ...] = ()
    flow: sympy.Expr = sympy.Integer(0)

    def __post_init__(self) -> None:
        """Give the parameters the signs that they typically have."""
        object.__setattr__(self, "typical", MappingProxyType(dict(self.typical)))

        def own(expression: sympy.Expr) -> sympy.Expr:
            expression = sympy.sympify(expression)
            return expression.xreplace(
                {s: self.symbol(s.name) for s in expression.free_symbols if s != self.state}
            )

        object.__setattr__(self, "start", own(self.start))
        object.__setattr__(self, "flow", own(self.flow))
        episodes = tuple(Episode(own(e.rate), own(e.jump)) for e in self.episodes)
        object.__setattr__(self, "episodes", episodes)

    def symbol(self, name: str) -> sympy.Symbol:
        """Return the symbol of a parameter."""
        if name not in self.typical:
            raise ValueError(f"{name} needs a typical number; there are {sorted(self.typical)}.")
        return sympy.Symbol(name, real=True, positive=True if self.typical[name] > 0 else None)

    @cached_property
    def drift(self) -> sympy.Expr:
        """The mean field: flow + Σ rate · jump."""
        return self.flow + sum((e.rate * e.jump for e in self.episodes), sympy.Integer(0))

    @cached_property
    def diffusion(self) -> sympy.Expr:
        """Variance that a unit of progress adds: Σ rate · jump²."""
        return sum((e.rate * e.jump**2 for e in self.episodes), sympy.Integer(0))

    @cached_property
    def parameters(self) -> tuple[sympy.Symbol, ...]:
        """The symbols of drift, diffusion and start, by name."""
        every = (self.drift + self.start).free_symbols | self.diffusion.free_symbols
        return tuple(sorted(every - {self.state}, key=str))

    def number(self, expression: sympy.Expr, **given: float) -> float:
        """Return an expression at the typical numbers, or others; nan if it is no real number."""
        values = {**self.typical, **given}
        exact = {s: sympy.Float(values[s.name], DIGITS) for s in expression.free_symbols}
        value = sympy.N(expression.xreplace(exact), DIGITS)
        real, imaginary = value.as_real_imag()
        if not (real.is_number and abs(imaginary) <= 1e-12 * (1 + abs(real))):
            return float("nan")
        return float(real)

    @cached_property
    def direction(self) -> int:
        """Which way the state moves at first: 1 up, -1 down, 0 not at all."""
        speed = self.number(self.drift.subs(self.state, self.start))
        return (speed > 0) - (speed < 0)
