"""Bridge sampling against integrals known exactly."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import multivariate_normal, multivariate_t, norm

from fitting.sampling.bridge import bridge, bridged, effective_size

Array = NDArray[np.float64]

SEEDS = range(20)
LEVEL = 1234.5  # log of the integral of every density below


def draws_of(law: str, seed: int) -> Array:
    """Independent draws (4, 500, 2)."""
    rng = np.random.default_rng(seed)
    if law == "gaussian":
        return rng.multivariate_normal([1.0, -0.5], COVARIANCE, (4, 500))
    if law == "banana":
        x = rng.standard_normal((4, 500, 2))
        return np.stack([x[..., 0], 0.3 * x[..., 1] + x[..., 0] ** 2 - 1], axis=-1)
    return multivariate_t([0, 0], COVARIANCE, df=4, seed=rng).rvs(2000).reshape(4, 500, 2)


COVARIANCE = np.array([[0.5, 0.2], [0.2, 0.2]])


def log_density(law: str, z: Array) -> Array:
    if law == "gaussian":
        return LEVEL + multivariate_normal([1.0, -0.5], COVARIANCE).logpdf(z)
    if law == "banana":
        second = norm(z[:, 0] ** 2 - 1, 0.3).logpdf(z[:, 1])
        return np.asarray(LEVEL + norm.logpdf(z[:, 0]) + second)
    return LEVEL + multivariate_t([0, 0], COVARIANCE, df=4).logpdf(z)


@pytest.mark.parametrize("law", ["gaussian", "banana", "student"])
def test_errors_are_as_large_as_is_said(law: str) -> None:
    found = [
        bridge(draws_of(law, s), lambda z: log_density(law, z), rng=np.random.default_rng(s + 99))
        for s in SEEDS
    ]
    scaled = np.array([(one.log_evidence - LEVEL) / one.se for one in found])
    # Chi-squared with 20 degrees of freedom: 5.9 and 45.3 are its 0.1 and 99.9 % points. Proposal
    # draws are stratified, so errors may be smaller than said.
    assert np.sum(scaled**2) < 45.3
    assert abs(scaled.mean()) < 3.3 / np.sqrt(len(found))
    assert max(one.se for one in found) < 0.05


def test_half_of_a_density_is_half_of_its_integral() -> None:
    """A proposal that reaches where the density is zero."""
    z = np.abs(np.random.default_rng(0).standard_normal((4, 500, 1)))

    def half(x: Array) -> Array:
        return np.where(x[:, 0] > 0, norm.logpdf(x[:, 0]), -np.inf)

    found = bridge(z, half, rng=np.random.default_rng(1))
    assert abs(found.log_evidence - np.log(0.5)) < 4 * found.se
    assert found.se < 0.05


def test_equal_densities_have_no_error() -> None:
    found = bridged(np.full((2, 100), 7.0), np.full(400, 7.0))
    assert found.log_evidence == pytest.approx(7.0, abs=1e-9)
    assert found.se == 0.0


def test_effective_size_of_an_autoregression() -> None:
    """A share (1 - rho) / (1 + rho) of its draws: Gelman et al. 2013, section 11.5."""
    rng, rho, n = np.random.default_rng(2), 0.8, 4000
    x = np.empty((4, n))
    x[:, 0] = rng.standard_normal(4)
    for i in range(1, n):
        x[:, i] = rho * x[:, i - 1] + np.sqrt(1 - rho**2) * rng.standard_normal(4)
    # The estimate sums some 2 / (1 - rho) = 10 correlations, each known to 1 / sqrt(4 n): 25 %.
    assert effective_size(x) == pytest.approx(4 * n * 0.2 / 1.8, rel=0.25)
