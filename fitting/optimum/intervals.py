"""Profile-likelihood intervals of point fits: for every parameter what 95 % of likelihood allow.

A side on which the likelihood stays above the limit up to the end of the parameter's range has no
limit, and says so.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from fitting.optimum.coordinates import Coordinates, coordinates
from fitting.optimum.least_squares_fit import alike, is_least_squares, least_squares_fits
from fitting.optimum.least_squares_profile import least_squares_crossings, sd_interval
from fitting.optimum.likelihood_profile import likelihood_crossings
from fitting.optimum.maximum import maximum
from fitting.optimum.profile import LIKELIER, Crossings
from fitting.optimum.sides import Places
from theory.noise import NoiseKind

if TYPE_CHECKING:
    from fitting.fit import PointFit

FloatArray = NDArray[np.float64]

_RESTARTS = 3
_WORDS = ("lower", "upper")
_MEMORIES = (NoiseKind.TIME, NoiseKind.COUNT)
_TOO_NARROW = (
    "Profile intervals are too narrow where the noise remembers and the curve is short: the fit "
    "takes part of the wander into the form."
)


@final
@dataclass(frozen=True, eq=False)
class Intervals:
    """The interval of every parameter of a fit.

    Attributes
    ----------
    lower, upper : ndarray, shape (p,)
        Ends of the 95 % profile-likelihood intervals; nan where there is no limit.
    doubts : tuple of str
        What is to be said about them, as sentences: the sides without a limit, that a likelier
        optimum was met, and that correlated noise makes them too narrow.
    fit : PointFit
        The optimum they are about: the fit that was asked about, or a likelier one that the
        profiles led to.
    """

    lower: FloatArray
    upper: FloatArray
    doubts: tuple[str, ...]
    fit: PointFit

    def __post_init__(self) -> None:
        for end in (self.lower, self.upper):
            end.setflags(write=False)


def intervals(fits: Sequence[PointFit]) -> list[Intervals]:
    """Compute the profile-likelihood intervals of fits; alike ones go together.

    Where a profile leads to a place likelier than the optimum, that is fitted anew from there, and
    the intervals are about the new optimum.

    Returns
    -------
    list of Intervals
        In order. A fit that failed has none, and its own status says why.
    """
    groups: dict[Hashable, list[int]] = {}
    for i, fit in enumerate(fits):
        groups.setdefault(alike(fit.hypothesis, fit.curve) or ("alone", i), []).append(i)
    found: dict[int, Intervals] = {}
    for members in groups.values():
        able = [i for i in members if np.all(np.isfinite(fits[i].theta))]
        for i in set(members) - set(able):
            nothing = np.full(len(fits[i].names), np.nan)
            found[i] = Intervals(nothing, nothing, (), fits[i])
        if able:
            found |= zip(able, _together([fits[i] for i in able]), strict=True)
    return [found[i] for i in range(len(fits))]


def _together(fits: Sequence[PointFit]) -> list[Intervals]:
    """Intervals of one fit, or of several that are alike."""
    done: list[Intervals | None] = [None] * len(fits)
    now = list(fits)
    for attempt in range(_RESTARTS + 1):
        left = [i for i, one in enumerate(done) if one is None]
        if not left:
            break
        for i, ends in zip(left, _ends([now[i] for i in left]), strict=True):
            better = None
            if ends.likelier is not None and attempt < _RESTARTS:
                better = _refitted(now[i], ends.likelier)
            if better is None:
                done[i] = _said(fits[i], now[i], ends)
            else:
                now[i] = better
    return [one for one in done if one is not None]


@final
@dataclass(frozen=True, eq=False)
class _Ends:
    """Lower and upper ends of one fit's parameters, (2, p), and what was met on the way.

    `open` says where the range ends before the limit; `likelier` are searched coordinates likelier
    than the optimum's, in natural units.
    """

    values: FloatArray
    open: NDArray[np.bool_]
    likelier: FloatArray | None


def _ends(fits: Sequence[PointFit]) -> list[_Ends]:
    """Follow the profiles of fits that are alike."""
    hypothesis, curve = fits[0].hypothesis, fits[0].curve
    squares = is_least_squares(hypothesis, curve)
    places, crossed = least_squares_crossings(fits) if squares else likelihood_crossings(fits[0])
    names = hypothesis.form.nonlinear if squares else _searched(fits[0])
    found = []
    for c, fit in enumerate(fits):
        space = coordinates(fit.hypothesis, fit.curve, names)
        ends = _of_fit(fit, places, crossed, np.flatnonzero(places.fit == c), space)
        if squares and fit.hypothesis.noise.names:
            ends.values[:, -1] = sd_interval(fit)
            ends.open[:, -1] = np.isnan(ends.values[:, -1])
        found.append(ends)
    return found


def _of_fit(
    fit: PointFit, places: Places, crossed: Crossings, rows: NDArray[np.intp], space: Coordinates
) -> _Ends:
    """Take the ends of one fit from its rows, in natural units."""
    values = np.full((2, len(fit.names)), np.nan)
    unlimited = np.zeros(values.shape, dtype=bool)
    for row in rows:
        name, value, side = places.names[row], crossed.value[row], int(places.way[row] > 0)
        if name in space.names:
            x = np.zeros((1, len(space.names)))
            x[0, space.names.index(name)] = value
            value = space.natural(x)[0, space.names.index(name)]
        values[side, fit.names.index(name)] = value
        unlimited[side, fit.names.index(name)] = crossed.open[row]
    likelier = None
    if rows.size and crossed.least[rows].min() < -2 * LIKELIER:
        lowest = rows[crossed.least[rows].argmin()]
        likelier = space.natural(crossed.least_x[lowest][None])[0]
    return _Ends(values, unlimited, likelier)


def _searched(fit: PointFit) -> tuple[str, ...]:
    """Names of the parameters that are searched where the fit is no least squares."""
    form, noise = fit.hypothesis.form, fit.hypothesis.noise
    inner = form.nonlinear if noise.gaussian else (*form.linear, *form.nonlinear)
    return (*inner, *noise.names)


def _refitted(fit: PointFit, likelier: FloatArray) -> PointFit | None:
    """Fit once more from a likelier place; None if that comes out no likelier."""
    hypothesis, curve = fit.hypothesis, fit.curve
    if is_least_squares(hypothesis, curve):
        found = least_squares_fits((hypothesis,), (curve,), likelier[None, None])[0]
    else:
        theta = fit.theta.copy()
        theta[[fit.names.index(name) for name in _searched(fit)]] = likelier
        found = maximum(hypothesis, curve, theta[None])
    return found if found.log_likelihood > fit.log_likelihood + 0.5 * LIKELIER else None


def _said(asked: PointFit, fit: PointFit, ends: _Ends) -> Intervals:
    doubts = []
    gain = fit.log_likelihood - asked.log_likelihood
    if fit is not asked:
        doubts.append(
            f"The search for limits met parameters {gain:.2g} nats likelier than the point fit; "
            "the limits are about those."
        )
    for i, name in enumerate(fit.names):
        unlimited = [word for word, side in zip(_WORDS, ends.open[:, i], strict=True) if side]
        if unlimited:
            doubts.append(f"The data set no {' and no '.join(unlimited)} limit to {name}.")
        lost = np.isnan(ends.values[:, i]) & ~ends.open[:, i]
        doubts += [
            f"The {word} limit to {name} was not found."
            for word, side in zip(_WORDS, lost, strict=True)
            if side
        ]
    if any(parameter.kind in _MEMORIES for parameter in fit.hypothesis.noise.parameters):
        doubts.append(_TOO_NARROW)
    lower, upper = ends.values.copy()
    return Intervals(lower, upper, tuple(doubts), fit)
