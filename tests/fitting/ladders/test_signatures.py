"""Numbers by which theories differ: exact for known laws, and as wide as resampling makes them."""

import math

import numpy as np
import pytest

from fitting.fit import FitStatus
from fitting.ladders.evidence import DISCREPANCY, LadderPosterior
from fitting.ladders.hypothesis import LadderHypothesis
from fitting.ladders.onset_law import Rung
from fitting.ladders.signatures import signatures, squared_cv
from theory.onset import Onset
from theory.onset_laws import exponential, gamma


@pytest.mark.parametrize("cv", [0.1, 0.4, 0.9])
def test_the_scatter_of_a_gamma_law(cv):
    found = squared_cv(lambda t, at: gamma(t, at["middle"], at["cv"]),
                       {"middle": np.array([[1.0]]), "cv": np.array([[cv]])})  # fmt: skip
    assert found[0] == pytest.approx(cv**2, rel=1e-6)


def test_the_scatter_of_first_hits_is_one():
    found = squared_cv(
        lambda t, at: exponential(t, at["rate"]), {"rate": np.array([[0.01], [3.0]])}
    )
    assert found == pytest.approx(1.0, rel=1e-6)


def rungs(exponent, shape, n=40, end=math.inf, seed=0):
    rng = np.random.default_rng(seed)
    found = []
    for x in (0.5, 0.1, 0.02):
        times = 10 * x**exponent * rng.gamma(shape, 1 / shape, n)
        given = {"x": x}
        brackets = [
            Onset(float(t) * 0.99, float(t) * 1.01, given)
            if t < end
            else Onset(end, math.inf, given)
            for t in times
        ]
        found.append(Rung((("x", x),), tuple(brackets)))
    return found


def claim(exponent, shape, at=(0.5, 0.1, 0.02)):
    """A hypothesis that knows everything."""
    cv = np.array([[shape**-0.5]])
    laws = [lambda t, _, x=x: gamma(t, np.log(10 * x**exponent), cv) for x in at]
    hypothesis = LadderHypothesis("known", {}, tuple(laws))
    draws = {DISCREPANCY: np.array([[0.01]])}
    return LadderPosterior(hypothesis, 0.0, 0.0, draws, np.ones(1), FitStatus.OK)


def found_on(given, exponent, shape):
    return signatures(given, "x", [claim(exponent, shape)], rng=np.random.default_rng(0))


def test_what_is_seen_covers_what_is_true():
    inside = total = 0
    for seed in range(40):
        for one in found_on(rungs(-0.7, 9.0, seed=seed), -0.7, 9.0):
            truth = one.foretold["known"].value
            inside += one.seen.lower <= truth <= one.seen.upper
            total += 1
    # Nominally 95 %; resampling squares of 40 onsets covers some 90 %, and 200 tries err by 2 %.
    assert inside / total > 0.84


def test_what_is_foretold_is_the_law():
    exponents = found_on(rungs(-0.7, 9.0), -0.7, 9.0)
    assert [one.foretold["known"].value for one in exponents] == pytest.approx(
        [-0.7, -0.7, 1 / 9, 1 / 9, 1 / 9], rel=1e-5
    )


def test_censored_runs_leave_the_scatter_unknown_and_say_so():
    # At x = 0.02 the median is 150: all end at 60 there, none at 0.5.
    censored = found_on(rungs(-0.7, 9.0, end=60.0), -0.7, 9.0)
    assert censored[1].seen is not None  # 0.1 to 0.5
    assert censored[0].seen is None
    assert "ended without an onset" in censored[0].why_not


def test_exponents_need_positive_numbers():
    named = [Rung((("x", word),), (Onset(1.0, 2.0),)) for word in ("a", "b")]
    found = signatures(named, "x", [], rng=np.random.default_rng(0))
    assert [one.seen for one in found] == [None, None]
    assert "fewer than 5 runs" in found[0].why_not
