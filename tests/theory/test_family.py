"""The family is a property of the shape on the window."""

import numpy as np
import pytest

from theory.family import PROMINENCE, STRAIGHT, Family, classify, family_grid
from theory.forms import FORMS

EVEN = np.linspace(0.0, 10.0, 200)
LOGARITHMIC = np.geomspace(1e-3, 10.0, 60)
NONE, SATURATING, SIGMOID, MULTISTAGE, TRANSIENT = Family


def family_of(name, theta, observed=EVEN, scale=None):
    t = family_grid(observed)
    y = FORMS[name](t, theta)
    return tuple(Family)[classify(t, y, scale=np.ptp(y) if scale is None else scale)]


KNOWN = [
    ("constant", (3.0,), NONE),
    ("linear", (3.0, 1.0), NONE),
    ("exponential_approach", (0, 1, 1.0), SATURATING),
    ("power_law_approach", (0, 1, 1.0, 0.3), SATURATING),
    ("hyperbolic", (0, 1, 1.0), SATURATING),
    ("delayed_exponential", (0, 1, 1.0, 0.02), SATURATING),
    ("delayed_exponential", (0, 1, 1.0, 3.0), SIGMOID),
    ("logistic", (0, 1, 2.0, 5.0), SIGMOID),
    ("logistic", (0, 1, 2.0, 9.0), SIGMOID),
    # Only the accelerating half is on the window; only the decelerating half; the tail.
    ("logistic", (0, 1, 1.0, 12.0), SIGMOID),
    ("logistic", (0, 1, 1.0, 0.0), SATURATING),
    ("logistic", (0, 10, 1.0, -3.0), SATURATING),
    ("gompertz", (0, 1, 1.0, 5.0), SIGMOID),
    ("richards", (0, 1, 2.0, 5.0, 0.1), SIGMOID),
    ("richards", (0, 1, 2.0, 5.0, 10.0), SIGMOID),
    ("hill", (0, 1, 2.0, 0.5), SATURATING),
    ("hill", (0, 1, 2.0, 1.0), SATURATING),
    ("hill", (0, 1, 2.0, 2.0), SIGMOID),
    ("hill", (0, 1, 5.0, 20.0), SIGMOID),
    ("weibull", (0, 1, 2.0, 0.4), SATURATING),
    ("weibull", (0, 1, 2.0, 1.0), SATURATING),
    # Its rate starts at zero, but the acceleration is over before anything has happened.
    ("weibull", (0, 1, 2.0, 1.05), SATURATING),
    ("weibull", (0, 1, 2.0, 3.0), SIGMOID),
    ("double_logistic", (0, 1, 0.5, 5.0, 3.0, 5.0, 7.0), MULTISTAGE),
    ("double_logistic", (0, 1, 0.1, 5.0, 3.0, 5.0, 7.0), MULTISTAGE),
    ("double_logistic", (0, 1, 0.9, 5.0, 3.0, 50.0, 7.0), MULTISTAGE),
    # A second step of 2 %; two steps that melt into one; a spike of the rate without mass.
    ("double_logistic", (0, 1, 0.98, 5.0, 3.0, 5.0, 7.0), SIGMOID),
    ("double_logistic", (0, 1, 0.5, 2.0, 4.5, 2.0, 5.5), SIGMOID),
    ("double_logistic", (0, 1, 0.98, 1.0, 0.0, 500.0, 7.0), SATURATING),
    ("double_logistic", (0, 1, 0.02, 500.0, 2.0, 1.5, 6.0), SIGMOID),
    ("signed_double_logistic", (0, 1, -0.5, 5.0, 3.0, 5.0, 7.0), TRANSIENT),
    ("signed_double_logistic", (0, 1, -3.0, 5.0, 3.0, 5.0, 7.0), TRANSIENT),
    ("signed_double_logistic", (0, 1, -0.03, 5.0, 3.0, 5.0, 7.0), SIGMOID),
    ("signed_double_logistic", (0, 1, 1.0, 5.0, 3.0, 5.0, 7.0), MULTISTAGE),
    ("bump", (0, 1, 2.0, 1.0), TRANSIENT),
    # Its decay lies beyond the window.
    ("bump", (0, 1, 9.0, 1.0), SATURATING),
    ("broken_power_law", (0, 1, 0.5, 0.5, 5.0, 0.2), SATURATING),
    ("broken_power_law", (0, 1, 3.0, 3.0, 5.0, 0.2), SIGMOID),
    ("broken_power_law", (0, 1, 2.0, 0.5, 5.0, 0.1), SIGMOID),
    # A rate that falls and rises again: two humps, each seen in part.
    ("broken_power_law", (0, 1, 0.4, 4.0, 8.0, 0.1), MULTISTAGE),
    ("step", (0, 1, 5.0), SIGMOID),
    ("hockey_stick", (0, 1, 5.0), SIGMOID),
    ("hockey_stick", (0, 1, 12.0), NONE),
    ("soft_hockey_stick", (0, 1, 5.0, 0.5), SIGMOID),
    ("logarithmic", (0, 1, 1.0), SATURATING),
    ("inverse_log", (0, 1, 0.5), SATURATING),
    ("power_growth", (0, 1, 1.0, 0.5), SATURATING),
    ("power_growth", (0, 0.1, 1.0, 2.0), SIGMOID),
    ("apex", (0, 1, 0.2, 1.0, 0.5), SATURATING),
    ("biexponential", (0, 1, 0.5, 3.0, 3.0), SATURATING),
    ("probit", (0, 1, 2.0, 5.0), SIGMOID),
    ("normalized_policy_gradient", (0, 1, 2.0, 5.0), SIGMOID),
    ("softmax_policy_gradient", (0, 1, 2.0, 5.0), SIGMOID),
    ("softmax_policy_gradient", (0, 1, 2.0, 0.0), SATURATING),
    ("reversed_gompertz", (0, 1, 2.0, 5.0), SIGMOID),
    ("logistic_with_drift", (0, 1, 0.02, 2.0, 5.0), SIGMOID),
    ("logistic_with_drift", (0, 1, -0.1, 2.0, 5.0), TRANSIENT),
    ("lognormal", (0, 1, 2.0, 0.5), SATURATING),
    ("lognormal", (0, 1, 3.0, 5.0), SIGMOID),
    ("bertalanffy", (0, 1, 2.0, 1.0), SATURATING),
    ("bertalanffy", (0, 1, 3.0, 3.0), SIGMOID),
    ("erlang", (0, 1, 2.0, 1.0), SATURATING),
    ("erlang", (0, 1, 3.0, 4.0), SIGMOID),
    ("gamma_bump", (0, 1, 3.0, 3.0), TRANSIENT),
    ("logistic_pulse", (0, 1, 2.0, 5.0), TRANSIENT),
    ("overshoot", (0, 1, 3.0, 1.0), TRANSIENT),
    # It overshoots by less than 2 % of the gain.
    ("overshoot", (0, 1, 3.0, 4.0), SIGMOID),
    ("triple_logistic", (0, 1, 0.5, 0.45, 8.0, 2.0, 8.0, 5.0, 8.0, 8.0), MULTISTAGE),
    ("doubly_broken_power_law", (0, 1, 0.5, 0.5, 0.5, 3.0, 6.0, 0.2), SATURATING),
    ("doubly_broken_power_law", (0, 1, 3.0, 0.3, 3.0, 2.0, 6.0, 0.1), MULTISTAGE),
]


@pytest.mark.parametrize(("name", "theta", "family"), KNOWN)
@pytest.mark.parametrize("observed", [EVEN, LOGARITHMIC], ids=["even", "logarithmic"])
def test_known_shapes(name, theta, family, observed):
    assert family_of(name, theta, observed, scale=1.0) is family


def test_every_form_is_among_the_known_shapes():
    assert {name for name, _, _ in KNOWN} == set(FORMS)


@pytest.mark.parametrize(("name", "theta", "family"), KNOWN)
@pytest.mark.parametrize("b", [-1.0, 40.0, -1e-6])
@pytest.mark.parametrize("a", [1e-6, 1e6])
def test_equivariance_and_sign_symmetry(name, theta, family, a, b):
    t = family_grid(EVEN)
    y = b * FORMS[name](t, theta) + 5.0 * abs(b)
    assert tuple(Family)[classify(a * t, y, scale=abs(b))] is family


def test_classification_is_the_same_one_by_one_and_together():
    rng = np.random.default_rng(0)
    t = family_grid(EVEN)
    low, high = np.array([[0, 1], [-1, 2], [-1, 2], [0.5, 9], [0, 5], [0.5, 9], [5, 10]]).T
    theta = rng.uniform(low, high, (4, 100, 7))
    y = FORMS["signed_double_logistic"](t, theta)
    together = classify(t, y, scale=1.0)
    assert together.shape == (4, 100)
    assert together.dtype == np.int8
    one_by_one = [classify(t, curve, scale=1.0) for curve in y.reshape(400, -1)]
    np.testing.assert_array_equal(together.ravel(), one_by_one)
    assert set(np.unique(together)) >= {2, 3, 4}


def test_a_reversal_counts_from_the_stated_share_on():
    for share, family in ((PROMINENCE * 0.98, SIGMOID), (PROMINENCE * 1.02, TRANSIENT)):
        assert family_of("signed_double_logistic", (0, 1, -share, 9, 3, 9, 7)) is family


def test_a_second_hump_counts_from_the_stated_share_on():
    for share, family in ((PROMINENCE * 0.98, SIGMOID), (PROMINENCE * 1.02, MULTISTAGE)):
        assert family_of("double_logistic", (0, 1, 1 - share, 9, 3, 9, 7)) is family


def test_a_bend_counts_from_the_stated_share_of_the_scale_on():
    # The root mean square deviation of t² from its best line on [0, 1] is 1/(6·√5).
    t = np.linspace(0.0, 1.0, 100_001)
    rms = 1 / (6 * np.sqrt(5))
    for share, family in ((STRAIGHT * 0.999, NONE), (STRAIGHT * 1.001, SIGMOID)):
        code = classify(t, share / rms * t**2, scale=1.0)
        assert tuple(Family)[code] is family


def test_hill_seen_whole_turns_sigmoid_near_the_stated_exponent():
    assert family_of("hill", (0, 1, 0.5, 1.5)) is SATURATING
    assert family_of("hill", (0, 1, 0.5, 1.65)) is SIGMOID


def test_constant_data_are_none_whatever_the_scale():
    t = family_grid(EVEN)
    assert classify(t, np.full(t.shape, 0.1), scale=0.0) == 0


@pytest.mark.parametrize("observed", [EVEN, LOGARITHMIC, np.array([1.0, 2.0, 1e9])])
def test_the_grid_covers_the_window_and_follows_the_observed_times(observed):
    grid = family_grid(observed)
    assert grid[0] == observed[0]
    assert grid[-1] == observed[-1]
    gaps = np.diff(grid)
    assert (gaps > 0).all()
    assert gaps.max() <= (observed[-1] - observed[0]) / 90
    assert 100 <= len(grid) <= 201


def test_an_early_rise_on_a_logarithmic_axis_is_seen():
    observed = np.geomspace(1.0, 1e6, 60)
    assert family_of("logistic", (0, 1, 0.1, 100.0), observed) is SIGMOID


@pytest.mark.parametrize(
    ("t", "y", "scale", "message"),
    [
        ([0.0, 1.0], [0.0, 1.0], 1.0, "at least three times"),
        ([0.0, 2.0, 1.0], [0.0, 1.0, 2.0], 1.0, "strictly increasing"),
        ([0.0, 1.0, 2.0], [0.0, 1.0], 1.0, "must have 3 values on its last axis"),
        ([0.0, 1.0, 2.0], [0.0, np.nan, 2.0], 1.0, "must be finite; 1 values are not"),
        ([0.0, 1.0, 2.0], [0.0, 1.0, 2.0], -1.0, "scale must be finite and not negative"),
    ],
)
def test_bad_input_is_named(t, y, scale, message):
    with pytest.raises(ValueError, match=message):
        classify(t, y, scale=scale)


def test_a_window_needs_two_times():
    with pytest.raises(ValueError, match="at least two times"):
        family_grid([1.0])
