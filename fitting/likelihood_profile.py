"""Profiles of a likelihood that is no least squares: correlated noise, counts, heavy tails.

At every held value the other parameters are found by Newton's method from where they were at the
last one; under Gaussian noise the linear parameters that are not held are solved for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.fit import PointFit
from fitting.objective import Objective, objective
from fitting.optimum import newton_step
from fitting.profile import Crossings, crossings
from fitting.projection import Held, IntArray
from fitting.sides import Places, sides_of

FloatArray = NDArray[np.float64]

_ITERATIONS = 25
_WIDTH = 1e-3


def likelihood_crossings(fit: PointFit) -> tuple[Places, Crossings]:
    """Cross the limit for every parameter of a fit, the noise's too.

    Returns
    -------
    Places
        Which parameter and side each row is about.
    Crossings
        In the coordinates of `fitting.coordinates`; of eliminated parameters in natural units.
    """
    cost = objective(fit.hypothesis, fit.curve)
    names = cost.space.names
    linear = [name for name in fit.names if name not in names]
    places, sides = sides_of([fit], fit.names, [cost.space])
    profile = _Profile(
        cost,
        np.array([linear.index(n) if n in linear else -1 for n in places.names]),
        np.array([names.index(n) if n in names else -1 for n in places.names]),
        float(cost(sides.x[:1])[0]),
    )
    return places, crossings(profile, sides)


@final
@dataclass(frozen=True, eq=False)
class _Profile:
    """The deviance of B rows, each with one eliminated or one searched parameter held."""

    cost: Objective
    linear: IntArray
    searched: IntArray
    least: float

    def __call__(
        self, rows: IntArray, value: FloatArray, x: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        deviance, found = np.empty(len(rows)), x.copy()
        for inner in (False, True):
            (part,) = np.nonzero((self.searched[rows] >= 0) == inner)
            if part.size:
                moved = self._minimized(rows[part], value[part], x[part])
                deviance[part], found[part] = moved
        return 2 * (deviance - self.least), found

    def _minimized(
        self, rows: IntArray, value: FloatArray, x: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Least cost (b,) of rows that all hold one searched coordinate, or all hold none."""
        space, d = self.cost.space, x.shape[1]
        still = self.searched[rows][:, None] == np.arange(d)
        x = space.inside(np.where(still, value[:, None], x), still)
        free = np.nonzero(~still)[1].reshape(len(rows), -1)
        held = Held(self.linear[rows], value)
        lower, upper = space.lower[free], space.upper[free]

        def whole(inner: FloatArray, owner: IntArray) -> FloatArray:
            full = x[owner]
            np.put_along_axis(full, free[owner], inner, axis=1)
            return space.inside(full, still[owner])

        inner = np.take_along_axis(x, free, axis=1)
        own = np.arange(len(rows))
        least = self.cost.evaluate(whole(inner, own), held)[0]
        width = np.full(inner.shape, _WIDTH)
        active = own if inner.shape[1] else own[:0]
        for _ in range(_ITERATIONS):
            if not active.size:
                break
            some = active

            def part(points: FloatArray, some: IntArray = some) -> FloatArray:
                owner = np.repeat(some, len(points) // len(some))
                return self.cost.evaluate(whole(points, owner), held.at(owner))[0]

            moved = newton_step(
                part, inner[some], least[some], width[some], lower[some], upper[some]
            )
            inner[some], least[some], width[some], done = moved
            active = some[~done]
        return least, whole(inner, own)
