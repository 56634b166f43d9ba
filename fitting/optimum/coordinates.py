"""The coordinates of a search, in which a likelihood is closest to a parabola.

Logarithms of positive numbers, log odds of shares, other places in units of the last time.
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


@final
@dataclass(frozen=True, eq=False)
class Coordinates:
    """Some parameters of a hypothesis, made searchable.

    Attributes
    ----------
    names
        The parameters, d of them.
    lower, upper
        Shape (d,): the support of the priors, in coordinates.
    ordered
        Columns of places that increase, group by group.
    """

    names: tuple[str, ...]
    lower: FloatArray
    upper: FloatArray
    ordered: tuple[tuple[int, ...], ...]
    _logarithmic: NDArray[np.bool_]
    _odds: NDArray[np.bool_]
    _unit: FloatArray

    def natural(self, x: FloatArray) -> FloatArray:
        """Parameter values (B, d) at coordinates (B, d), put inside the bounds."""
        x = np.clip(x, self.lower, self.upper)
        values = x * self._unit
        values[:, self._logarithmic] = np.exp(x[:, self._logarithmic])
        values[:, self._odds] = 1.0 / (1.0 + np.exp(-x[:, self._odds]))
        return values

    def of(self, values: FloatArray) -> FloatArray:
        """Coordinates (B, d) of parameter values (B, d), put inside the bounds."""
        x = values / self._unit
        tiny = np.finfo(np.float64).tiny
        x[:, self._logarithmic] = np.log(np.maximum(values[:, self._logarithmic], tiny))
        share = np.clip(values[:, self._odds], 1e-12, 1.0 - 1e-12)
        x[:, self._odds] = np.log(share) - np.log1p(-share)
        return np.clip(x, self.lower, self.upper)

    def slopes(self, values: FloatArray) -> FloatArray:
        """Differentiate parameter values (B, d) by their coordinates: shape (B, d)."""
        slopes = np.broadcast_to(self._unit, values.shape).copy()
        slopes[:, self._logarithmic] = values[:, self._logarithmic]
        share = values[:, self._odds]
        slopes[:, self._odds] = share * (1.0 - share)
        return slopes

    def sorted(self, values: FloatArray) -> FloatArray:
        """Parameter values (B, d) with the places of every ordered group sorted."""
        for columns in self.ordered:
            values[:, columns] = np.sort(values[:, columns], axis=1)
        return values

    def inside(self, x: FloatArray, still: NDArray[np.bool_]) -> FloatArray:
        """Move coordinates (B, d) to the nearest bound, and no place before the one it follows.

        Places that are `still` (B, d) stay: those before them stop there.
        """
        x = np.clip(x, self.lower, self.upper)
        for columns in self.ordered:
            ahead = np.where(still[:, columns], x[:, columns], np.inf)[:, ::-1]
            x[:, columns] = np.minimum(x[:, columns], np.minimum.accumulate(ahead, axis=1)[:, ::-1])
            x[:, columns] = np.maximum.accumulate(x[:, columns], axis=1)
        return x


def coordinates(hypothesis: Hypothesis, curve: Curve, names: tuple[str, ...]) -> Coordinates:
    """Make coordinates of some parameters of a hypothesis, in the units of a curve."""
    form, noise = hypothesis.form, hypothesis.noise
    kinds = {parameter.name: parameter.kind for parameter in form.parameters}
    scales = {p.name for p in form.parameters if p.lower >= 0 and p.kind is not Kind.SHARE}
    spread, last = float(np.ptp(curve.y)) or 1.0, float(curve.t[-1]) or 1.0
    units = {
        Kind.FLOOR: spread,
        Kind.GAIN: spread,
        Kind.MIDPOINT: last,
        Kind.SLOPE: spread / last,
    }
    positive = [n in noise.names or n in scales for n in names]
    odds = [n not in noise.names and kinds[n] is Kind.SHARE for n in names]
    unit = np.array([1.0 if n in noise.names else units.get(kinds[n], 1.0) for n in names])
    places = (tuple(names.index(n) for n in group if n in names) for group in form.ordered)
    ordered = tuple(columns for columns in places if len(columns) > 1)
    free = np.full(len(names), np.inf)
    types = np.array(positive, dtype=bool), np.array(odds, dtype=bool), unit
    endless = Coordinates(names, -free, free, ordered, *types)
    support = np.array([_support(hypothesis, name) for name in names]).reshape(-1, 2)
    lower, upper = (endless.of(end[None, :].copy())[0] for end in support.T)
    return Coordinates(names, lower, upper, ordered, *types)


def _support(hypothesis: Hypothesis, name: str) -> tuple[float, float]:
    """Return the ends of a prior's support; floor, gain and slope are free."""
    if name in hypothesis.form.linear:
        return -np.inf, np.inf
    prior = hypothesis.priors[name]
    return float(prior.ppf(0.0)), float(prior.ppf(1.0))
