"""Which known form a found one is: the same curves, a special case, or one that coincides here.

A registered form is fitted to the found curve, without noise, on the data and a fifth beyond. Where
it draws the same curve, so it should at other constants too, or it only happens to here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.optimum.coordinates import coordinates
from fitting.optimum.least_squares import Optimum, best
from fitting.search.equality import proved_equal
from theory.curve import Curve
from theory.form import Form
from theory.forms import FORMS
from theory.hypothesis import default_hypothesis
from theory.noise import NOISES
from theory.parameter import Kind
from theory.way_back import mechanisms_that_imply

FloatArray = NDArray[np.float64]

EQUAL = 1e-6
"""Largest difference, as a share of the range, at which two curves are equal."""

BEYOND = 1.2
POINTS = 120
_ELSEWHERE = 3
_EFFORT = 0.3
_WIDER = 3.0  # in coordinates: a factor of twenty, three times the curve


class MatchKind(StrEnum):
    """How a registered form stands to a found one."""

    PROVED = "equal, by algebra"
    EQUAL = "equal, numerically"
    LIMIT = "equal in a limit"
    HERE = "equal at the fitted constants only"


@final
@dataclass(frozen=True)
class Match:
    """A registered form that equals a found one.

    Attributes
    ----------
    form : str
        Its registered name.
    kind : MatchKind
    parameters : mapping of str to float
        Those of its shape that draw the found curve.
    within : bool
        Whether the registered form's default priors allow these parameters.
    special : bool
        Whether the registered form has more parameters: the found one is a special case of it.
    mechanisms : tuple of str
        Names of registered mechanisms that imply the registered form, with the range of validity.
    """

    form: str
    kind: MatchKind
    parameters: Mapping[str, float]
    within: bool
    special: bool
    mechanisms: tuple[str, ...]

    @property
    def words(self) -> str:
        """The match in a phrase."""
        values = ", ".join(f"{name} = {value:.4g}" for name, value in self.parameters.items())
        at = f" with {values}" if values else ""
        equals = "is a special case of" if self.special else "equals"
        told = {
            MatchKind.PROVED: f"{equals} {self.form}{at} (by algebra)",
            MatchKind.EQUAL: f"{equals} {self.form}{at} (numerically, at several constants)",
            MatchKind.LIMIT: f"is a limit of {self.form}{at} (at the edge of what it allows)",
            MatchKind.HERE: f"draws the curve of {self.form}{at}, at these constants only",
        }[self.kind]
        implied = f"; implied by {', '.join(self.mechanisms)}" if self.mechanisms else ""
        return told + implied

    @property
    def is_equal(self) -> bool:
        """Whether both forms draw the same curves, and no others."""
        return self.kind in (MatchKind.PROVED, MatchKind.EQUAL) and not self.special


def matches(
    forms: Sequence[Form],
    thetas: Sequence[FloatArray],
    t: FloatArray,
    known: Mapping[str, Form] = FORMS,
) -> tuple[tuple[Match, ...], ...]:
    """Find the registered forms that equal each of some fitted forms.

    Parameters
    ----------
    forms, thetas
        Fitted forms and their parameters.
    t : ndarray, shape (n,)
        The curve's times.
    known
        Registered forms by name.

    Returns
    -------
    For each form its matches: equal ones first, the best kind, the fewest parameters.
    """
    grid = np.linspace(float(t[0]), BEYOND * float(t[-1]), POINTS)
    curves = [
        _values(form, theta[None], grid)[0] for form, theta in zip(forms, thetas, strict=True)
    ]
    whole = [i for i, values in enumerate(curves) if values is not None and np.ptp(values) > 0]
    found: list[list[Match]] = [[] for _ in forms]
    if not whole:
        return tuple(tuple(one) for one in found)
    y = np.stack([curves[i] for i in whole])
    for registered in known.values():
        equal, optimum = _fitted(registered, grid, y)
        for row, i in enumerate(whole):
            if equal[row]:
                found[i].append(_match(forms[i], thetas[i], registered, (t, grid), optimum, row))
    order = list(MatchKind)
    return tuple(
        tuple(
            sorted(
                one,
                key=lambda m: (m.special, order.index(m.kind), len(known[m.form].names), m.form),
            )
        )
        for one in found
    )


def _values(form: Form, theta: FloatArray, grid: FloatArray) -> FloatArray:
    with np.errstate(all="ignore"):
        values: FloatArray = np.asarray(form(grid, theta))
    return np.where(np.isfinite(values).all(axis=-1, keepdims=True), values, 0.0)


def _fitted(form: Form, grid: FloatArray, y: FloatArray) -> tuple[NDArray[np.bool_], Optimum]:
    """Fit a registered form to curves (C, n), beyond its priors too; say which it draws."""
    ranges = np.ptp(y, axis=1)
    scaled = (y - y.mean(axis=1, keepdims=True)) / ranges[:, None]
    pattern = Curve(observable="found", t=grid, y=scaled[0])
    hypothesis = default_hypothesis(form, NOISES["white"], pattern)
    usual = coordinates(hypothesis, pattern, form.nonlinear)
    space = replace(usual, lower=usual.lower - _WIDER, upper=usual.upper + _WIDER)
    optimum = best(
        form,
        grid,
        scaled,
        np.ones_like(scaled),
        space,
        lambda z: hypothesis.transport(z, form.nonlinear),
        effort=_EFFORT,
    )
    drawn = np.einsum("cnq,cq->cn", form.design(grid, optimum.nonlinear), optimum.linear)
    with np.errstate(invalid="ignore"):
        equal = np.abs(drawn - scaled).max(axis=1) <= EQUAL
    return equal, optimum


def _allows(form: Form, t: FloatArray, nonlinear: FloatArray) -> bool:
    """Whether the default priors of a form on these times reach some parameters."""
    pattern = Curve(observable="found", t=t, y=np.arange(len(t), dtype=float))
    hypothesis = default_hypothesis(form, NOISES["white"], pattern)
    space = coordinates(hypothesis, pattern, form.nonlinear)
    inside = space.natural(space.of(nonlinear[None].copy()))
    return bool(np.allclose(inside, nonlinear, rtol=1e-6))


def _match(
    form: Form,
    theta: FloatArray,
    registered: Form,
    times: tuple[FloatArray, FloatArray],
    here: Optimum,
    row: int,
) -> Match:
    """Look at other constants of the found form, and say how the registered one stands to it.

    `times` are those of the data, and of the grid on which both are drawn.
    """
    t, grid = times
    elsewhere = _values(form, _moved(form, theta, grid), grid)
    elsewhere = elsewhere[np.ptp(elsewhere, axis=1) > 0]
    nonlinear = here.nonlinear[row]
    values = dict(zip(registered.nonlinear, map(float, nonlinear), strict=True))
    implied = tuple(one.words for one in mechanisms_that_imply(registered.name))
    special = len(registered.names) > len(form.names)
    within = _allows(registered, t, nonlinear)
    if bool(here.at_bound[row].any()):
        return Match(registered.name, MatchKind.LIMIT, values, within, special, implied)
    equal, others = _fitted(registered, grid, elsewhere)
    if not (equal.size and equal.all()):
        return Match(registered.name, MatchKind.HERE, values, within, special, implied)
    every = np.concatenate((nonlinear[None], others.nonlinear))
    constants = np.concatenate((theta[None], _moved(form, theta, grid)))
    proved = proved_equal(form, constants, registered, every)
    kind = MatchKind.PROVED if proved else MatchKind.EQUAL
    return Match(registered.name, kind, values, within, special, implied)


def _moved(form: Form, theta: FloatArray, grid: FloatArray) -> FloatArray:
    """Return other parameters (3, p), not far: factors of constants, shifts of places in time."""
    rng = np.random.default_rng(3)
    rows = np.repeat(theta[None], _ELSEWHERE, axis=0)
    for i, parameter in enumerate(form.parameters):
        if parameter.name in form.linear:
            continue
        if parameter.kind is Kind.MIDPOINT:
            rows[:, i] += rng.uniform(0.02, 0.08, _ELSEWHERE) * grid[-1]
        else:
            rows[:, i] *= np.exp(rng.uniform(-0.25, 0.25, _ELSEWHERE))
    return rows
