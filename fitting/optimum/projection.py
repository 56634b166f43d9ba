"""Variable projection: least squares with the linear parameters solved for.

At every value of the nonlinear parameters the linear ones are the least-squares ones (Golub and
Pereyra 1973, SIAM J. Numer. Anal. 10:413), and the slope of the residuals is that of the columns
without what the columns themselves can take up (Kaufman 1975, BIT 15:49).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, final

import numpy as np
from numpy.typing import NDArray

from theory.native import native

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

DEPENDENT = 1e-11
"""A column is dependent on earlier ones if less than this part of its length is its own."""


class Columns(Protocol):
    """What is fitted: linear parameters times columns; a `theory.form.Form` that has some."""

    @property
    def linear(self) -> tuple[str, ...]:
        """Names of the parameters that multiply columns."""

    @property
    def nonlinear(self) -> tuple[str, ...]:
        """Names of those that move the columns."""

    @property
    def moved(self) -> tuple[tuple[int, int], ...]:
        """Pairs (j, k): column j depends on nonlinear parameter k."""

    def design(self, t: FloatArray, nonlinear: FloatArray, /) -> FloatArray:
        """Return the columns (B, n, q)."""

    def tangents(self, t: FloatArray, nonlinear: FloatArray, /) -> FloatArray:
        """Return the columns, then their slopes as `moved` lists them, (q + m, B, n)."""


@final
@dataclass(frozen=True, eq=False)
class Held:
    """A linear parameter that is not solved for, in each of B rows.

    Attributes
    ----------
    column : ndarray of int, shape (B,)
        Which one, in the order of `Columns.linear`; -1 for none.
    value : ndarray, shape (B,)
    """

    column: IntArray
    value: FloatArray

    def at(self, index: IntArray) -> Held:
        """Keep the rows at `index`."""
        return Held(self.column[index], self.value[index])


@final
@dataclass(frozen=True, eq=False)
class Projection:
    """Least squares at B values of the nonlinear parameters.

    Attributes
    ----------
    square : ndarray, shape (B,)
        Residual sum of squares; infinite where a column is not finite.
    linear : ndarray, shape (B, q)
        The linear parameters; 0 where the columns do not fix one.
    descent : ndarray, shape (B, d)
        Minus half the gradient of `square` in the nonlinear parameters.
    curvature : ndarray, shape (B, d, d)
        Gauss and Newton's half Hessian.
    """

    square: FloatArray
    linear: FloatArray
    descent: FloatArray
    curvature: FloatArray

    def at(self, index: IntArray | NDArray[np.bool_]) -> Projection:
        """Keep the rows at `index`."""
        return Projection(
            self.square[index], self.linear[index], self.descent[index], self.curvature[index]
        )

    def put(self, index: IntArray, other: Projection) -> None:
        """Overwrite the rows at `index`."""
        self.square[index], self.linear[index] = other.square, other.linear
        self.descent[index], self.curvature[index] = other.descent, other.curvature


def project(
    form: Columns,
    t: FloatArray,
    y: FloatArray,
    weight: FloatArray,
    owner: IntArray,
    nonlinear: FloatArray,
    held: Held | None = None,
) -> Projection:
    """Solve for the linear parameters.

    Parameters
    ----------
    form
    t : ndarray, shape (n,)
    y, weight : ndarray, shape (C, n)
        Curves on the same t, and what their residuals are multiplied by.
    owner : ndarray, shape (B,)
        Which curve each row is about.
    nonlinear : ndarray, shape (B, d)
        In the order of `form.nonlinear`.
    held : Held, optional
        Linear parameters, one a row at most, that have a value already.
    """
    size, q, d = len(owner), len(form.linear), len(form.nonlinear)
    found = Projection(
        np.empty(size), np.empty((size, q)), np.empty((size, d)), np.empty((size, d, d))
    )
    parts = form.tangents(t, nonlinear)
    moved = np.array(form.moved, dtype=np.intp).reshape(-1, 2)
    if held is None:
        held = Held(np.full(size, -1), np.zeros(size))
    _solve(
        parts,
        moved,
        y,
        weight,
        owner,
        held.column,
        held.value,
        found.square,
        found.linear,
        found.descent,
        found.curvature,
    )
    return found


@native
def _solve(
    parts: FloatArray,
    moved: IntArray,
    y: FloatArray,
    weight: FloatArray,
    owner: IntArray,
    held: IntArray,
    value_held: FloatArray,
    square: FloatArray,
    linear: FloatArray,
    descent: FloatArray,
    curvature: FloatArray,
) -> None:
    """Gram and Schmidt, twice, on the columns; then on their derivatives.

    A held column moves to the other side, leaves no direction behind, and has its coefficient.
    """
    size, q = linear.shape
    d = descent.shape[1]
    n = y.shape[1]
    basis, slope = np.empty((q, n)), np.empty((d, n))
    triangle, along, rest = np.zeros((q, q)), np.empty(q), np.empty(n)
    for b in range(size):
        c = owner[b]
        for i in range(n):
            rest[i] = weight[c, i] * y[c, i]
        if held[b] >= 0:
            for i in range(n):
                rest[i] -= weight[c, i] * value_held[b] * parts[held[b], b, i]
        for j in range(q):
            if j == held[b]:
                basis[j] = 0.0
                triangle[:, j] = 0.0
                triangle[j, j] = 1.0
                along[j] = value_held[b]
                continue
            whole = 0.0
            for i in range(n):
                basis[j, i] = weight[c, i] * parts[j, b, i]
                whole += basis[j, i] ** 2
            for k in range(j):
                triangle[k, j] = 0.0
            for _ in range(2):
                for k in range(j):
                    common = 0.0
                    for i in range(n):
                        common += basis[k, i] * basis[j, i]
                    triangle[k, j] += common
                    for i in range(n):
                        basis[j, i] -= common * basis[k, i]
            own = 0.0
            for i in range(n):
                own += basis[j, i] ** 2
            length = math.sqrt(own)
            useful = length > DEPENDENT * math.sqrt(whole)
            triangle[j, j] = length if useful else 1.0
            factor = 1.0 / length if useful else 0.0
            along[j] = 0.0
            for i in range(n):
                basis[j, i] *= factor
                along[j] += basis[j, i] * rest[i]
            for i in range(n):
                rest[i] -= along[j] * basis[j, i]
        for j in range(q - 1, -1, -1):
            value = along[j]
            for k in range(j + 1, q):
                value -= triangle[j, k] * linear[b, k]
            linear[b, j] = value / triangle[j, j]
        total = 0.0
        for i in range(n):
            total += rest[i] ** 2
        square[b] = total if math.isfinite(total) else math.inf
        slope[:] = 0.0
        for m in range(len(moved)):
            j, k = moved[m]
            for i in range(n):
                slope[k, i] += linear[b, j] * weight[c, i] * parts[q + m, b, i]
        for k in range(d):
            finite = True
            for j in range(q):
                common = 0.0
                for i in range(n):
                    common += basis[j, i] * slope[k, i]
                finite = finite and math.isfinite(common)
                for i in range(n):
                    slope[k, i] -= common * basis[j, i]
            if not finite:
                slope[k] = 0.0
        for k in range(d):
            value = 0.0
            for i in range(n):
                value += slope[k, i] * rest[i]
            descent[b, k] = value
            for j in range(k + 1):
                value = 0.0
                for i in range(n):
                    value += slope[k, i] * slope[j, i]
                curvature[b, k, j] = value
                curvature[b, j, k] = value
