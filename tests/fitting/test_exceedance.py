"""Exceedance probabilities of Dirichlet vectors against closed forms and simulation."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import beta

from fitting.runs.exceedance import _largest, exceedance


@pytest.mark.parametrize("first", [0.05, 0.7, 1.0, 12.0, 3000.0])
@pytest.mark.parametrize("second", [0.05, 1.0, 2.5, 3010.0])
def test_two_components_are_the_beta_distribution(first: float, second: float) -> None:
    alpha = np.array([first, second])
    want = [beta.sf(0.5, first, second), beta.cdf(0.5, first, second)]
    np.testing.assert_allclose(exceedance(alpha), want, rtol=1e-10)
    np.testing.assert_allclose(_largest(alpha), want, rtol=0, atol=1e-9)


@pytest.mark.parametrize("k", [3, 5, 20])
@pytest.mark.parametrize("n", [1, 4, 30])
def test_one_gamma_against_exponentials_has_a_closed_form(n: int, k: int) -> None:
    """E[(1 - exp(-x))^(K-1)] for x ~ gamma(n): a sum of the binomial's terms."""
    terms = [(-1) ** j * math.comb(k - 1, j) * (1.0 + j) ** -n for j in range(k)]
    want = math.fsum(terms)
    # The alternating sum itself loses the digits of its largest term.
    lost = 1e-15 * max(abs(term) for term in terms)
    got = exceedance([n, *[1] * (k - 1)])
    assert got[0] == pytest.approx(want, abs=1e-9 + lost)
    np.testing.assert_allclose(got[1:], (1.0 - want) / (k - 1), rtol=0, atol=1e-9 + lost)


@pytest.mark.parametrize("value", [0.02, 1.0, 50.0, 1e5])
@pytest.mark.parametrize("k", [1, 2, 3, 15])
def test_equal_concentrations_are_equally_often_the_largest(value: float, k: int) -> None:
    np.testing.assert_allclose(exceedance(np.full(k, value)), 1.0 / k, rtol=0, atol=1e-9)


@pytest.mark.parametrize("alpha", [[2.0, 3.0, 4.5], [0.2, 1.3, 1.0, 0.7], [40.0, 43.0, 41.0, 5.0]])
def test_simulation_agrees_within_its_error(alpha: list[float]) -> None:
    draws = 400_000
    largest = np.random.default_rng(0).dirichlet(alpha, draws).argmax(axis=1)
    share = np.bincount(largest, minlength=len(alpha)) / draws
    want = exceedance(alpha)
    assert np.all(np.abs(share - want) < 4.0 * np.sqrt(want * (1.0 - want) / draws) + 1e-12)


def test_probabilities_sum_to_one_however_unequal_the_concentrations() -> None:
    rng = np.random.default_rng(1)
    for _ in range(100):
        alpha: NDArray[np.float64] = 10.0 ** rng.uniform(-2.0, 4.0, rng.integers(3, 12))
        assert exceedance(alpha).sum() == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("alpha", [[], [[1.0]], [1.0, 0.0], [1.0, math.nan], [math.inf, 1.0]])
def test_what_is_no_dirichlet_distribution_is_refused(alpha: list[float]) -> None:
    with pytest.raises(ValueError, match="concentrations"):
        exceedance(alpha)
