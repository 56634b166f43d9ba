"""Natural units of a mean field, and the pure numbers that are left.

With z = Z x and t = T τ, a drift Σ c_i z^(k_i) becomes Σ c_i T Z^(k_i - 1) x^(k_i). The powers of
the parameters in c_i are rows of a matrix; T and Z are solved for so that two of the terms have no
parameters left, and what is left of the others, and of the start, are the dimensionless groups
(Buckingham 1914, Phys. Rev. 4:345; Barenblatt 1996, Scaling, ch. 1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import sympy

from theory.derivation.integral import separated
from theory.derivation.story import NotDerived, Story

Powers = Mapping[sympy.Expr, sympy.Expr]
"""Exponent of every base, for a product of powers; numbers are left out."""


@final
@dataclass(frozen=True)
class Scaling:
    """Units in which a mean field has as few parameters as possible.

    Attributes
    ----------
    time_unit, state_unit : sympy expression
    drift : sympy expression
        The drift of the state in its unit, per unit of time.
    groups : tuple of sympy expressions
        Pure numbers: all that drift and start depend on in these units.
    """

    time_unit: sympy.Expr
    state_unit: sympy.Expr
    drift: sympy.Expr
    groups: tuple[sympy.Expr, ...]

    @property
    def words(self) -> str:
        """The result in a sentence."""
        units = f"with time in units of {self.time_unit}"
        if self.state_unit != 1:
            units += f" and the state in units of {self.state_unit}"
        if not self.groups:
            return f"{units} nothing is left to depend on."
        what = ", ".join(map(str, self.groups))
        return f"{units} all depends on {what} only."


def nondimensionalize(story: Story) -> Scaling:
    """Choose units of time and state, and name the dimensionless groups.

    The state gets a unit of its own only where every term of the drift is a power of it; a
    parameter in a function or an exponent is taken for a pure number.

    Raises
    ------
    NotDerived
        If the drift depends on the parameters otherwise than through the groups found.
    """
    z = story.state
    terms, inner = _terms(story)
    rows = [powers_of(coefficient) for coefficient, _ in terms]
    orders = [_order(shape, z) for _, shape in terms]
    time, state = _units(rows, orders)
    left: list[sympy.Expr] = [
        _product(row) * time * state ** (order - 1 if order is not None else 0)
        for row, order in zip(rows, orders, strict=True)
    ]
    left += [_product(powers_of(story.start)) / state, *inner]
    groups = _independent([sympy.powsimp(sympy.powdenest(group, force=True)) for group in left])
    drift = sympy.simplify(story.drift.subs(z, state * z) * time / state)
    scaling = Scaling(time, state, drift, groups)
    if not suffices(scaling, story):
        raise NotDerived(f"{story.drift} depends on its parameters not only by products of powers.")
    return scaling


def powers_of(expression: sympy.Expr) -> Powers:
    """Return the exponents of the parameters, or sums of them, in a product of powers."""
    powers: dict[sympy.Expr, sympy.Expr] = {}
    for factor in sympy.Mul.make_args(sympy.factor(expression)):
        base, exponent = factor.as_base_exp()
        if base.is_number:
            base, exponent = factor, sympy.Integer(1)
        if not factor.is_number:
            powers[base] = powers.get(base, sympy.Integer(0)) + exponent
    return powers


def _terms(story: Story) -> tuple[list[tuple[sympy.Expr, sympy.Expr]], list[sympy.Expr]]:
    """Return (coefficient, shape) of every term of the drift, and the parameters in the shapes."""
    z = story.state
    constant, shape = separated(story.drift, z)
    own = [f for f in sympy.Mul.make_args(shape) if not f.free_symbols - {z}]
    rest = sympy.Mul(*(f for f in sympy.Mul.make_args(shape) if f not in own))
    by_shape: dict[sympy.Expr, sympy.Expr] = {}
    for term in sympy.Add.make_args(sympy.expand(rest)):
        coefficient, function = term.as_independent(z, as_Add=False)
        by_shape[function] = by_shape.get(function, sympy.Integer(0)) + coefficient
    common = sympy.Mul(*own)
    terms = [
        (constant * by_shape[function], sympy.powsimp(common * function))
        for function in sorted(by_shape, key=lambda f: (f.count_ops(), str(f)))
    ]
    symbols = set().union(*(function.free_symbols for function in by_shape)) - {z}
    return terms, sorted(symbols, key=str)


def _order(shape: sympy.Expr, z: sympy.Symbol) -> sympy.Expr | None:
    """Return k of z^k; None if a shape is no power of the state."""
    if not shape.has(z):
        return sympy.Integer(0)
    base, exponent = shape.as_base_exp()
    return exponent if base == z and not exponent.has(z) else None


def _units(
    rows: Sequence[Powers], orders: Sequence[sympy.Expr | None]
) -> tuple[sympy.Expr, sympy.Expr]:
    """Return the units of time and state that free two terms of parameters, or one."""
    first = _product(rows[0])
    known = [order for order in orders if order is not None]
    if len(known) < len(orders) or len(orders) < 2:
        return 1 / first, sympy.Integer(1)
    step = sympy.cancel(known[1] - known[0])
    state = sympy.powdenest((first / _product(rows[1])) ** (1 / step), force=True)
    time = sympy.powsimp(1 / (first * state ** (known[0] - 1)))
    return time.replace(lambda e: e.is_Pow, lambda e: e.base ** sympy.cancel(e.exp)), state


def _product(powers: Powers) -> sympy.Expr:
    return sympy.Mul(*(base**exponent for base, exponent in powers.items()))


def _independent(groups: Sequence[sympy.Expr]) -> tuple[sympy.Expr, ...]:
    """Leave out groups that are products of powers of others before them."""
    kept: list[sympy.Expr] = []
    for group in groups:
        every = [powers_of(one) for one in [*kept, group]]
        bases = sorted(set().union(*every), key=str)
        matrix = sympy.Matrix([[row.get(base, 0) for base in bases] for row in every])
        if bases and matrix.rank() == len(every):
            kept.append(group)
    return tuple(kept)


def suffices(scaling: Scaling, story: Story) -> bool:
    """Whether drift and start, in their units, change only with the groups, by log derivatives."""
    places = [story.number(story.start / scaling.state_unit) * factor for factor in (1.0, 1.2, 1.5)]
    seen = [scaling.drift.subs(story.state, sympy.Float(place, 30)) for place in places]
    seen.append(story.start / scaling.state_unit)
    known = np.array([log_gradient(group, story) for group in scaling.groups])
    everything = np.array([*known, *(log_gradient(one, story) for one in seen)])
    rank = np.linalg.matrix_rank(known, tol=1e-9) if len(known) else 0
    return bool(np.linalg.matrix_rank(everything, tol=1e-9) == rank)


def log_gradient(expression: sympy.Expr, story: Story) -> list[float]:
    """Return derivatives of an expression in the logarithms of the parameters, typically."""
    return [
        story.number(symbol * sympy.diff(expression, symbol)) if expression.has(symbol) else 0.0
        for symbol in story.parameters
    ]
