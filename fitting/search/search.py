"""Search for forms that no registry holds: all of a grammar, and symbolic regression beside it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from fitting.optimum.coordinates import coordinates
from fitting.optimum.descent import descend
from fitting.optimum.projection import IntArray, Projection, project
from fitting.search import operon
from fitting.search.candidates import SPARE, Progress, resolved, search_all
from fitting.search.description_length import description_length
from fitting.search.enumeration import skeletons
from fitting.search.making import form_of, natural, unit_of_time
from fitting.search.matching import Match, MatchKind, matches
from fitting.search.source import form_source
from theory.curve import Curve
from theory.form import Form
from theory.hypothesis import default_hypothesis
from theory.noise import NOISES

FloatArray = NDArray[np.float64]

NEW = "new"
SECONDS = 30.0
NUMBER = 6
FEWEST = 8
"""Points of a curve that can be searched."""

BEYOND = 1.2
"""Up to how many times the curve's last t two forms must agree to be one."""

SAME = 1e-4
"""Largest difference, as a share of the range, between two curves that are one to a reader."""


@final
@dataclass(frozen=True, eq=False)
class Found:
    """A form that the search found.

    Attributes
    ----------
    form : Form
    theta : ndarray, shape (p,)
        Its least-squares parameters.
    description_length : float
        In nats, under white noise: `fitting.search.description_length`.
    origin : str
        "grammar", or "operon".
    matches : tuple of Match
        Registered forms that equal it; empty for one that is new.
    """

    form: Form
    theta: FloatArray
    description_length: float
    origin: str
    matches: tuple[Match, ...] = ()

    @property
    def match(self) -> str:
        """What the form is, in words: "equals …", or "new"."""
        return self.matches[0].words if self.matches else NEW

    @property
    def competes_as(self) -> str:
        """Name under which it competes: that of the registered form it equals, or its own.

        Its own too where the registered form's default priors do not reach its parameters.
        """
        equal = [match.form for match in self.matches if match.is_equal and match.within]
        return equal[0] if equal else self.form.name

    @property
    def is_new(self) -> bool:
        """Whether no registered form equals it, nor is it a case or limit of one."""
        kinds = [match.kind for match in self.matches]
        return all(kind is MatchKind.HERE for kind in kinds)

    @property
    def source(self) -> str:
        """Python source that makes the form."""
        return form_source(self.form)


@final
@dataclass(frozen=True, eq=False)
class Search:
    """What a search of one curve came to.

    Attributes
    ----------
    found : tuple of Found
        Shortest description first.
    looked, total : int
        How many expressions were fitted, and how many there are.
    notes : tuple of str
        Sentences about the search.
    """

    found: tuple[Found, ...]
    looked: int
    total: int
    notes: tuple[str, ...] = field(default=())


def search(
    curve: Curve,
    *,
    seed: int = 0,
    seconds: float = SECONDS,
    number: int = NUMBER,
    progress: Progress | None = None,
) -> Search:
    """Look for expressions that describe a curve shortly.

    All of the grammar of growth (`fitting.search.enumeration`), and the Pareto front of Operon
    where it is installed (``pip install ontogeny[search]``).

    Parameters
    ----------
    curve
        The data. One that cannot be fitted (constant, or too short) gives a search without finds.
    seed
        Of Operon; the grammar is enumerated without chance.
    seconds
        After which no further expression is looked at; they come from simple to complicated, and
        the result says how many were. Same curve, same result, where the time suffices.
    number
        Most forms found.
    progress
        Told (label, done, total).

    Raises
    ------
    ValueError
        If seconds or number are not positive.
    """
    if not seconds > 0 or number < 1:
        raise ValueError(f"seconds and number must be positive; got {seconds} and {number}.")
    every = skeletons()
    try:
        default_hypothesis(form_of(every[0], "found", 1.0), NOISES["white"], curve)
    except ValueError as error:
        return Search((), 0, len(every), (f"Nothing was searched: {error}",))
    if curve.n_obs < FEWEST:
        reason = f"{curve.n_obs} points fix no expression, {FEWEST} are the fewest that may."
        return Search((), 0, len(every), (f"Nothing was searched: {reason}",))
    with threadpool_limits(1, user_api="blas"):
        until = time.monotonic() + seconds
        bred, bred_note = _bred(curve, seed)
        grown, looked = _grown(curve, until, 2 * number, progress)
        few = _distinct([*grown, *bred], curve, number)
        known = matches([one.form for one in few], [one.theta for one in few], curve.t)
    found = tuple(
        replace(one, form=replace(one.form, name=f"found_{i + 1}"), matches=match)
        for i, (one, match) in enumerate(zip(few, known, strict=True))
    )
    notes = (_looked(looked, len(every), seconds), bred_note)
    return Search(found, looked, len(every), notes)


def _grown(
    curve: Curve, until: float, number: int, progress: Progress | None
) -> tuple[list[Found], int]:
    """Search the grammar; return its shortest descriptions, and how many were looked at."""
    last, shift = unit_of_time(curve.t), float(curve.y.mean())
    fits, looked = search_all(
        skeletons(),
        curve.t / last,
        curve.y - shift,
        weight_of(curve),
        until=until,
        progress=progress,
    )
    found = []
    for one in fits[:number]:
        linear = one.linear.copy()
        linear[0] += shift
        theta = natural(one.skeleton, linear, one.nonlinear, last)
        form = form_of(one.skeleton, "found", last)
        found.append(Found(form, theta, one.length, "grammar"))
    return found, looked


def _bred(curve: Curve, seed: int) -> tuple[list[Found], str]:
    """Take the forms on Operon's Pareto front, fitted and scored as all others."""
    if not operon.is_installed():
        return [], "Operon is not installed (pip install ontogeny[search]): the grammar only."
    last, extent = unit_of_time(curve.t), float(np.ptp(curve.y))
    front = operon.pareto_front(curve.t / last, (curve.y - curve.y.mean()) / extent, seed=seed)
    found = []
    for expression in front:
        lifted = operon.lifted(expression, "found", curve.t, last)
        if lifted is not None and curve.n_obs < len(lifted[1]) + SPARE:
            lifted = None
        one = None if lifted is None else _refitted(*lifted, curve)
        found += [one] if one is not None else []
    return found, f"Operon gave {len(front)} expressions, of which {len(found)} became forms."


def _refitted(form: Form, theta: FloatArray, curve: Curve) -> Found | None:
    """Fit a form from where Operon left it; None where that has no likelihood."""
    hypothesis = default_hypothesis(form, NOISES["white"], curve)
    space = coordinates(hypothesis, curve, form.nonlinear)
    weight, shift = weight_of(curve), float(curve.y.mean())
    start = theta[[form.names.index(name) for name in form.nonlinear]]
    x, rounds = space.of(start[None]), 100 if form.nonlinear else 0

    def evaluate(x: FloatArray, owner: IntArray) -> Projection:
        y = (curve.y - shift)[None]
        return project(form, curve.t, y, weight[None], owner, space.natural(x))

    with np.errstate(all="ignore"):
        x, ended, _ = descend(
            evaluate,
            space,
            x,
            np.zeros(1, dtype=np.intp),
            np.zeros(x.shape, dtype=bool),
            rounds=rounds,
        )
        if not np.isfinite(ended.square[0]):
            return None
        values = dict(zip(form.nonlinear, space.natural(x)[0], strict=True))
        values |= dict(zip(form.linear, ended.linear[0], strict=True))
        theta = np.array([values[name] for name in form.names])
        slopes = form.jacobian(curve.t, theta) * weight[:, None]
        length = description_length(
            resolved(float(ended.square[0]), (curve.y - shift) * weight),
            theta,
            slopes.T @ slopes,
            curve.n_obs,
            tuple(operon.signs(form.expression)),
        )
    theta[form.names.index("floor")] += shift
    return Found(form, theta, length, "operon") if np.isfinite(length) else None


def weight_of(curve: Curve) -> FloatArray:
    """Return what residuals are multiplied by: less where known errors exceed the usual one."""
    if curve.y_se is None:
        return np.ones(curve.n_obs)
    usual = float(np.median(curve.y_se**2)) or 1.0
    return np.asarray(1 / np.sqrt(1 + curve.y_se**2 / usual))


def _distinct(found: Sequence[Found], curve: Curve, number: int) -> list[Found]:
    """Keep the shortest descriptions, without those that draw the curve of a shorter one."""
    grid = np.linspace(float(curve.t[0]), BEYOND * float(curve.t[-1]), 200)
    extent = float(np.ptp(curve.y))
    kept: list[Found] = []
    curves: list[FloatArray] = []
    for one in sorted(found, key=lambda one: one.description_length):
        with np.errstate(all="ignore"):
            values = np.asarray(one.form(grid, one.theta))
        if not np.isfinite(values).all():
            continue
        if all(np.abs(values - other).max() > SAME * extent for other in curves):
            kept.append(one)
            curves.append(values)
        if len(kept) == number:
            break
    return kept


def _looked(looked: int, total: int, seconds: float) -> str:
    if looked == total:
        return f"All {total} expressions of the grammar were fitted."
    return (
        f"{looked} of {total} expressions of the grammar, the simplest, were fitted in "
        f"{seconds:g} s; the others were not looked at."
    )
