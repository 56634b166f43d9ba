"""The regression of `benchmarks.condition_regression`, on runs whose coefficients are known."""

import math

import numpy as np
import pytest

from benchmarks.condition_regression import rise_width
from benchmarks.regression import LEVEL, design_of, regress


def grid():
    a, b = (axis.ravel() for axis in np.meshgrid([0.0, 1.0, 2.0], [0.0, 1.0], indexing="ij"))
    return {"a": a, "b": b}


def drawn(rng, noise=0.2, n=20):
    """Return runs with ln median 2 + 0.5 a - b + 0.3 a b, centered a and b."""
    x = {name: values - values.mean() for name, values in grid().items()}
    truth = np.exp(2 + 0.5 * x["a"] - x["b"] + 0.3 * x["a"] * x["b"])
    return truth, [m * np.exp(noise * rng.normal(size=n)) for m in truth]


def test_coefficients_of_known_medians_are_recovered():
    truth, runs = drawn(np.random.default_rng(0), noise=0.0)
    found = regress(grid(), runs, truth, cap=1e9)
    assert [term.name for term in found.terms] == [LEVEL, "a", "b", "a × b"]
    np.testing.assert_allclose([t.observed for t in found.terms], [2, 0.5, -1, 0.3], atol=1e-12)
    assert found.r_squared == pytest.approx(1.0) and found.miss == pytest.approx(0.0, abs=1e-12)
    assert found.used.all()


def test_intervals_cover_as_often_as_they_say():
    covered = []
    for seed in range(100):
        truth, runs = drawn(np.random.default_rng(seed))
        terms = regress(grid(), runs, truth, cap=1e9, seed=seed).terms
        covered += [term.holds for term in terms]
    # Of 400 intervals of 95 %, within four binomial standard errors; the bootstrap of a median of
    # twenty is good to a few per cent.
    assert np.mean(covered) == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / 400) + 0.02)


def test_a_wrong_mechanism_is_told():
    truth, runs = drawn(np.random.default_rng(1))
    wrong = regress(grid(), runs, truth**2, cap=1e9)
    assert not any(term.holds for term in wrong.terms)
    interaction = wrong.terms[-1]
    assert interaction.is_pair and interaction.screened
    none = regress({"a": grid()["a"]}, runs, truth, cap=1e9)
    assert not any(term.is_pair for term in none.terms)


def test_censored_runs_do_not_move_a_median():
    truth, runs = drawn(np.random.default_rng(2), n=21)
    cut = [np.where(values > np.quantile(values, 0.85), np.inf, values) for values in runs]
    before, after = (regress(grid(), each, truth, cap=1e9) for each in (runs, cut))
    assert [t.observed for t in before.terms] == [t.observed for t in after.terms]
    assert after.used.all()


def test_cells_that_are_mostly_censored_are_in_neither_regression():
    truth, runs = drawn(np.random.default_rng(3), noise=0.0)
    runs[0] = np.where(np.arange(20) < 5, np.inf, runs[0])
    nothing = truth.copy()
    nothing[1] = np.nan
    found = regress(grid(), runs, nothing, cap=1e9)
    assert found.used.tolist() == [False, False, True, True, True, True]
    assert all(t.observed == pytest.approx(t.predicted, abs=1e-12) for t in found.terms)
    with pytest.raises(ValueError, match="2 of 6 cells do not tell 4 terms apart"):
        regress(grid(), runs, np.where(np.arange(6) < 4, np.nan, truth), cap=1e9)


def test_designs_are_centered_and_hold_every_pair():
    names, columns = design_of({**grid(), "c": np.array([0.0, 1, 0, 0, 1, 0])})
    assert names == (LEVEL, "a", "b", "c", "a × b", "a × c", "b × c")
    np.testing.assert_allclose(columns[:, 1:4].mean(axis=0), 0.0, atol=1e-15)


def test_a_logistic_rises_in_the_logarithm_of_81():
    # From a floor at 0: t90 - t10 = 2 ln 9 over the rate.
    t = np.linspace(-40.0, 60.0, 4001)
    y = 1 / (1 + np.exp(-t))
    assert rise_width(t, y) == pytest.approx(2 * math.log(9), abs=1e-3)
    # From a floor at 0.2, after a dip that began at 0.5: the same share of the way.
    dipped = np.where(t < -30, 0.5, 0.2 + 0.8 * y)
    assert rise_width(t, dipped) == pytest.approx(2 * math.log(9), abs=1e-3)
    assert rise_width(t[t < 2], y[t < 2]) == math.inf
