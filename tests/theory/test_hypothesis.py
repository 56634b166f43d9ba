"""Hypotheses: complete, checked, and with priors that move with the units of the curve."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from theory.curve import Curve
from theory.forms import FORMS
from theory.hypothesis import Hypothesis, center_and_extent, default_hypothesis
from theory.noise import NOISES, NoiseKind
from theory.prior import Normal, TimeLocation

CURVE = Curve("x", np.linspace(0, 10, 21), np.sin(np.linspace(0, 2, 21)) + 0.3)


# Forms leave [0, 1], where counts are impossible; known errors have nothing to fit.
@pytest.mark.parametrize("noise", sorted(set(NOISES) - {"known_se", "binomial", "beta_binomial"}))
@pytest.mark.parametrize("form", sorted(FORMS))
def test_every_default_hypothesis_is_complete_and_reasoned(form: str, noise: str) -> None:
    hypothesis = default_hypothesis(FORMS[form], NOISES[noise], CURVE)
    assert tuple(hypothesis.priors) == hypothesis.names
    assert all(prior.because.endswith(".") for prior in hypothesis.priors.values())
    # Only a Gaussian likelihood is integrated over floor and gain in closed form.
    assert set(hypothesis.linear) == (set(FORMS[form].linear) if NOISES[noise].gaussian else set())
    theta = hypothesis.draw_prior(50, rng=np.random.default_rng(1))
    assert np.all(np.isfinite(hypothesis.log_likelihood(theta, CURVE)))
    assert np.all(np.isfinite(hypothesis.log_prior(theta)))
    for i, parameter in enumerate(FORMS[form].parameters):
        assert np.all((theta[:, i] > parameter.lower) & (theta[:, i] < parameter.upper))


@pytest.mark.parametrize(("a", "b", "c"), [(3.0, 0.25, -7.0), (1e5, -40.0, 2.0)])
@pytest.mark.parametrize("form", sorted(FORMS))
def test_priors_move_with_the_units(form: str, a: float, b: float, c: float) -> None:
    moved = Curve("x", a * CURVE.t, b * CURVE.y + c)
    z = np.random.default_rng(2).normal(size=(20, len(FORMS[form].names) + 3))
    here = default_hypothesis(FORMS[form], NOISES["ou_white"], CURVE)
    there = default_hypothesis(FORMS[form], NOISES["ou_white"], moved)
    x, y = here.transport(z), there.transport(z)
    units = {"y": abs(b), "t": a, "1/t": 1 / a, "y/t": abs(b) / a, "": 1.0}
    scales = [units[p.unit] for p in FORMS[form].parameters] + [abs(b), a, abs(b)]
    for i, (name, scale) in enumerate(zip(here.names, scales, strict=True)):
        if name == "floor":
            m, _ = center_and_extent(CURVE)
            np.testing.assert_allclose(y[:, i] - (b * m + c), scale * (x[:, i] - m), rtol=1e-8)
        elif here.priors[name].gaussians:
            np.testing.assert_allclose(y[:, i], scale * x[:, i], rtol=1e-8, atol=1e-12 * scale)
        else:
            # Rates fall where times grow: the same numbers in the new unit.
            np.testing.assert_allclose(y[:, i], scale * x[:, i], rtol=1e-9)


@pytest.mark.parametrize(("a", "b", "c"), [(3.0, 0.25, -7.0), (1e5, -40.0, 2.0)])
@pytest.mark.parametrize("noise", sorted(NOISES))
def test_priors_of_noise_move_with_the_units(noise: str, a: float, b: float, c: float) -> None:
    moved = Curve("x", a * CURVE.t, b * CURVE.y + c)
    here, there = (
        default_hypothesis(FORMS["constant"], NOISES[noise], curve) for curve in (CURVE, moved)
    )
    names = NOISES[noise].names
    z = np.random.default_rng(2).normal(size=(20, len(names)))
    units = {NoiseKind.SD: abs(b), NoiseKind.TIME: a}
    scales = [units.get(parameter.kind, 1.0) for parameter in NOISES[noise].parameters]
    want = here.transport(z, names) * scales
    np.testing.assert_allclose(there.transport(z, names), want, rtol=1e-9)
    assert all(here.priors[name].because.endswith(".") for name in names)


def test_priors_of_the_shapes_of_noise() -> None:
    edges = np.array([-40.0, 40.0])
    for noise, name, ends in (
        ("student_t", "freedom", [2.0, 100.0]),
        ("beta_binomial", "overdispersion", [1e-3, 0.5]),
        ("moving_average", "window", [0.5, 10.0]),  # smallest gap to the last t
    ):
        hypothesis = default_hypothesis(FORMS["constant"], NOISES[noise], CURVE)
        np.testing.assert_allclose(hypothesis.priors[name].transport(edges), ends, rtol=1e-12)


def test_default_priors_are_those_of_the_design() -> None:
    hypothesis = default_hypothesis(FORMS["logistic"], NOISES["ou_white"], CURVE)
    low, high = np.quantile(CURVE.y, [0.025, 0.975])
    extent = high - low
    assert hypothesis.priors["floor"].gaussians == ((1.0, 0.5 * (low + high), extent),)
    assert hypothesis.priors["gain"].gaussians == ((0.5, 0.0, extent), (0.5, 0.0, 5 * extent))
    edges = np.array([-40.0, 40.0])
    for name in ("sd_white", "sd_wander"):
        got = hypothesis.priors[name].transport(edges)
        np.testing.assert_allclose(got, [1e-4 * extent, extent], rtol=1e-12)
    got = hypothesis.priors["correlation_time"].transport(edges)
    np.testing.assert_allclose(got, [0.5, 10.0], rtol=1e-12)
    factor = FORMS["logistic"].parameters[FORMS["logistic"].names.index("rate")].width_factor
    got = factor / hypothesis.priors["rate"].transport(edges)
    np.testing.assert_allclose(got, [20.0, 0.5], rtol=1e-12)  # 2 T to the median gap
    assert isinstance(hypothesis.priors["midpoint"], TimeLocation)


def test_scale_widens_floor_gain_and_slope_only() -> None:
    one = default_hypothesis(FORMS["logistic"], NOISES["white"], CURVE)
    two = default_hypothesis(FORMS["logistic"], NOISES["white"], CURVE, scale=2.0)
    for name in one.names:
        if name in ("floor", "gain"):
            wider = [(w, m, 2 * sd) for w, m, sd in one.priors[name].gaussians]
            np.testing.assert_allclose(two.priors[name].gaussians, wider, rtol=1e-14)
        else:
            np.testing.assert_array_equal(
                one.priors[name].ppf([0.1, 0.6]), two.priors[name].ppf([0.1, 0.6])
            )


def test_declared_support_replaces_the_range_and_rare_spikes_count() -> None:
    supported = replace(CURVE, y=CURVE.y / 2, support=(0.0, 1.0))
    assert center_and_extent(supported) == (0.5, 1.0)
    spike = np.zeros(200)
    spike[17] = 3.0
    assert center_and_extent(Curve("x", np.arange(1.0, 201), spike)) == (1.5, 3.0)


def test_ordered_midpoints_are_order_statistics() -> None:
    hypothesis = default_hypothesis(FORMS["double_logistic"], NOISES["white"], CURVE)
    z = np.random.default_rng(3).normal(size=(20000, len(hypothesis.names)))
    theta = hypothesis.transport(z)
    first, second = (hypothesis.names.index(f"midpoint_{i}") for i in (1, 2))
    assert np.all(theta[:, first] <= theta[:, second])
    prior = hypothesis.priors["midpoint_1"]
    for x in (2.0, 5.0, 8.0):
        u = norm.cdf(prior.standard(x))  # P(min < x) = 1 - (1 - u)^2, P(max < x) = u^2
        se = 0.5 / np.sqrt(len(z))
        assert abs(np.mean(theta[:, first] < x) - (1 - (1 - u) ** 2)) < 4 * se
        assert abs(np.mean(theta[:, second] < x) - u**2) < 4 * se
    separate = sum(hypothesis.priors[n].logpdf(theta[:, i]) for i, n in enumerate(hypothesis.names))
    np.testing.assert_allclose(hypothesis.log_prior(theta), separate + np.log(2), rtol=1e-12)
    swapped = theta.copy()
    swapped[:, [first, second]] = theta[:, [second, first]]
    assert np.all(np.isneginf(hypothesis.log_prior(swapped)))
    sorted_z = hypothesis.ordered(z)
    inner = np.all(np.abs(z) < 3, axis=1)
    np.testing.assert_allclose(
        hypothesis.standard(theta)[inner], sorted_z[inner], rtol=1e-6, atol=1e-6
    )


def test_incomplete_hypotheses_are_refused() -> None:
    good = default_hypothesis(FORMS["logistic"], NOISES["white"], CURVE)
    priors = dict(good.priors)
    with pytest.raises(ValueError, match=r"needs a prior for \['gain'\]"):
        Hypothesis(good.form, good.noise, {k: v for k, v in priors.items() if k != "gain"})
    with pytest.raises(ValueError, match=r"priors for \['gian'\], which it does not name"):
        Hypothesis(good.form, good.noise, {**priors, "gian": priors["gain"]})
    two = default_hypothesis(FORMS["double_logistic"], NOISES["white"], CURVE)
    with pytest.raises(ValueError, match="one common prior"):
        Hypothesis(two.form, two.noise, {**two.priors, "midpoint_2": Normal(1.0, 1.0)})


def test_curves_that_cannot_be_fitted_are_refused_in_a_sentence() -> None:
    t = np.array([1.0, 2.0, 3.0, 4.0])
    with pytest.raises(ValueError, match="y must vary to be fitted; loss is 2.0 at all 4 points"):
        default_hypothesis(FORMS["linear"], NOISES["white"], Curve("loss", t, np.full(4, 2.0)))
    with pytest.raises(ValueError, match="at least 3 points; loss has 2"):
        default_hypothesis(FORMS["linear"], NOISES["white"], Curve("loss", t[:2], t[:2]))
    with pytest.raises(ValueError, match="scale must be positive"):
        default_hypothesis(FORMS["linear"], NOISES["white"], Curve("loss", t, t), scale=0.0)


def test_hypotheses_pickle() -> None:
    hypothesis = default_hypothesis(FORMS["logistic"], NOISES["ou_white"], CURVE)
    again = pickle.loads(pickle.dumps(hypothesis))
    assert again.name == "logistic × ou_white"
    z = np.zeros((1, len(hypothesis.names)))
    np.testing.assert_array_equal(again.transport(z), hypothesis.transport(z))
    with pytest.raises(TypeError):
        again.priors["gain"] = Normal(0.0, 1.0)
