"""Profiles of least-squares fits: the held parameter aside, variable projection as in the fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.special import lambertw

from fitting.fit import PointFit
from fitting.optimum.coordinates import Coordinates, coordinates
from fitting.optimum.descent import descend_in_chunks
from fitting.optimum.profile import LIMIT, Crossings, crossings
from fitting.optimum.projection import Held, IntArray, Projection, project
from fitting.optimum.sides import Places, sides_of
from theory.form import Form
from theory.parameter import Kind

FloatArray = NDArray[np.float64]

_ROUNDS = 60
_ENOUGH = 1e-10  # of the sum of squares: n times that in the deviance


def least_squares_crossings(fits: Sequence[PointFit]) -> tuple[Places, Crossings]:
    """Cross the limit for every parameter of the form of fits of one form on the same t.

    Returns
    -------
    Places
        Which fit, parameter and side each row is about.
    Crossings
        In the coordinates of `fitting.optimum.coordinates`; of linear parameters in natural units.
    """
    first, t = fits[0].hypothesis, fits[0].curve.t
    form = first.form
    y = np.stack([fit.curve.y for fit in fits])
    errors = [fit.curve.y_se for fit in fits if fit.curve.y_se is not None]
    weight = np.stack([1.0 / se for se in errors]) if errors else np.ones_like(y)
    space = coordinates(first, fits[0].curve, form.nonlinear)
    places, sides = sides_of(fits, form.names, [space] * len(fits))
    theta = np.stack([fit.theta[: len(form.names)] for fit in fits])
    with np.errstate(all="ignore"):
        rest = (y - np.asarray(form(t, theta))) * weight
    floors = {p.name for p in form.parameters if p.kind is Kind.FLOOR and p.name in form.linear}
    shift = y.mean(axis=1) if floors else np.zeros(len(y))
    profile = _Profile(
        form,
        t,
        y - shift[:, None],
        weight,
        space,
        places.fit,
        np.array([form.linear.index(n) if n in form.linear else -1 for n in places.names]),
        np.array([form.nonlinear.index(n) if n in form.nonlinear else -1 for n in places.names]),
        np.array([name in floors for name in places.names]) * shift[places.fit],
        np.square(rest).sum(axis=1),
        None if errors else np.array([sd_range(fit) for fit in fits]),
    )
    return places, crossings(profile, sides)


@final
@dataclass(frozen=True, eq=False)
class _Profile:
    """The deviance of B rows, each with a linear parameter held or a nonlinear one, the other -1.

    The curves are `y` and a floor of theirs `shift` (B,) lower than they were; `square` (C,) is
    the least sum of squares, `ends` (C, 2) are those of the sd if it is free.
    """

    form: Form
    t: FloatArray
    y: FloatArray
    weight: FloatArray
    space: Coordinates
    curve: IntArray
    linear: IntArray
    nonlinear: IntArray
    shift: FloatArray
    square: FloatArray
    ends: FloatArray | None

    def __call__(
        self, rows: IntArray, value: FloatArray, x: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        held = Held(self.linear[rows], value - self.shift[rows])
        curve, column = self.curve[rows], self.nonlinear[rows]
        still = column[:, None] == np.arange(x.shape[1])
        x = np.where(still, value[:, None], x)

        def evaluate(places: FloatArray, owner: IntArray) -> Projection:
            values = self.space.natural(places)
            return project(
                self.form, self.t, self.y, self.weight, curve[owner], values, held.at(owner)
            )

        own = np.arange(len(rows))
        with np.errstate(all="ignore"):
            if x.shape[1] == 0:
                found = evaluate(x, own)
            else:
                x, found, _ = descend_in_chunks(
                    evaluate, self.space, x, own, still, rounds=_ROUNDS, enough=_ENOUGH
                )
        return self._cost(found.square, curve) - self._cost(self.square[curve], curve), x

    def _cost(self, square: FloatArray, curve: IntArray) -> FloatArray:
        """Twice the negative log likelihood of sums of squares, sd at its best, but a constant."""
        if self.ends is None:
            return square
        n = self.y.shape[1]
        low, high = self.ends[curve].T
        sd = np.clip(np.sqrt(square / n), low, high)
        return np.asarray(2 * n * np.log(sd) + square / sd**2)


def sd_range(fit: PointFit) -> tuple[float, float]:
    """Return the ends of the prior range of the noise's only parameter."""
    prior = fit.hypothesis.priors[fit.hypothesis.noise.names[0]]
    return float(prior.ppf(0.0)), float(prior.ppf(1.0))


def sd_interval(fit: PointFit) -> tuple[float, float]:
    """Interval of the white noise's sd, nan where it leaves the prior's range.

    With w = sum of squares / (n sd^2) the deviance is n (w - ln w) but a constant, which is solved
    by Lambert's W.
    """
    low, high = sd_range(fit)
    n, sd = fit.n_obs, float(fit.theta[-1])
    form, p = fit.hypothesis.form, len(fit.hypothesis.form.names)
    square = float(np.square(fit.curve.y - np.asarray(form(fit.curve.t, fit.theta[:p]))).sum())
    w = max(square / (n * sd**2), 1e-290)
    level = -np.exp(-(w - np.log(w) + LIMIT / n))
    w_low, w_high = -lambertw(level, 0).real, -lambertw(level, -1).real
    lower, upper = sd * np.sqrt(w / w_high), sd * np.sqrt(w / w_low)
    return lower if lower > low else np.nan, upper if upper < high else np.nan
