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
from fitting.optimum.newton import newton_step
from fitting.optimum.objective import Objective, objective
from fitting.optimum.profile import Crossings, crossings
from fitting.optimum.projection import Held, IntArray
from fitting.optimum.sides import Places, sides_of

FloatArray = NDArray[np.float64]

_ITERATIONS = 20
_ENOUGH = 1e-5  # nats
_STRETCHES = (3.0, 10.0)
_WIDTH = 1e-3


def likelihood_crossings(fit: PointFit) -> tuple[Places, Crossings]:
    """Cross the limit for every parameter of a fit, the noise's too.

    Returns
    -------
    Places
        Which parameter and side each row is about.
    Crossings
        In the coordinates of `fitting.optimum.coordinates`; of eliminated parameters in natural
        units.
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
        space = self.cost.space
        still = self.searched[rows][:, None] == np.arange(x.shape[1])
        held = Held(self.linear[rows], value)
        place = np.where(still, value[:, None], x)

        def cost(points: FloatArray, owner: IntArray) -> FloatArray:
            fixed = still[owner]
            points = space.inside(np.where(fixed, place[owner], points), fixed)
            return self.cost.evaluate(points, held.at(owner))[0]

        active = np.arange(len(rows))
        x = space.inside(place, still)
        least, width = cost(x, active), np.full(x.shape, _WIDTH)
        for _ in range(_ITERATIONS if x.shape[1] else 0):
            if not active.size:
                break
            some = active

            def part(points: FloatArray, some: IntArray = some) -> FloatArray:
                return cost(points, np.repeat(some, len(points) // len(some)))

            here = x[some], least[some], width[some]
            ends = space.lower, space.upper
            moved = newton_step(part, *here, *ends, enough=_ENOUGH, stretches=_STRETCHES)
            x[some], least[some], width[some], done = moved
            active = some[~done]
        x = space.inside(np.where(still, place, x), still)
        return 2 * (least - self.least), x
