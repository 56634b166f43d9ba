"""Search for forms that no registry holds: all of a grammar, and symbolic regression beside it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.search.candidates import Fitted, Progress, search_all
from fitting.search.enumeration import skeletons
from fitting.search.making import form_of, natural
from theory.curve import Curve
from theory.form import Form
from theory.hypothesis import default_hypothesis
from theory.noise import NOISES

FloatArray = NDArray[np.float64]

SECONDS = 30.0
NUMBER = 6
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
    signs : int
        How many signs the expression takes.
    """

    form: Form
    theta: FloatArray
    description_length: float
    signs: int


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
    seconds: float = SECONDS,
    number: int = NUMBER,
    progress: Progress | None = None,
) -> Search:
    """Look through the grammar of growth for expressions that describe a curve shortly.

    Parameters
    ----------
    curve
        The data. One that cannot be fitted (constant, or too short) gives a search without finds.
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
    last = float(curve.t[-1])
    weight = np.ones(curve.n_obs) if curve.y_se is None else 1.0 / curve.y_se
    shift = float(curve.y.mean())
    fits, looked = search_all(
        every,
        curve.t / last,
        curve.y - shift,
        weight,
        until=time.monotonic() + seconds,
        progress=progress,
    )
    grid = np.linspace(float(curve.t[0]) / last, BEYOND, 200)
    few = _distinct(fits, grid, float(np.ptp(curve.y)), number)
    found = []
    for i, one in enumerate(few):
        linear = one.linear + np.eye(1, len(one.linear))[0] * shift
        found.append(
            Found(
                form_of(one.skeleton, f"found_{i + 1}", last),
                natural(one.skeleton, linear, one.nonlinear, last),
                one.length,
                one.skeleton.complexity,
            )
        )
    return Search(tuple(found), looked, len(every), _notes(looked, len(every), seconds))


def _distinct(
    fits: Sequence[Fitted], grid: FloatArray, extent: float, number: int
) -> list[Fitted]:
    """Keep the shortest descriptions, without those that draw the curve of a shorter one."""
    kept: list[Fitted] = []
    curves: list[FloatArray] = []
    for one in fits:
        with np.errstate(all="ignore"):
            values = one.skeleton.design(grid, one.nonlinear[None])[0] @ one.linear
        if not np.isfinite(values).all():
            continue
        if all(np.abs(values - other).max() > SAME * extent for other in curves):
            kept.append(one)
            curves.append(values)
        if len(kept) == number:
            break
    return kept


def _notes(looked: int, total: int, seconds: float) -> tuple[str, ...]:
    if looked == total:
        return (f"All {total} expressions of the grammar were fitted.",)
    return (
        f"{looked} of {total} expressions, the simplest, were fitted in {seconds:g} s; the others "
        "were not looked at (--search-seconds).",
    )
