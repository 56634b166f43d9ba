"""Priors: transports against quadrature and each other, in both tails."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtri
from scipy.stats import norm

from theory.prior import LogNormal, LogUniform, Normal, Prior, ScaleMixture, TimeLocation, Uniform

TIMES = (0.5, 1.0, 1.5, 4.0, 9.0)
PRIORS: tuple[Prior, ...] = (
    Normal(-2.0, 3.0),
    LogNormal(0.3, 0.7),
    ScaleMixture((0.5, 0.5), 1.0, (2.0, 10.0)),
    ScaleMixture((0.2, 0.8), 0.0, (1e-3, 1e3)),
    Uniform(-1.0, 4.0),
    LogUniform(1e-3, 50.0),
    TimeLocation(TIMES),
)
Z = np.linspace(-6, 6, 61)


@pytest.mark.parametrize("prior", PRIORS)
def test_transport_increases_and_standard_is_its_inverse(prior: Prior) -> None:
    x = prior.transport(Z)
    assert np.all(np.diff(x) >= 0)
    inner = np.abs(Z) <= 4  # beyond, bounded priors have used up their digits
    np.testing.assert_allclose(prior.standard(x[inner]), Z[inner], rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("prior", PRIORS)
def test_density_is_that_of_the_transport(prior: Prior) -> None:
    z = np.linspace(-3, 3, 25) + 0.0123  # off the joints of the piecewise prior
    slope = (prior.transport(z + 1e-6) - prior.transport(z - 1e-6)) / 2e-6
    np.testing.assert_allclose(
        prior.logpdf(prior.transport(z)) + np.log(slope), norm.logpdf(z), rtol=0, atol=1e-4
    )


@pytest.mark.parametrize("prior", PRIORS[4:])
def test_density_integrates_to_one(prior: Prior) -> None:
    edges = np.unique(prior.transport(np.array([-40.0, *ndtri(np.linspace(0.01, 0.99, 99)), 40.0])))
    edges = np.unique(np.concatenate([edges, TIMES]))
    edges = edges[(edges >= prior.transport(-40.0)) & (edges <= prior.transport(40.0))]
    total = sum(
        quad(lambda x: float(np.exp(prior.logpdf(x))), a, b)[0]
        for a, b in zip(edges[:-1], edges[1:], strict=True)
    )
    assert total == pytest.approx(1, abs=1e-6)


def test_scale_mixture_quantiles_are_exact_far_in_both_tails() -> None:
    prior = ScaleMixture((0.5, 0.5), 0.0, (1.0, 5.0))
    z = np.array([-30.0, -8.0, -1e-4, 0.0, 1e-4, 8.0, 30.0])
    x = prior.transport(z)
    # Far out only the wide component is left: sf(x) = sf_5(x) / 2.
    np.testing.assert_allclose(norm.logsf(x[-1] / 5) + np.log(0.5), norm.logsf(30.0), rtol=1e-12)
    np.testing.assert_allclose(x, -x[::-1], rtol=0, atol=0)
    # At the middle the density is the mean of both densities.
    np.testing.assert_allclose(x[4] / 1e-4, 1 / (0.5 * 1 + 0.5 / 5), rtol=1e-7)


def test_time_location_has_its_masses_where_they_are_said_to_be() -> None:
    prior = TimeLocation(TIMES)
    np.testing.assert_allclose(prior.ppf(0.1), TIMES[0], rtol=1e-12)
    np.testing.assert_allclose(prior.ppf(0.9), TIMES[-1], rtol=1e-12)
    np.testing.assert_allclose(prior.ppf([0.3, 0.5, 0.7]), TIMES[1:-1], rtol=1e-12)
    np.testing.assert_allclose(prior.ppf([0.05, 0.95]), [0.05, 9 * 10**0.5], rtol=1e-12)
    np.testing.assert_allclose(prior.transport([-40, 40]), [0.005, 90], rtol=1e-12)
    np.testing.assert_array_equal(prior.logpdf([0.004, 91.0]), [-np.inf, -np.inf])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Normal(0.0, 0.0), "positive, finite sd"),
        (lambda: Uniform(1.0, 1.0), "lower < upper"),
        (lambda: LogUniform(0.0, 1.0), "positive, finite lower"),
        (lambda: ScaleMixture((0.5, 0.6), 0.0, (1.0, 2.0)), "sum to 1"),
        (lambda: ScaleMixture((1.0,), 0.0, (1.0, 2.0)), "one weight for each sd"),
        (lambda: TimeLocation((0.0, 1.0)), "positive, strictly increasing"),
    ],
)
def test_impossible_priors_are_refused(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()  # type: ignore[operator]
