"""Moments of onsets, and noise at rest."""

import numpy as np
import pytest
import sympy

from theory.derivation.moments import onset_moments, stationary_covariance, stationary_variance
from theory.derivation.story import Episode, NotDerived, Story
from theory.mechanisms.one_skill import drifting_onsets
from theory.onset_laws import gamma_of_moments

P = sympy.Symbol("p", positive=True)
Z = sympy.Symbol("z", real=True)
START, GAIN, BATCH = sympy.symbols("p0 h B", positive=True)
TYPICAL = {"p0": 0.03, "h": 0.02, "B": 4.0}
HALF = sympy.Rational(1, 2)
CHANCE = 1 / (1 + sympy.exp(-Z))
BIRTHS = Story(
    Z,
    sympy.log(START / (1 - START)),
    TYPICAL,
    episodes=(Episode(BATCH * CHANCE, GAIN * (1 - CHANCE)),),
)
IN_P = Story(P, START, TYPICAL, episodes=(Episode(BATCH * P, GAIN * P * (1 - P) ** 2),))


def test_moments_are_the_same_in_the_logit_and_in_the_probability():
    logit, chance = onset_moments(BIRTHS, 0), onset_moments(IN_P, HALF)
    for one in (logit, chance):
        closed = [one.story.number(one.mean), one.story.number(one.variance)]
        np.testing.assert_allclose(closed, logit.numbers(), rtol=1e-10)


def test_the_squared_coefficient_of_variation_is_half_a_jump():
    """tanh(h/2) of the birth process, to leading order in h."""
    squared = onset_moments(IN_P, HALF).squared_cv
    assert sympy.limit(squared, IN_P.symbol("p0"), 0) == IN_P.symbol("h") / 2


def test_the_birth_process_itself_has_these_moments():
    rng = np.random.default_rng(4)
    z, waits = np.full(4000, np.log(0.03 / 0.97)), np.zeros(4000)
    while (early := z < 0).any():
        p = 1 / (1 + np.exp(-z))
        waits += np.where(early, rng.exponential(1 / (4.0 * p)), 0.0)
        z += np.where(early, 0.02 * (1 - p), 0.0)
    mean, variance = onset_moments(BIRTHS, 0).numbers()
    assert waits.mean() == pytest.approx(mean, rel=0.02)
    assert waits.var() == pytest.approx(variance, rel=0.08)


def test_the_mechanisms_compute_the_same_moments():
    mean, variance = onset_moments(IN_P, HALF).numbers()
    log_t = np.log(mean) + np.linspace(-0.3, 0.3, 7)[None]
    below, _ = drifting_onsets(
        log_t,
        {"initial_probability": np.array([[0.03]])},
        lambda p: 4.0 * 0.02 * p * (1 - p),
        lambda p: 4.0 * 0.02**2 * p * (1 - p) ** 2,
    )
    expected, _ = gamma_of_moments(log_t, np.array([[mean]]), np.array([[variance]]))
    np.testing.assert_allclose(below, expected, rtol=1e-8)


def test_without_a_closed_form_numbers_remain():
    story = Story(P, START, TYPICAL, episodes=(Episode(P, GAIN * sympy.log(2 + P)),))
    found = onset_moments(story, HALF)
    assert found.mean is None and found.squared_cv is None
    assert found.numbers(h=0.04)[0] == pytest.approx(found.numbers()[0] / 2, rel=1e-9)


def test_a_level_behind_is_refused():
    with pytest.raises(NotDerived, match="does not lead from p0 to 1/100"):
        onset_moments(IN_P, sympy.Rational(1, 100))


def test_immigration_and_death_come_to_rest_in_a_poisson_distribution():
    births, deaths = sympy.symbols("births deaths", positive=True)
    n = sympy.Symbol("n", positive=True)
    story = Story(
        n,
        sympy.Integer(1),
        {"births": 6.0, "deaths": 0.5},
        episodes=(Episode(births, 1), Episode(deaths * n, -1)),
    )
    rest = story.symbol("births") / story.symbol("deaths")
    assert sympy.simplify(stationary_variance(story, rest) - rest) == 0
    with pytest.raises(NotDerived, match="no stable fixed point"):
        stationary_variance(story, 2 * rest)


def test_two_coupled_values_scatter_as_lyapunov_says():
    slopes, noise = np.array([[-1.0, 0.8], [0.0, -0.5]]), np.array([[0.4, 0.1], [0.1, 0.3]])
    covariance = stationary_covariance(slopes, noise)
    np.testing.assert_allclose(slopes @ covariance + covariance @ slopes.T, -noise, atol=1e-12)
    rng, dt, x = np.random.default_rng(2), 0.02, np.zeros((2, 6000))
    root = np.linalg.cholesky(noise * dt)
    for _ in range(700):
        x = x + dt * slopes @ x + root @ rng.standard_normal(x.shape)
    np.testing.assert_allclose(np.cov(x), covariance, rtol=0.07, atol=0.02)
    with pytest.raises(NotDerived, match="not stable"):
        stationary_covariance(-slopes, noise)
