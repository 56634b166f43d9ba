"""Laws of the onset against closed forms, scipy's distributions, and their known moments."""

import math

import numpy as np
import pytest
from scipy import stats

from theory.mechanisms.one_skill import FEW, births
from theory.onset_laws import (
    exponential,
    gamma,
    gamma_of_moments,
    log_absolute_normal,
    sum_of_exponentials,
)

LOG_T = np.log(np.geomspace(0.02, 30, 60))[None]


def column(value):
    return np.array([[float(value)]])


def moments(tails, log_t):
    """Mean, standard deviation and skewness by integrating the survival function."""
    t, above = np.append(0.0, np.exp(log_t[0])), np.append(1.0, np.exp(tails[1][0]))
    raw = [np.trapezoid(k * t ** (k - 1) * above, t) for k in (1, 2, 3)]
    variance = raw[1] - raw[0] ** 2
    return (
        raw[0],
        math.sqrt(variance),
        (raw[2] - 3 * raw[0] * raw[1] + 2 * raw[0] ** 3) / variance**1.5,
    )


def test_first_hits_are_exponential():
    below, above = exponential(LOG_T, column(0.7))
    exact = stats.expon(scale=1 / 0.7)
    np.testing.assert_allclose(below, exact.logcdf(np.exp(LOG_T)), rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(above, exact.logsf(np.exp(LOG_T)), rtol=1e-10, atol=1e-14)


def test_gamma_onsets_are_scipys_in_both_tails():
    exact = stats.gamma(4.0, scale=2.0)
    below, above = gamma(LOG_T, column(math.log(exact.median())), column(0.5))
    np.testing.assert_allclose(below, exact.logcdf(np.exp(LOG_T)), rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(above, exact.logsf(np.exp(LOG_T)), rtol=1e-9, atol=1e-14)
    again = gamma_of_moments(LOG_T, column(8.0), column(16.0))
    np.testing.assert_allclose(again, (below, above), rtol=1e-9, atol=1e-14)


def test_gamma_onsets_keep_their_order_where_probabilities_underflow():
    log_t = np.linspace(-8, 8, 400)[None]
    below, above = gamma(log_t, column(0.0), column(0.03))
    assert np.all(np.isfinite(below[0, 1:]))
    assert np.all(np.diff(below) >= 0)
    assert np.all(np.diff(above) <= 0)


def test_a_chain_of_waits_has_the_closed_form_of_distinct_rates():
    rates = np.array([0.5, 1.0, 3.0, 8.0])
    weights = [
        np.prod([b / (b - a) for j, b in enumerate(rates) if j != i]) for i, a in enumerate(rates)
    ]
    exact = sum(w * np.exp(-r * np.exp(LOG_T)) for w, r in zip(weights, rates, strict=True))
    below, above = sum_of_exponentials(LOG_T, np.append(rates, np.inf)[None])
    np.testing.assert_allclose(np.exp(above), exact, atol=2e-10)
    np.testing.assert_allclose(np.exp(below), 1 - exact, atol=2e-10)


@pytest.mark.parametrize(("links", "error"), [(40, 1e-9), (80, 1e-5), (200, 1e-9)])
def test_a_chain_of_equal_waits_is_erlang(links, error):
    # With 64 nodes the error of the inversion grows to 1e-5 at a coefficient of variation of
    # 0.1; narrower laws are made of three cumulants, which fix an Erlang distribution.
    rates = np.full((1, links), 2.0)
    log_t = np.log(links / 2) + np.linspace(-0.7, 0.7, 80)[None]
    below, _ = sum_of_exponentials(log_t, rates)
    np.testing.assert_allclose(
        np.exp(below), stats.gamma(links, scale=0.5).cdf(np.exp(log_t)), atol=error
    )


def test_a_geometric_chain_has_the_moments_of_the_birth_process():
    # mean 1/(p0 (1 - e^-h)), CV² = tanh(h/2), skewness 2 (1 - e^-2h)^1.5 / (1 - e^-3h).
    log_t = np.linspace(-9, 5, 6000)[None]
    for h in (0.25, 1.0, 3.0):
        rates = np.exp(h * np.arange(int(40 / h)))[None]
        mean, sd, skewness = moments(sum_of_exponentials(log_t, rates), log_t)
        assert mean == pytest.approx(1 / (1 - math.exp(-h)), rel=1e-4)
        assert (sd / mean) ** 2 == pytest.approx(math.tanh(h / 2), rel=1e-3)
        exact = 2 * (1 - math.exp(-2 * h)) ** 1.5 / (1 - math.exp(-3 * h))
        assert skewness == pytest.approx(exact, rel=2e-3)


def test_growth_from_a_random_start_has_its_own_spread_and_skewness():
    # Of -ln|N(0, 1)|: sd π/(2 √2) = 1.111, skewness 1.535, at any rate and scale.
    for at_one, rate in ((8.0, 1.0), (20.0, 0.5)):
        t = np.linspace(1e-3, (at_one + 14) / rate, 40_000)
        tails = log_absolute_normal(np.log(t)[None], column(at_one), column(rate))
        _, sd, skewness = moments(tails, np.log(t)[None])
        assert sd * rate == pytest.approx(math.pi / (2 * math.sqrt(2)), rel=2e-3)
        assert skewness == pytest.approx(1.535, abs=0.01)


def test_a_table_is_the_law_but_for_the_length_of_the_chain():
    rng = np.random.default_rng(0)
    n = 60
    log_t = np.log(300.0) + np.linspace(-2, 2, 40)[None] + np.zeros((n, 1))
    given = {
        "batch_size": np.ones((n, 1)),
        "initial_probability": np.full((n, 1), 0.01),
        "step_factor": np.exp(0.1 * rng.standard_normal((n, 1))),
    }
    jump = 0.4 * given["step_factor"]
    table = births(log_t, given, jump)
    direct = np.hstack(
        [
            np.array(births(log_t[part], {k: v[part] for k, v in given.items()}, jump[part]))
            for part in (slice(0, FEW), slice(FEW, n))
        ]
    )
    # The last link weighs 1/p of a mean of 1/(p0 (1 - e^-h)): 2 of 300 updates, times a density
    # of at most 1/CV = 2 in ln t.
    for one_tail, other in zip(direct, table, strict=True):
        np.testing.assert_allclose(np.exp(one_tail), np.exp(other), atol=2 * 2 / 300)


def test_any_number_of_settings_and_any_pace_has_a_law():
    rng = np.random.default_rng(0)
    for n in (1, FEW, FEW + 1, 300):
        for sd in (0.1, 3.0):
            given = {
                "batch_size": np.ones((n, 1)),
                "initial_probability": np.full((n, 1), 0.05),
            }
            jump = 0.5 * np.exp(sd * rng.standard_normal((n, 1)))
            log_t = np.log(np.geomspace(1, 1e6, 20))[None] + np.zeros((n, 1))
            below, above = births(log_t, given, jump, np.full((n, 1), 2.0))
            np.testing.assert_allclose(np.exp(below) + np.exp(above), 1.0, atol=0.02)
