"""A share integrated over nodes, against dense quadrature of the same likelihood."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import simpson

from fitting.sampling.target import Target
from theory.curve import Curve
from theory.forms import FORMS
from theory.hypothesis import Hypothesis, default_hypothesis
from theory.noise import NOISES

Array = NDArray[np.float64]


def two_stages(sd: float, first: float) -> Curve:
    t = np.linspace(1.0, 100.0, 40)
    y = first / (1 + np.exp(-0.4 * (t - 25))) + (1 - first) / (1 + np.exp(-0.3 * (t - 70)))
    return Curve("x", t, y + sd * np.random.default_rng(3).standard_normal(40))


@pytest.mark.parametrize("sd", [0.002, 0.05, 0.5])
@pytest.mark.parametrize("first", [0.0, 0.02, 0.4])
def test_the_integral_over_the_share_is_that_of_quadrature(sd: float, first: float) -> None:
    curve = two_stages(sd, first)
    hypothesis = default_hypothesis(FORMS["double_logistic"], NOISES["white"], curve)
    target = Target(hypothesis, curve)
    assert target.names == ("rate_1", "midpoint_1", "rate_2", "midpoint_2", "sd_white")
    # Where the two stages are, where one lies beyond the curve, and where both are one.
    natural = np.array(
        [[0.4, 25.0, 0.3, 70.0, sd], [0.4, 25.0, 0.3, 600.0, sd], [0.2, 40.0, 0.2, 40.1, 0.3]]
    )
    z = hypothesis.standard(natural, target.names)
    got = target.log_likelihood(target.sums(z))
    want = [quadrature(hypothesis, curve, row) for row in natural]
    # Trapezoids h = 0.25 sqrt(1 + x^2) wide, x in standard errors, are good to
    # int h^2 f'' / 12 = 1 % of a normal density, and 1.6 % of an exponential one at an edge.
    np.testing.assert_allclose(got, want, rtol=0, atol=0.02)


def quadrature(hypothesis: Hypothesis, curve: Curve, row: Array) -> float:
    """Integrate floor and gain as one Gaussian of the data, the share by Simpson's rule."""
    sd = row[-1]
    share = 0.5 * (1.0 - np.cos(np.linspace(0.0, np.pi, 2001)))
    nonlinear = np.column_stack((share, np.tile(row[:-1], (len(share), 1))))
    design = hypothesis.form.design(curve.t, nonlinear)
    ((_, center, floor_sd),) = hypothesis.priors["floor"].gaussians
    parts = []
    for weight, _, gain_sd in hypothesis.priors["gain"].gaussians:
        covariance = (design * np.array([floor_sd, gain_sd]) ** 2) @ design.swapaxes(1, 2)
        covariance += sd**2 * np.eye(curve.n_obs)
        residual = np.tile((curve.y - center)[None, :, None], (len(share), 1, 1))
        square = (residual * np.linalg.solve(covariance, residual)).sum(axis=(1, 2))
        log_det = np.linalg.slogdet(2 * np.pi * covariance)[1]
        parts.append(np.log(weight) - 0.5 * (square + log_det))
    density = np.logaddexp(*parts)
    top = density.max()
    return float(top + np.log(simpson(np.exp(density - top), x=share)))


def test_drawn_shares_have_the_posterior_of_quadrature() -> None:
    curve = two_stages(0.05, 0.4)
    hypothesis = default_hypothesis(FORMS["double_logistic"], NOISES["white"], curve)
    target = Target(hypothesis, curve)
    z = hypothesis.standard(np.array([[0.4, 25.0, 0.3, 70.0, 0.05]]), target.names)
    n = 20_000
    sums = target.sums(z).at(np.zeros(n, dtype=np.intp))
    drawn, value = target.draw_integrated(sums, rng=np.random.default_rng(0))
    floor, gain, share = drawn.T
    theta = np.column_stack((floor, gain, share, np.tile([0.4, 25.0, 0.3, 70.0, 0.05], (n, 1))))
    np.testing.assert_allclose(value, hypothesis.log_likelihood(theta, curve), rtol=1e-9)
    # Almost linear in (floor, gain, gain * share), the likelihood alone gives mean and spread.
    columns = FORMS["double_logistic"].divided_design(curve.t, [[0.4, 25.0, 0.3, 70.0]])[0]
    covariance = 0.05**2 * np.linalg.inv(columns.T @ columns)
    best = covariance @ columns.T @ curve.y / 0.05**2
    parts = np.column_stack((floor, gain, gain * share))
    sd = np.sqrt(np.diag(covariance))
    # Weak priors pull by less than a tenth of an sd here; the rest is Monte-Carlo error.
    assert np.all(np.abs(parts.mean(axis=0) - best) < (0.1 + 5 / np.sqrt(n)) * sd)
    np.testing.assert_allclose(parts.std(axis=0), sd, rtol=0.03)
