"""The negative log likelihood of a hypothesis as a function of few, well-scaled coordinates.

Under Gaussian noise the linear parameters are eliminated: for every value of the others they are
solved for exactly (variable projection, Golub and Pereyra 1973), on whitened columns. What remains
is searched in coordinates in which a likelihood is closest to a parabola: logarithms of positive
numbers, log odds of shares, places in units of the last time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from theory.curve import Curve
from theory.hypothesis import Hypothesis
from theory.parameter import Kind

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
    names
        Searched parameters, in coordinate order: d of them.
    lower, upper
        Shape (d,): the support of the priors, in coordinates.
    """

    hypothesis: Hypothesis
    curve: Curve
    names: tuple[str, ...]
    lower: FloatArray
    upper: FloatArray
    _logarithmic: NDArray[np.bool_]
    _odds: NDArray[np.bool_]
    _unit: FloatArray

    def natural(self, x: FloatArray) -> FloatArray:
        """Parameter values (B, d) at coordinates (B, d); ordered places come out ordered."""
        x = np.clip(x, self.lower, self.upper)
        values = x * self._unit
        values[:, self._logarithmic] = np.exp(x[:, self._logarithmic])
        values[:, self._odds] = 1.0 / (1.0 + np.exp(-x[:, self._odds]))
        for group in self.hypothesis.form.ordered:
            columns = [self.names.index(name) for name in group if name in self.names]
            values[:, columns] = np.sort(values[:, columns], axis=1)
        return values

    def coordinates(self, values: FloatArray) -> FloatArray:
        """Coordinates (B, d) of parameter values (B, d), put inside the bounds."""
        x = values / self._unit
        tiny = np.finfo(np.float64).tiny
        x[:, self._logarithmic] = np.log(np.maximum(values[:, self._logarithmic], tiny))
        share = np.clip(values[:, self._odds], 1e-12, 1.0 - 1e-12)
        x[:, self._odds] = np.log(share) - np.log1p(-share)
        return np.clip(x, self.lower, self.upper)

    def __call__(self, x: FloatArray) -> FloatArray:
        """Negative log likelihood (B,) at coordinates (B, d)."""
        return self.evaluate(x)[0]

    def evaluate(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Negative log likelihood (B,) and all parameters (B, p), form first, then noise."""
        size = max(8, _CHUNK // self.curve.n_obs)
        parts = [self._evaluate(x[i : i + size]) for i in range(0, len(x), size)]
        if len(parts) == 1:
            return parts[0]
        return np.concatenate([c for c, _ in parts]), np.concatenate([t for _, t in parts])

    def _evaluate(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        values = self.natural(x)
        m = len(self.hypothesis.noise.names)
        inner, psi = values[:, : values.shape[1] - m], values[:, values.shape[1] - m :]
        with np.errstate(all="ignore"):
            if self.hypothesis.noise.gaussian:
                cost, theta = self._projected(inner, psi)
            else:
                cost, theta = self._direct(inner, psi)
        cost = np.where(np.isfinite(cost), cost, _IMPOSSIBLE)
        return cost, np.concatenate((theta, psi), axis=1)

    def _projected(self, inner: FloatArray, psi: FloatArray) -> tuple[FloatArray, FloatArray]:
        form, curve = self.hypothesis.form, self.curve
        design = np.asarray(form.design(curve.t, inner))
        columns = np.empty((len(inner), 1 + len(form.linear), curve.n_obs))
        columns[:, 0], columns[:, 1:] = curve.y, design.swapaxes(1, 2)
        white, half_log_det = self.hypothesis.noise.whiten(columns, curve, psi)
        square, linear = project(white[:, 0], white[:, 1:])
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
    kinds = {parameter.name: parameter.kind for parameter in form.parameters}
    spread = float(np.ptp(curve.y)) or 1.0
    units = {Kind.FLOOR: spread, Kind.GAIN: spread, Kind.MIDPOINT: curve.t[-1] or 1.0}
    units[Kind.SLOPE] = spread / units[Kind.MIDPOINT]
    positive = (Kind.TIMESCALE, Kind.RATE, Kind.EXPONENT)
    names = (*inner, *noise.names)
    logarithmic = np.array([n in noise.names or kinds[n] in positive for n in names], dtype=bool)
    odds = np.array([n not in noise.names and kinds[n] is Kind.SHARE for n in names], dtype=bool)
    unit = np.array([1.0 if n in noise.names else units.get(kinds[n], 1.0) for n in names])
    free = np.full(len(names), np.inf)
    built = Objective(hypothesis, curve, names, -free, free, logarithmic, odds, unit)
    support = np.array([_support(hypothesis, name, form.linear) for name in names])
    lower, upper = support.reshape(-1, 2).T
    ends = [built.coordinates(end[None, :].copy())[0] for end in (lower, upper)]
    return Objective(hypothesis, curve, names, ends[0], ends[1], logarithmic, odds, unit)


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


def _support(hypothesis: Hypothesis, name: str, linear: tuple[str, ...]) -> tuple[float, float]:
    """Return the ends of a prior's support; floor, gain and slope are free."""
    if name in linear:
        return -np.inf, np.inf
    prior = hypothesis.priors[name]
    return float(prior.ppf(0.0)), float(prior.ppf(1.0))
