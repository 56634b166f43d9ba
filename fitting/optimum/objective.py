"""The negative log likelihood of a hypothesis as a function of few, well-scaled coordinates.

Under Gaussian noise the linear parameters are eliminated: for every value of the others they are
solved for exactly (variable projection, Golub and Pereyra 1973), on whitened columns. What remains
is searched in the coordinates of `fitting.optimum.coordinates`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.optimum.coordinates import Coordinates, coordinates
from fitting.optimum.projection import Held
from theory.curve import Curve
from theory.hypothesis import Hypothesis

FloatArray = NDArray[np.float64]

LOG_2PI = float(np.log(2.0 * np.pi))

# Points times draws at once: arrays of this size stay in the processor's cache.
_CHUNK = 50_000
# Stands for "impossible": finite, so that differences of it stay finite.
_IMPOSSIBLE = 1e12


@final
@dataclass(frozen=True, eq=False)
class Objective:
    """Negative log likelihood of one hypothesis on one curve, batched.

    Attributes
    ----------
    hypothesis, curve
        What is fitted to what.
    space
        Coordinates of the searched parameters, d of them.
    """

    hypothesis: Hypothesis
    curve: Curve
    space: Coordinates

    def natural(self, x: FloatArray) -> FloatArray:
        """Parameter values (B, d) at coordinates (B, d); ordered places come out ordered."""
        return self.space.sorted(self.space.natural(x))

    def __call__(self, x: FloatArray) -> FloatArray:
        """Negative log likelihood (B,) at coordinates (B, d)."""
        return self.evaluate(x)[0]

    def evaluate(self, x: FloatArray, held: Held | None = None) -> tuple[FloatArray, FloatArray]:
        """Negative log likelihood (B,) and all parameters (B, p), form first, then noise.

        Eliminated are all linear parameters but those that are `held`.
        """
        size = max(8, _CHUNK // self.curve.n_obs)
        held = Held(np.full(len(x), -1), np.zeros(len(x))) if held is None else held
        chunks = [np.arange(i, min(i + size, len(x))) for i in range(0, len(x), size)]
        parts = [self._evaluate(x[chunk], held.at(chunk)) for chunk in chunks]
        if len(parts) == 1:
            return parts[0]
        return np.concatenate([c for c, _ in parts]), np.concatenate([t for _, t in parts])

    def _evaluate(self, x: FloatArray, held: Held) -> tuple[FloatArray, FloatArray]:
        values = self.natural(x)
        m = len(self.hypothesis.noise.names)
        inner, psi = values[:, : values.shape[1] - m], values[:, values.shape[1] - m :]
        with np.errstate(all="ignore"):
            if self.hypothesis.noise.gaussian:
                cost, theta = self._projected(inner, psi, held)
            else:
                cost, theta = self._direct(inner, psi)
        cost = np.where(np.isfinite(cost), cost, _IMPOSSIBLE)
        return cost, np.concatenate((theta, psi), axis=1)

    def _projected(
        self, inner: FloatArray, psi: FloatArray, held: Held
    ) -> tuple[FloatArray, FloatArray]:
        form, curve = self.hypothesis.form, self.curve
        design = np.asarray(form.design(curve.t, inner))
        columns = np.empty((len(inner), 1 + len(form.linear), curve.n_obs))
        columns[:, 0], columns[:, 1:] = curve.y, design.swapaxes(1, 2)
        (rows,) = np.nonzero(held.column >= 0)
        column, value = held.column[rows], held.value[rows]
        # A column of nothing takes up nothing.
        columns[rows, 0] = curve.y - value[:, None] * columns[rows, 1 + column]
        columns[rows, 1 + column] = 0.0
        white, half_log_det = self.hypothesis.noise.whiten(columns, curve, psi)
        square, linear = project(white[:, 0], white[:, 1:])
        linear[rows, column] = value
        cost = 0.5 * (square + curve.n_obs * LOG_2PI) + half_log_det
        theta = np.empty((inner.shape[0], len(form.names)))
        theta[:, [form.names.index(name) for name in form.linear]] = linear
        theta[:, [form.names.index(name) for name in form.nonlinear]] = inner
        return cost, theta

    def _direct(self, inner: FloatArray, psi: FloatArray) -> tuple[FloatArray, FloatArray]:
        form = self.hypothesis.form
        order = (*form.linear, *form.nonlinear)
        theta = inner[:, [order.index(name) for name in form.names]]
        y_hat = np.asarray(form(self.curve.t, theta))
        return -self.hypothesis.noise.log_likelihood(y_hat, self.curve, psi), theta


def objective(hypothesis: Hypothesis, curve: Curve) -> Objective:
    """Build the objective of a hypothesis on a curve."""
    form, noise = hypothesis.form, hypothesis.noise
    inner = form.nonlinear if noise.gaussian else (*form.linear, *form.nonlinear)
    names = (*inner, *noise.names)
    return Objective(hypothesis, curve, coordinates(hypothesis, curve, names))


def project(y: FloatArray, design: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Least squares of whitened y (B, n) on whitened columns (B, q, n), q small.

    Gram-Schmidt twice, column by column; a column that is a combination of the earlier ones to
    rounding gets coefficient 0.

    Returns
    -------
    square : ndarray, shape (B,)
        Residual sum of squares.
    coefficients : ndarray, shape (B, q)
    """
    batch, q, _ = design.shape
    triangle = np.zeros((batch, q, q))
    along = np.zeros((batch, q))
    basis: list[FloatArray] = []
    rest = y
    for j in range(q):
        column = design[:, j]
        length = np.sqrt(np.einsum("bn,bn->b", column, column))
        for _ in range(2):
            for i in range(j):
                part = np.einsum("bn,bn->b", basis[i], column)
                triangle[:, i, j] += part
                column = column - part[:, None] * basis[i]
        left = np.sqrt(np.einsum("bn,bn->b", column, column))
        useful = left > 1e-11 * length
        triangle[:, j, j] = np.where(useful, left, 1.0)
        direction = np.where(useful, 1.0 / triangle[:, j, j], 0.0)[:, None] * column
        basis.append(direction)
        along[:, j] = np.einsum("bn,bn->b", direction, rest)
        rest = rest - along[:, j, None] * direction
    coefficients = np.zeros((batch, q))
    for j in reversed(range(q)):
        later = np.einsum("bi,bi->b", triangle[:, j, j + 1 :], coefficients[:, j + 1 :])
        coefficients[:, j] = (along[:, j] - later) / triangle[:, j, j]
    return np.einsum("bn,bn->b", rest, rest), coefficients
