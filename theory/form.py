"""A form: a symbolic curve from which value, derivatives and print all follow."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, final

import numpy as np
import sympy
from numpy.typing import ArrayLike, NDArray

from theory.form_checks import check_names, check_roles
from theory.numeric import Numeric, compiled, in_blocks
from theory.parameter import Kind, Parameter
from theory.printing import latex_of, python_of
from theory.stable import differentiate, plain, with_tails

FloatArray = NDArray[np.float64]

TIME = sympy.Symbol("t", real=True)
"""The progress axis, in every form's expression."""


@final
@dataclass(frozen=True)
class Form:
    """A curve as mathematics; everything numeric is derived from its expression.

    Parameters
    ----------
    name : an identifier.
    expression : sympy expression in `t` and the parameters. Symbols are matched by name.
    parameters : in the order of the last axis of every `theta`.
    reference : author, year, title.
    domain : times at which the form is defined.
    breakpoints : parameters that name a time at which a derivative jumps.
    ordered : groups of midpoints that must increase within the group.

    Raises
    ------
    ValueError
        If declared parameters and free symbols differ, a floor does not enter with coefficient
        1, a gain or slope does not enter linearly, or a name is unknown.
    """

    name: str
    expression: sympy.Expr
    parameters: tuple[Parameter, ...]
    reference: str
    domain: tuple[float, float] = (0.0, math.inf)
    breakpoints: tuple[str, ...] = ()
    ordered: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        """Put the house's symbols into the expression, and check its mathematics."""
        if not self.name.isidentifier():
            raise ValueError(f"a form's name must be a Python identifier; got {self.name!r}.")
        own = {parameter.name: parameter.symbol for parameter in self.parameters} | {"t": TIME}
        expression = sympy.sympify(self.expression)
        swaps = {s: own[s.name] for s in expression.free_symbols if own.get(s.name, s) != s}
        object.__setattr__(self, "expression", expression.xreplace(swaps))
        object.__setattr__(self, "parameters", tuple(self.parameters))
        check_names(self)
        check_roles(self)

    def __getstate__(self) -> dict[str, Any]:
        """Leave compiled functions behind when pickled; they are made again on use."""
        return {field.name: self.__dict__[field.name] for field in fields(self)}

    @property
    def t(self) -> sympy.Symbol:
        """The symbol of the progress axis."""
        return TIME

    @property
    def symbols(self) -> tuple[sympy.Symbol, ...]:
        """The parameters' symbols, in order."""
        return tuple(parameter.symbol for parameter in self.parameters)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The parameters' names, in order."""
        return tuple(parameter.name for parameter in self.parameters)

    @cached_property
    def linear(self) -> tuple[str, ...]:
        """Names of parameters in which the expression is jointly linear and homogeneous.

        Found greedily in declared order; with the others fixed the curve is the sum of these
        times the columns of :meth:`design`. Empty if something remains when they are all zero.
        """
        chosen: list[sympy.Symbol] = []
        for symbol in self.symbols:
            column = sympy.diff(self.expression, symbol)
            if not column.free_symbols & {symbol, *chosen}:
                chosen.append(symbol)
        rest = self.expression.xreplace({symbol: sympy.Integer(0) for symbol in chosen})
        if sympy.piecewise_fold(rest) != 0:
            return ()
        return tuple(symbol.name for symbol in chosen)

    @cached_property
    def nonlinear(self) -> tuple[str, ...]:
        """Names of the other parameters, in order."""
        return tuple(name for name in self.names if name not in self.linear)

    @cached_property
    def divided(self) -> tuple[str, str] | None:
        """A share, and the linear parameter that it divides between two columns.

        That is: only this linear parameter's column depends on the share, and straightly. None if
        there is no such share, or more than one.
        """
        symbols = dict(zip(self.names, self.symbols, strict=True))
        found = []
        for share in (p.symbol for p in self.parameters if p.kind is Kind.SHARE):
            slopes = {n: sympy.diff(self.expression, symbols[n], share) for n in self.linear}
            moved = [name for name, slope in slopes.items() if slope != 0]
            if len(moved) == 1 and share not in slopes[moved[0]].free_symbols:
                found.append((share.name, moved[0]))
        return found[0] if len(found) == 1 else None

    def __call__(self, t: ArrayLike, theta: ArrayLike) -> Any:
        """Return the curve's value.

        Parameters
        ----------
        t : float or (n,), in the domain.
        theta : (..., p), in the order of `names`.

        Returns
        -------
        (..., n), or (...,) for a float t; a float for a float t and a (p,) theta.
        """
        return _number_or_array(self._evaluate(self._value, t, theta, self.names)[0])

    def derivative(self, t: ArrayLike, theta: ArrayLike) -> Any:
        """Return the derivative in t; shapes as for the value.

        Where the true derivative is infinite (t = 0 under a power below 1), a huge finite number.
        """
        return _number_or_array(self._evaluate(self._derivative, t, theta, self.names)[0])

    def jacobian(self, t: ArrayLike, theta: ArrayLike) -> FloatArray:
        """Return the derivatives in each parameter, (..., n, p), or (..., p) for a float t."""
        parts = self._evaluate(self._jacobian, t, theta, self.names, len(self.names))
        return np.moveaxis(parts, 0, -1)

    def design(self, t: ArrayLike, nonlinear: ArrayLike = ()) -> FloatArray:
        """Return the columns that the linear parameters multiply.

        Parameters
        ----------
        t : float or (n,).
        nonlinear : (..., p - q), in the order of `nonlinear`.

        Returns
        -------
        (..., n, q), in the order of `linear`; (..., q) for a float t.
        """
        parts = self._evaluate(self._design, t, nonlinear, self.nonlinear, len(self.linear))
        return np.moveaxis(parts, 0, -1)

    def tangents(self, t: ArrayLike, nonlinear: ArrayLike = ()) -> FloatArray:
        """Return the columns of `design`, and after them those columns' derivatives.

        Parameters
        ----------
        t : float or (n,).
        nonlinear : (..., p - q), in the order of `nonlinear`.

        Returns
        -------
        (q + m, ..., n): the parts stand first. The derivatives are those that `moved` lists.
        """
        n_parts = len(self.linear) + len(self.moved)
        return self._evaluate(self._tangents, t, nonlinear, self.nonlinear, n_parts)

    def divided_design(self, t: ArrayLike, others: ArrayLike = ()) -> FloatArray:
        """Return the columns of `design` at share 0, and last what a share of 1 adds to one.

        Parameters
        ----------
        t : float or (n,).
        others : (..., p - q - 1), the nonlinear parameters but for the share of `divided`.

        Returns
        -------
        (..., n, q + 1); (..., q + 1) for a float t.
        """
        if self.divided is None:
            raise ValueError(f"{self.name} has no share that divides a linear parameter.")
        names = tuple(name for name in self.nonlinear if name != self.divided[0])
        parts = self._evaluate(self._divided_design, t, others, names, len(self.linear) + 1)
        return np.moveaxis(parts, 0, -1)

    def compile(self) -> None:
        """Make all numeric functions now; else each is made at its first use.

        Symbolic work is not for several threads at once, numeric functions are.
        """
        self._value, self._jacobian, self._design, self._tangents  # noqa: B018 (cached when seen)
        if self.divided is not None:
            self._divided_design  # noqa: B018

    @cached_property
    def moved(self) -> tuple[tuple[int, int], ...]:
        """Pairs (j, k): the column of linear parameter j depends on nonlinear parameter k."""
        symbols = dict(zip(self.names, self.symbols, strict=True))
        columns = [sympy.diff(self.expression, symbols[name]) for name in self.linear]
        return tuple(
            (j, k)
            for j, column in enumerate(columns)
            for k, name in enumerate(self.nonlinear)
            if symbols[name] in column.free_symbols
        )

    @cached_property
    def computed(self) -> sympy.Expr:
        """The expression as numbers are computed from it, with all digits in its tails."""
        return with_tails(self.expression)

    @cached_property
    def plain(self) -> sympy.Expr:
        """The expression in elementary functions only, for reading."""
        return plain(self.expression)

    @cached_property
    def python(self) -> str:
        """The expression as Python (and sympy) source."""
        return python_of(self.plain)

    @cached_property
    def latex(self) -> str:
        """The expression as LaTeX, parameters upright."""
        return latex_of(self.plain)

    @cached_property
    def _value(self) -> Numeric:
        return compiled(TIME, self.symbols, [self.computed])

    @cached_property
    def _derivative(self) -> Numeric:
        return compiled(TIME, self.symbols, [differentiate(self.computed, TIME)])

    @cached_property
    def _jacobian(self) -> Numeric:
        return compiled(TIME, self.symbols, [differentiate(self.computed, s) for s in self.symbols])

    @cached_property
    def _design(self) -> Numeric:
        symbols = dict(zip(self.names, self.symbols, strict=True))
        columns = [differentiate(self.computed, symbols[name]) for name in self.linear]
        return compiled(TIME, [symbols[name] for name in self.nonlinear], columns)

    @cached_property
    def _tangents(self) -> Numeric:
        symbols = dict(zip(self.names, self.symbols, strict=True))
        columns = [differentiate(self.computed, symbols[name]) for name in self.linear]
        slopes = [differentiate(columns[j], symbols[self.nonlinear[k]]) for j, k in self.moved]
        return compiled(TIME, [symbols[name] for name in self.nonlinear], [*columns, *slopes])

    @cached_property
    def _divided_design(self) -> Numeric:
        share, gain = self.divided or ("", "")
        symbols = dict(zip(self.names, self.symbols, strict=True))
        none = {symbols[share]: sympy.Integer(0)}
        columns = [differentiate(self.computed, symbols[n]).subs(none) for n in self.linear]
        columns.append(differentiate(differentiate(self.computed, symbols[gain]), symbols[share]))
        others = [symbols[name] for name in self.nonlinear if name != share]
        return compiled(TIME, others, columns)

    def _evaluate(
        self,
        function: Numeric,
        t: ArrayLike,
        theta: ArrayLike,
        names: tuple[str, ...],
        n_parts: int = 1,
    ) -> FloatArray:
        """Return the parts that `function` computes, (n_parts, ..., n)."""
        times = np.asarray(t, dtype=np.float64)
        values = np.asarray(theta, dtype=np.float64)
        if times.ndim > 1:
            raise ValueError(f"t must be a number or one-dimensional; its shape is {times.shape}.")
        if values.ndim == 0 or values.shape[-1] != len(names):
            raise ValueError(
                f"{self.name} takes {len(names)} parameters ({', '.join(names)}) on the last "
                f"axis; the shape is {values.shape}."
            )
        batch = values.shape[:-1]
        rows = values.reshape(math.prod(batch), len(names))
        parts = in_blocks(function, times.ravel(), rows, n_parts)
        return parts.reshape(n_parts, *batch, *times.shape)


def _number_or_array(values: FloatArray) -> Any:
    return values if values.shape else float(values)
