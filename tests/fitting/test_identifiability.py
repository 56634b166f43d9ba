"""What the data do not fix, in words: on curves where it is known."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from fitting.doubts import doubts
from fitting.fit import PointFit
from fitting.optimum.identifiability import directions, unfixed
from fitting.point import fit
from theory.curve import Curve
from theory.form import TIME, Form
from theory.forms import FORMS
from theory.forms.words import floor, gain
from theory.hypothesis import Hypothesis, default_hypothesis
from theory.noise import NOISES
from theory.parameter import Kind, Parameter
from theory.prior import LogUniform
from theory.stable import approach

T = np.linspace(1.0, 100.0, 60)
LOGISTIC = {"floor": 0.1, "gain": 0.8, "rate": 0.15, "midpoint": 45.0}


def fitted(
    form: Form, curve: Curve, noise: str = "white", **ranges: tuple[float, float]
) -> PointFit:
    hypothesis = default_hypothesis(form, NOISES[noise], curve)
    wide = {name: LogUniform(*ends, because="wide") for name, ends in ranges.items()}
    priors = MappingProxyType({**hypothesis.priors, **wide})
    return fit(Hypothesis(form, NOISES[noise], priors), curve)


def noisy(form: Form, sd: float, seed: int = 0, **values: float) -> Curve:
    theta = np.array([values[name] for name in form.names])
    rng = np.random.default_rng(seed)
    return Curve("y", T, np.asarray(form(T, theta)) + sd * rng.standard_normal(T.size))


def test_a_mean_is_known_by_root_n_noises() -> None:
    rng = np.random.default_rng(0)
    curve = Curve("y", T, rng.standard_normal(T.size), y_se=np.full(T.size, 0.5))
    found = fitted(FORMS["constant"], curve, "known_se")
    values, rows = directions(found)
    prior_sd = float(found.hypothesis.priors["floor"].sd)
    assert values == pytest.approx([np.sqrt(T.size) * prior_sd / 0.5], rel=1e-12)
    assert np.abs(rows) == pytest.approx(1.0)


@pytest.mark.parametrize("noise", ["white", "ou_white", "student_t"])
def test_a_curve_seen_whole_leaves_nothing_open(noise: str) -> None:
    curve = noisy(FORMS["logistic"], 0.02, **LOGISTIC)
    assert fitted(FORMS["logistic"], curve, noise).unfixed == ()


@pytest.mark.parametrize("noise", ["white", "ou_white"])
def test_before_its_middle_a_logistic_is_an_exponential(noise: str) -> None:
    """There gain exp(-rate midpoint) is all that is seen of gain and midpoint."""
    curve = noisy(FORMS["logistic"], 0.01, **(LOGISTIC | {"midpoint": 130.0, "rate": 0.08}))
    found = fitted(FORMS["logistic"], curve, noise)
    said = "The data do not fix gain and midpoint separately: larger gain with larger midpoint "
    assert found.unfixed == (said + "fits nearly as well.",)
    assert found.unfixed[0] in doubts(found.hypothesis, curve, found, None)


@pytest.mark.parametrize("noise", ["white", "student_t"])
def test_at_its_start_an_approach_is_a_straight_line(noise: str) -> None:
    """There gain times rate is all that is seen."""
    form = FORMS["exponential_approach"]
    curve = noisy(form, 0.05, floor=0.0, gain=10.0, rate=0.001)
    found = fitted(form, curve, noise, rate=(1e-6, 1.0))
    said = "The data do not fix gain and rate separately: larger gain with smaller rate "
    assert found.unfixed == (said + "fits nearly as well.",)


def test_two_names_of_one_thing_are_never_apart() -> None:
    rates = [
        Parameter(f"rate_{k}", "one of two rates", "1/t", Kind.RATE, width_factor=np.log(9))
        for k in (1, 2)
    ]
    whole = rates[0].symbol + rates[1].symbol
    form = Form(
        name="twice",
        expression=floor.symbol + gain.symbol * approach(whole * TIME),
        parameters=(floor, gain, *rates),
        reference="made up",
    )
    curve = noisy(FORMS["exponential_approach"], 1e-3, floor=0.0, gain=1.0, rate=0.06)
    found = fitted(form, curve)
    values, rows = directions(found)
    # Rounding of the columns, whose largest singular value is thousands of noises.
    assert values[0] < 1e-12 * values[-1]
    names = form.names
    moved = rows[0] * scale_of(found)
    assert moved[names.index("rate_1")] == pytest.approx(-moved[names.index("rate_2")], rel=1e-6)
    said = "The data do not fix rate_1 and rate_2 separately: larger rate_1 with smaller rate_2 "
    assert unfixed(found) == (said + "fits nearly as well.",)


def scale_of(found: PointFit) -> np.ndarray:
    """Half of the central 68 % of log-uniform priors, times the value: that is what log means."""
    scale = np.ones(len(found.hypothesis.form.names))
    for i, name in enumerate(found.hypothesis.form.names):
        prior = found.hypothesis.priors[name]
        if isinstance(prior, LogUniform):
            scale[i] = found.theta[i] * np.log(prior.upper / prior.lower)
    return scale


def test_what_is_said_does_not_depend_on_the_units() -> None:
    curve = noisy(FORMS["logistic"], 0.01, **(LOGISTIC | {"midpoint": 130.0, "rate": 0.08}))
    moved = Curve("y", 1e4 * T, 5.0 - 300.0 * curve.y)
    here, there = (fitted(FORMS["logistic"], one) for one in (curve, moved))
    assert there.unfixed == (here.unfixed[0].replace("larger midpoint", "smaller midpoint"),)
    # The optimum, on a ridge, is known to the root of the descent's tolerance.
    assert directions(there)[0] == pytest.approx(directions(here)[0], rel=1e-3)


def test_a_failed_fit_says_nothing() -> None:
    found = fitted(FORMS["logistic"], noisy(FORMS["logistic"], 0.01, **LOGISTIC))
    lost = replace(found, theta=np.full(found.theta.size, np.nan))
    assert unfixed(lost) == ()
