"""Curves that nobody would wish for: a sentence each, never nan, nothing from deep inside."""

import math
import warnings

import numpy as np
import pytest
from numpy.typing import NDArray

from fitting.comparison import Comparison
from fitting.fit import FitStatus
from fitting.point import fit_many
from fitting.propose import propose
from fitting.verdict import VerdictKind
from theory.curve import Curve
from theory.family import Family
from theory.forms import FORMS
from theory.hypothesis import default_hypothesis
from theory.noise import White

FloatArray = NDArray[np.float64]

N = 40
T = np.linspace(1.0, 50.0, N)
SHAPE = 1 / (1 + np.exp(-(T - 25) / 4))
Y = SHAPE + 0.03 * np.random.default_rng(0).standard_normal(N)
FEW = ("constant", "linear", "logistic")

REFUSED_AT_THE_DOOR = {
    "infinite": (np.where(np.arange(N) == 5, np.inf, Y), "y must be finite; y[5] = inf."),
    "missing": (np.full(N, np.nan), "y must be finite; y[0] = nan and 39 more are not finite."),
}

NOT_FITTED = {
    "constant": (T, np.full(N, 3.0), "Y must vary to be fitted; y is 3.0 at all 40 points."),
    "two points": (T[:2], Y[:2], "A fit needs at least 3 points; y has 2."),
    "one point": (T[:1], Y[:1], "A fit needs at least 3 points; y has 1."),
    "lost in rounding": (T, 1e15 + SHAPE, "Y must vary by more than its rounding to be fitted"),
    "below all numbers": (T, 1e-310 * Y, "Y must have a range between 1e-50 and 1e+50"),
    "beyond all numbers": (T, 1e300 * Y, "Y must have a range between 1e-50 and 1e+50"),
    "times beyond all numbers": (1e60 * T, Y, "T must have a range between 1e-50 and 1e+50"),
}

FITTED = {
    "offset": (T, 1e9 + Y),
    "tiny": (T, 1e-12 * Y),
    "tiniest": (T, 1e-49 * Y),
    "largest": (T, 1e49 * Y),
    "tiny times": (1e-12 * T, Y),
    "huge times": (1e12 * T, Y),
}


def judged(t: FloatArray, y: FloatArray) -> Comparison:
    """Propose with every warning an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return propose(Curve("y", t, y), forms=FEW)


def check_numbers(found: Comparison) -> None:
    """No number is nan; what is missing has a doubt."""
    assert all(0 <= p <= 1 for p in found.family_probabilities.values())
    for score in found.scores:
        numbers = (score.log_evidence, score.log_evidence_se, score.weight, score.aicc, score.bic)
        assert not any(value is not None and math.isnan(value) for value in numbers)
        assert score.log_evidence is not None or score.doubts


@pytest.mark.parametrize("name", REFUSED_AT_THE_DOOR)
def test_what_is_no_curve_is_refused_at_the_door(name: str) -> None:
    y, sentence = REFUSED_AT_THE_DOOR[name]
    with pytest.raises(ValueError) as caught:
        Curve("y", T, y)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("name", NOT_FITTED)
def test_what_cannot_be_fitted_says_why(name: str) -> None:
    t, y, sentence = NOT_FITTED[name]
    found = judged(t, y)
    assert found.scores == ()
    assert found.verdict.kind is VerdictKind.INCONCLUSIVE
    assert found.verdict.reason.startswith(sentence)


@pytest.mark.parametrize("name", FITTED)
def test_units_and_offsets_change_nothing(name: str) -> None:
    found = judged(*FITTED[name])
    check_numbers(found)
    assert found.verdict.kind is VerdictKind.DECIDED
    assert found.verdict.families == (Family.SIGMOID,)


def test_a_spike_that_sets_every_scale_is_named() -> None:
    y = np.where(np.arange(N) == 20, 1000.0, Y)
    found = judged(T, y)
    check_numbers(found)
    assert found.verdict.kind is VerdictKind.INCONCLUSIVE
    assert found.verdict.reason.startswith(f"y = 1000 at t = {T[20]:.4g} lies so far")
    # A last point is no spike: a curve may begin to rise there.
    assert "lies so far" not in judged(T, np.where(np.arange(N) == N - 1, 9.0, Y)).verdict.reason


def test_a_curve_without_noise_is_judged_by_its_shape() -> None:
    found = judged(T, SHAPE)
    check_numbers(found)
    assert found.verdict.kind is VerdictKind.DECIDED
    assert found.verdict.families == (Family.SIGMOID,)


def test_bad_curves_are_nothing_to_the_others() -> None:
    bad = [1e9 + Y, 1e-12 * Y, np.where(np.arange(N) == 20, 1000.0, Y), SHAPE, 2 * T + 1]
    curves = [Curve("y", T, y) for y in (Y, *bad)]
    pairs = [
        (default_hypothesis(form, White(), curve), curve)
        for form in (FORMS[name] for name in (*FEW, "hill", "double_logistic"))
        for curve in curves
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        together = fit_many([h for h, _ in pairs], [c for _, c in pairs])
        for k in range(0, len(pairs), len(curves)):
            alone = fit_many([pairs[k][0]], [pairs[k][1]])[0]
            np.testing.assert_array_equal(together[k].theta, alone.theta)
    for fit in together:
        assert fit.status is not FitStatus.TOO_FEW_POINTS
        assert np.isfinite(fit.theta).all() and np.isfinite(fit.log_likelihood)
