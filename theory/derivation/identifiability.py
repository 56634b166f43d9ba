"""Which parameters one curve without noise could tell: structural identifiability.

What a curve tells are its Taylor coefficients at the start; parameters, or combinations of them,
that leave all of these alone cannot be known from it (Pohjanpalo 1978, Math. Biosci. 41:21). Their
number is what the Jacobian of the coefficients in the logarithms of the parameters lacks in rank;
its null space says which ones. It is taken at one place, near the typical numbers, so that the
result is local, and says nothing of what noise and a short window add.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import sympy
from numpy.typing import NDArray

from theory.derivation.series import DIGITS, FUNCTIONS, Series, number, run
from theory.derivation.story import NotDerived

FloatArray = NDArray[np.float64]
Taylor = Callable[[Mapping[str, sympy.Float]], tuple[sympy.Float, ...]]
_STEP = sympy.Float(10, DIGITS) ** -15
_RANK = 1e-18
"""A pivot that counts; the error of the differences is about 1e-30."""
_NEAR = 1e-9
_INSTEAD_OF_0 = 0.01


@final
@dataclass(frozen=True)
class Identifiability:
    """What one curve tells about parameters.

    Attributes
    ----------
    observable : sympy expression
    parameters : tuple of str
    rank : int
        Number of independent combinations that the curve tells.
    known : tuple of str
        Parameters that it tells one by one.
    combinations : tuple of sympy expressions
        What it tells of the others.
    unnamed : int
        Further combinations that are told, but were not found to be products of powers.
    """

    observable: sympy.Expr
    parameters: tuple[str, ...]
    rank: int
    known: tuple[str, ...]
    combinations: tuple[sympy.Expr, ...]
    unnamed: int

    @property
    def hidden(self) -> tuple[str, ...]:
        """Parameters that matter only in combination, or not at all."""
        return tuple(name for name in self.parameters if name not in self.known)

    @property
    def words(self) -> str:
        """The result in a sentence."""
        head = f"of {len(self.parameters)} parameters one curve tells {self.rank}"
        if not self.hidden:
            return f"{head}: {_listed(self.known)}."
        told = [f"{_listed(self.known)} by itself"] if len(self.known) == 1 else []
        told = [f"{_listed(self.known)} one by one"] if len(self.known) > 1 else told
        matters = [str(combination) for combination in self.combinations]
        if self.unnamed:
            more = "more " if matters else ""
            matters.append(f"{self.unnamed} {more}combination{'s' if self.unnamed > 1 else ''}")
        verb = "matters" if len(self.combinations) + self.unnamed == 1 else "matter"
        only = f"only {_listed(matters)} {verb}" if matters else "nothing is told"
        return f"{head}: {'; '.join([*told, f'of {_listed(self.hidden)} {only}'])}."


def identify(
    states: Sequence[sympy.Symbol],
    dynamics: Sequence[sympy.Expr],
    start: Sequence[sympy.Expr],
    observable: sympy.Expr,
    typical: Mapping[str, float],
    *,
    candidates: Sequence[sympy.Expr] = (),
    order: int | None = None,
) -> Identifiability:
    """Find what a curve of an observable tells about the parameters that it depends on.

    Parameters
    ----------
    states, dynamics, start : sequences
        State variables, their rates of change, and their values at progress 0.
    observable : sympy expression
        In states and parameters.
    typical : mapping of str to float
        A number for every parameter.
    candidates : sequence of sympy expressions
        Combinations that are tried before products of powers are read off the Jacobian.
    order : int or None
        Of the last Taylor coefficient; two more than there are parameters if None.

    Raises
    ------
    NotDerived
        If the run has no Taylor coefficients at its start, or none that `series` can find.
    """
    every = set().union(*(sympy.sympify(e).free_symbols for e in (*dynamics, *start, observable)))
    names = tuple(sorted({s.name for s in every} - {s.name for s in states}))
    place = _near(names, typical)
    last = len(names) + 2 if order is None else order
    taylor = _taylor(states, (*dynamics, observable), start, names, last)
    try:
        reduced = _reduced(_jacobian(taylor, place))
    except (NameError, TypeError, ValueError, ZeroDivisionError) as error:
        raise NotDerived("no Taylor coefficients at the start are found.") from error
    return _read(reduced, observable, names, place, candidates)


def _taylor(
    states: Sequence[sympy.Symbol],
    expressions: Sequence[sympy.Expr],
    start: Sequence[sympy.Expr],
    names: Sequence[str],
    order: int,
) -> Taylor:
    """Return a function from parameters to the Taylor coefficients of the last expression."""
    functions = [_compiled(e, [*(s.name for s in states), *names]) for e in expressions]
    starts = [_compiled(e, names) for e in start]

    def taylor(values: Mapping[str, sympy.Float]) -> tuple[sympy.Float, ...]:
        given = [values[name] for name in names]
        bound: list[Any] = [lambda *z, f=f: f(*z, *given) for f in functions]
        *rates, observe = bound
        seen = observe(*run(rates, [number(f(*given)) for f in starts], order))
        return seen.c if isinstance(seen, Series) else (number(seen),)

    return taylor


def _near(names: Sequence[str], typical: Mapping[str, float]) -> dict[str, sympy.Float]:
    """Return numbers near the typical ones at which no two exponents are equal by accident."""
    lacking = sorted(set(names) - set(typical))
    if lacking:
        raise ValueError(f"no typical number for {', '.join(lacking)}.")
    return {
        name: sympy.Float(
            (typical[name] or _INSTEAD_OF_0) * (1 - math.sqrt(sympy.prime(i + 2)) / 100), DIGITS
        )
        for i, name in enumerate(names)
    }


def _compiled(expression: sympy.Expr, names: Sequence[str]) -> Any:
    return sympy.lambdify(list(names), expression, modules=[dict(FUNCTIONS)], cse=True)


def _jacobian(taylor: Taylor, place: Mapping[str, sympy.Float]) -> list[list[sympy.Float]]:
    """Return rows of log derivatives of the coefficients, each divided by its largest."""
    columns = []
    for name, value in place.items():
        up, down = (taylor({**place, name: value * (1 + side * _STEP)}) for side in (1, -1))
        columns.append(
            [sympy.Float((a - b) / (2 * _STEP), DIGITS) for a, b in zip(up, down, strict=True)]
        )
    rows = [list(row) for row in zip(*columns, strict=True)]
    if not all(entry.is_finite for row in rows for entry in row):
        raise ValueError("not finite")
    sizes = [max(map(abs, row), default=0) for row in rows]
    return [
        [entry / size for entry in row]
        for row, size in zip(rows, sizes, strict=True)
        if size > _RANK
    ]


def _reduced(rows: list[list[sympy.Float]]) -> FloatArray:
    """Return the reduced row echelon form, (rank, n), by full pivoting in many digits."""
    columns = len(rows[0]) if rows else 0
    done: list[int] = []
    free = set(range(columns))
    while len(done) < len(rows) and free:
        size, i, j = max(
            (float(abs(rows[i][j])), i, j)
            for i in range(len(rows))
            if i not in done
            for j in sorted(free)
        )
        if size < _RANK:
            break
        rows[i] = [entry / rows[i][j] for entry in rows[i]]
        for other in range(len(rows)):
            if other != i:
                factor = rows[other][j]
                rows[other] = [a - factor * b for a, b in zip(rows[other], rows[i], strict=True)]
        done.append(i)
        free.remove(j)
    return np.array([[float(entry) for entry in rows[i]] for i in done]).reshape(-1, columns)


def _read(
    reduced: FloatArray,
    observable: sympy.Expr,
    names: tuple[str, ...],
    place: Mapping[str, sympy.Float],
    candidates: Sequence[sympy.Expr],
) -> Identifiability:
    """Say which parameters and which combinations span the rows."""
    rank, units = len(reduced), np.eye(len(names))
    alone = [i for i in range(len(names)) if _rank(reduced, units[i]) == rank]
    told, combinations = units[alone], []
    for candidate in [*candidates, *_products(reduced, names)]:
        direction = _log_gradient(candidate, names, place)
        if _rank(reduced, direction) == rank and _rank(told, direction) > len(told):
            told = np.vstack((told, direction))
            combinations.append(candidate)
    known = tuple(names[i] for i in alone)
    return Identifiability(observable, names, rank, known, tuple(combinations), rank - len(told))


def _rank(rows: FloatArray, further: FloatArray) -> int:
    return int(np.linalg.matrix_rank(np.vstack((rows, further)), tol=_NEAR))


def _products(reduced: FloatArray, names: Sequence[str]) -> list[sympy.Expr]:
    """Return the rows as products of powers, where all exponents are simple numbers."""
    found = []
    for row in reduced:
        powers = [sympy.Rational(float(x)).limit_denominator(12) for x in row]
        if all(abs(float(q) - x) < _NEAR for q, x in zip(powers, row, strict=True)):
            symbols = [sympy.Symbol(name, positive=True) for name in names]
            found.append(sympy.Mul(*(s**q for s, q in zip(symbols, powers, strict=True))))
    return found


def _log_gradient(
    expression: sympy.Expr, names: Sequence[str], place: Mapping[str, sympy.Float]
) -> FloatArray:
    """Return the derivatives of ln(expression) in the logarithms of the parameters."""
    exact = {s: place.get(s.name, sympy.nan) for s in expression.free_symbols}
    value = expression.xreplace(exact)
    slopes = {
        s.name: float((s * sympy.diff(expression, s)).xreplace(exact) / value)
        for s in expression.free_symbols
    }
    gradient = np.array([slopes.get(name, 0.0) for name in names])
    return gradient if math.isfinite(float(np.sum(gradient))) else np.zeros(len(names))


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
