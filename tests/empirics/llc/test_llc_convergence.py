import arviz
import numpy as np
import pytest
from scipy.signal import lfilter

from empirics.llc.convergence import effective_sample_size, split_rhat


def autoregressive(correlation, shape, seed=0):
    noise = np.random.default_rng(seed).normal(size=shape)
    return lfilter([1.0], [1.0, -correlation], noise, axis=1)


CASES = {
    "independent": autoregressive(0.0, (4, 100)),
    "sticky": autoregressive(0.9, (4, 200)),
    "alternating": autoregressive(-0.7, (3, 150)),
    "stuck": autoregressive(0.99, (2, 64)),
    "odd length": autoregressive(0.5, (3, 101)),
    "one chain": autoregressive(0.5, (1, 80)),
    "few draws": autoregressive(0.3, (4, 8)),
    "apart": autoregressive(0.5, (4, 120)) + np.arange(4)[:, None],
    "drifting": autoregressive(0.5, (4, 120)) + np.linspace(0, 5, 120),
}


@pytest.mark.parametrize("draws", [c for n, c in CASES.items() if n != "one chain"])
def test_split_rhat_is_arviz_s(draws):
    assert split_rhat(draws) == pytest.approx(arviz.rhat(draws, method="split"), rel=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_effective_sample_size_is_arviz_s(name):
    draws = CASES[name]
    expected = arviz.ess(draws, method="mean")
    assert effective_sample_size(draws) == pytest.approx(expected, rel=1e-9)


def test_effective_sample_size_of_an_autoregression():
    """Its correlation time is (1 + φ)/(1 - φ).

    The estimate of that time has the relative error sqrt(2(2M + 1)/N), M lags summed (Sokal 1997);
    the noise ends the sum of φ = 1/2 before lag 20.
    """
    draws = autoregressive(0.5, (4, 20_000), seed=3)
    error = np.sqrt(2 * 41 / draws.size)
    assert effective_sample_size(draws) == pytest.approx(draws.size / 3, rel=3 * error)


def test_chains_that_stand_still_agree_only_where_they_are_equal():
    assert split_rhat(np.ones((3, 10))) == 1.0
    assert split_rhat(np.arange(3.0)[:, None] * np.ones(10)) == np.inf
    assert effective_sample_size(np.ones((3, 10))) == 30
