"""Whether the runs of a group are of one kind, so that a mean curve could stand for one of them.

Runs that rise and runs that turn have no mean that is a run. Nor have runs that rise alike but at
times of their own: the mean of sharp steps at random onsets looks like a logistic curve (R² =
0.998). The measure for the latter: the spread of midpoints, as variance, against that of the rise
of a run itself. A logistic rise of scale s has the variance (pi s)²/3 as a distribution over
progress, and the mean of many has the sum of both variances: where the midpoints have the larger
part, the mean shows when runs rose, not how a run rises.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy import stats

from fitting.aggregates.run_shape import Kind, kinds, run_shape
from fitting.fit import PointFit
from fitting.point import fit_many
from theory.curve import Curve, FloatArray
from theory.forms import FORMS
from theory.hypothesis import default_hypothesis
from theory.noise import NOISES

LEAST_RUNS = 3
"""Fewer midpoints have no spread to speak of."""

LEAST_POINTS = 8
TAIL = 0.025
MOST_LASTING = 0.95
RISE = math.pi / math.sqrt(3)
"""Standard deviation of a logistic distribution of scale 1."""


@final
@dataclass(frozen=True)
class Likeness:
    """How far the runs of one task are of one kind.

    Attributes
    ----------
    task : str
    kinds : tuple of Kind
        Of each run.
    spread : float or None
        Standard deviation of the runs' midpoints, without the part that their errors explain.
    rise : float or None
        Median over runs of the standard deviation of a run's own rise, in progress.
    differ : bool or None
        Whether a mean curve is none of the runs; None where that cannot be told.
    sentence : str
        Why, or how far one may trust that they do not differ.
    """

    task: str
    kinds: tuple[Kind, ...]
    spread: float | None
    rise: float | None
    differ: bool | None
    sentence: str


def likeness(curves: Sequence[Curve], task: str = "") -> Likeness:
    """Judge whether runs of one task are of one kind.

    Kinds are told from block means (`fitting.aggregates.run_shape`), midpoints and rises from a
    logistic curve fitted to each run by least squares. Runs differ when two kinds are clear, or
    when the lower 97.5 % bound of the midpoints' variance exceeds that of a run's own rise.
    """
    if len(curves) < 2:
        return Likeness(task, (), None, None, None, "A single run has none to differ from.")
    short = sum(curve.n_obs < LEAST_POINTS for curve in curves)
    if short:
        return Likeness(task, (), None, None, None, (
            f"{short} of {len(curves)} runs have fewer than {LEAST_POINTS} points: whether runs "
            "differ in kind cannot be told."
        ))  # fmt: skip
    found = kinds([run_shape(curve) for curve in curves])
    clear = sorted({kind for kind in found if kind is not Kind.UNCLEAR})
    if len(clear) > 1:
        said = ", ".join(f"{found.count(kind)} {_words(kind, found.count(kind))}" for kind in clear)
        return Likeness(task, found, None, None, True, (
            f"Runs differ in kind: of {len(found)}, {said}. The mean curve is none of them; look "
            "at the single runs."
        ))  # fmt: skip
    if clear == [Kind.TURNS]:
        return Likeness(task, found, None, None, None, (
            "Runs turn back: whether they do so at times of their own, so that the mean curve is "
            "flatter than any of them, is not judged; look at the single runs."
        ))  # fmt: skip
    one_way = [c for c, k in zip(curves, found, strict=True) if k in (Kind.RISES, Kind.FALLS)]
    if len(one_way) < max(LEAST_RUNS, len(found) / 2):
        return Likeness(task, found, None, None, None, (
            f"{len(one_way)} of {len(found)} runs clearly go one way, too few to tell whether "
            "their midpoints differ."
        ))  # fmt: skip
    return _by_midpoints(task, found, one_way)


def _by_midpoints(task: str, found: tuple[Kind, ...], curves: Sequence[Curve]) -> Likeness:
    """Judge runs that go the same way by the spread of their midpoints."""
    hypotheses = [default_hypothesis(FORMS["logistic"], NOISES["white"], _plain(c)) for c in curves]
    fits = fit_many(hypotheses, [_plain(curve) for curve in curves])
    table = np.array([_midpoint(fit) for fit in fits])
    table = table[np.isfinite(table).all(axis=1)]
    n = len(table)
    if n < LEAST_RUNS:
        return Likeness(task, found, None, None, None, (
            f"{n} runs have a midpoint within their progress, too few to tell whether these differ."
        ))  # fmt: skip
    midpoints, errors, rises = table.T
    variance, error = float(midpoints.var(ddof=1)), float(np.mean(errors**2))
    rise = float(np.median(rises))
    spread = math.sqrt(max(0.0, variance - error))
    lowest = variance * (n - 1) / float(stats.chi2.ppf(1 - TAIL, n - 1))
    differ = lowest - error > rise**2
    ratio = f"{spread / rise:.2g}"
    sentence = (
        f"Midpoints of the {n} runs spread {ratio} times as widely as a run takes to rise: the "
        "mean curve shows when runs rose, not how a run rises; look at the single runs."
        if differ
        else f"No sign that the {len(found)} runs differ in kind: their midpoints spread {ratio} "
        "times as widely as a run takes to rise."
    )
    return Likeness(task, found, spread, rise, differ, sentence)


def _plain(curve: Curve) -> Curve:
    """Return the points of a curve only: errors and counts would ask for another noise."""
    return Curve(curve.observable, curve.t, curve.y, progress=curve.progress, run=curve.run)


def _midpoint(fit: PointFit) -> FloatArray:
    """Return midpoint, its error, and the sd of the rise (3,); nan where it lies outside.

    Neither error nor rise is less than the data can tell: a step between two points lies somewhere
    between them, and under noise a rise of scale s is told from a step only if the squares between
    the two, ``2 (ln 2 - 1/2) s gain**2 / gap``, exceed those of twice the noise.
    """
    theta = {name: float(x) for name, x in zip(fit.names, fit.theta, strict=True)}
    error = float(fit.se[fit.names.index("midpoint")])
    t, midpoint = fit.curve.t, theta["midpoint"]
    if not t[0] <= midpoint <= t[-1] or theta["gain"] == 0:
        return np.full(3, np.nan)
    place = min(max(int(np.searchsorted(t, midpoint)), 1), t.size - 1)
    gap, lasting = float(t[place] - t[place - 1]), _lasting(fit)
    noise = theta["sd_white"] * lasting / theta["gain"]
    resolved = (2 * noise) ** 2 * gap / (2 * (math.log(2) - 0.5))
    least = gap / math.sqrt(12)
    error = max(error * lasting, least) if math.isfinite(error) else least
    return np.array([midpoint, error, max(RISE / abs(theta["rate"]), RISE * resolved, least)])


def _lasting(fit: PointFit) -> float:
    """Return the factor on errors of noise that lasts: that of an AR(1) of its autocorrelation."""
    form = fit.hypothesis.form
    left = fit.curve.y - form(fit.curve.t, fit.theta[: len(form.names)])
    power = float(left @ left)
    r = float(left[1:] @ left[:-1]) / power if power > 0 else 0.0
    r = min(max(r, 0.0), MOST_LASTING)
    return math.sqrt((1 + r) / (1 - r))


def _words(kind: Kind, number: int) -> str:
    many = {"rises": "rise", "falls": "fall", "turns": "turn back", "stays": "stay where they are"}
    one = {**{k: k for k in many}, "turns": "turns back", "stays": "stays where it is"}
    return (one if number == 1 else many)[str(kind)]
