"""Published truths: what is known of the forms in closed form."""

import math

import numpy as np
import pytest
from scipy import special, stats
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from theory.forms import FORMS
from theory.parameter import Kind

T = np.linspace(0.0, 20.0, 101)

AT = [
    # form, shape parameters, time, share of the gain reached
    ("logistic", {"rate": 3.0, "midpoint": 2.0}, 2.0, 1 / 2),
    ("gompertz", {"rate": 3.0, "midpoint": 2.0}, 2.0, 1 / math.e),
    ("richards", {"rate": 3.0, "midpoint": 2.0, "exponent": 0.2}, 2.0, 1 / 2),
    ("richards", {"rate": 3.0, "midpoint": 2.0, "exponent": 7.0}, 2.0, 1 / 2),
    ("hill", {"midpoint": 2.0, "exponent": 3.0}, 2.0, 1 / 2),
    ("hill", {"midpoint": 2.0, "exponent": 3.0}, 4.0, 8 / 9),
    ("hill", {"midpoint": 2.0, "exponent": 0.3}, 0.0, 0.0),
    ("weibull", {"timescale": 2.0, "exponent": 3.0}, 2.0, 1 - 1 / math.e),
    ("weibull", {"timescale": 2.0, "exponent": 0.5}, 0.0, 0.0),
    ("exponential_approach", {"rate": 0.5}, 2.0, 1 - 1 / math.e),
    ("power_law_approach", {"timescale": 2.0, "exponent": 0.4}, 2.0, 1 / 2),
    ("power_law_approach", {"timescale": 3.0, "exponent": 2.0}, 3 / (2**0.5 - 1), 3 / 4),
    ("hyperbolic", {"timescale": 2.0}, 2.0, 1 / 2),
    ("hyperbolic", {"timescale": 2.0}, 18.0, 9 / 10),
    ("delayed_exponential", {"rate": 0.5, "onset": 3.0}, 3.0, 0.0),
    ("delayed_exponential", {"rate": 0.5, "onset": 3.0}, 5.0, 1 - 1 / math.e),
    ("bump", {"peak": 2.0, "log_ratio": 3.0}, 2.0, 1.0),
    ("bump", {"peak": 2.0, "log_ratio": 3.0}, 0.0, 0.0),
    (
        "broken_power_law",
        {"exponent_1": 2.0, "exponent_2": 0.5, "breakpoint": 3.0, "smoothness": 0.3},
        3.0,
        1.0,
    ),
    ("step", {"midpoint": 2.0}, 1.999, 0.0),
    ("step", {"midpoint": 2.0}, 2.001, 1.0),
    ("logarithmic", {"timescale": 2.0}, 2.0, 1.0),
    ("logarithmic", {"timescale": 2.0}, 14.0, 3.0),
    ("inverse_log", {"midpoint": 2.0}, 2.0, 1 / 2),
    ("inverse_log", {"midpoint": 2.0}, 14.0, 1 - math.log(2) / math.log(16)),
    ("power_growth", {"timescale": 2.0, "exponent": 0.5}, 2.0, 1.0),
    ("power_growth", {"timescale": 2.0, "exponent": 0.5}, 16.0, 2 / (2**0.5 - 1)),
    ("apex", {"rate": 0.5, "timescale": 2.0, "exponent": 0.4}, 2.0, 1 - math.exp(-1) / 2),
    (
        "biexponential",
        {"share": 0.3, "rate": 0.5, "log_ratio": math.log(4)},
        2.0,
        0.3 * (1 - math.exp(-1)) + 0.7 * (1 - math.exp(-1 / 4)),
    ),
    ("probit", {"rate": 4 / math.sqrt(2 * math.pi), "midpoint": 2.0}, 3.0, stats.norm.cdf(1)),
    ("normalized_policy_gradient", {"rate": 2.0, "midpoint": 2.0}, 2 + 4 / 3, 9 / 10),
    ("softmax_policy_gradient", {"rate": 3.0, "midpoint": 2.0}, 2.0, 1 / 2),
    (
        "softmax_policy_gradient",
        {"rate": 0.5, "midpoint": 2.0},
        2 + math.log(9) + 40 / 9,
        9 / 10,
    ),
    ("reversed_gompertz", {"rate": 3.0, "midpoint": 2.0}, 2.0, 1 - 1 / math.e),
    (
        "lognormal",
        {"exponent": 4 / math.sqrt(2 * math.pi), "midpoint": 2.0},
        2 * math.e,
        stats.norm.cdf(1),
    ),
    ("lognormal", {"exponent": 0.3, "midpoint": 2.0}, 0.0, 0.0),
    ("bertalanffy", {"timescale": 2.0, "exponent": 3.0}, 2.0, 1 / 2),
    ("bertalanffy", {"timescale": 2.0, "exponent": 0.5}, 0.0, 0.0),
    ("erlang", {"arrival": 2.0, "order": 3.0}, 2.0, 1 - math.exp(-3) * (1 + 3 + 9 / 2)),
    ("erlang", {"arrival": 2.0, "order": 0.5}, 2.0, math.erf(math.sqrt(0.5))),
    ("gamma_bump", {"peak": 2.0, "exponent": 3.0}, 2.0, 1.0),
    ("gamma_bump", {"peak": 2.0, "exponent": 3.0}, 4.0, 8 * math.exp(-3)),
    ("logistic_pulse", {"rate": 3.0, "peak": 2.0}, 2.0, 1.0),
    ("logistic_pulse", {"rate": 3.0, "peak": 2.0}, 3.0, 1 / math.cosh(1.5) ** 2),
    ("overshoot", {"peak": 2.0, "decrement": 1.5}, 0.0, 0.0),
    ("overshoot", {"peak": 2.0, "decrement": 1.5}, 2.0, 1 + math.exp(-1.5)),
    ("overshoot", {"peak": 2.0, "decrement": 1.5}, 4.0, 1 - math.exp(-3.0)),
]


def theta(name, **values):
    values = {"floor": 0.0, "gain": 1.0} | values
    return [values[n] for n in FORMS[name].names]


def curve(name, t=T, **values):
    return FORMS[name](t, theta(name, **values))


@pytest.mark.parametrize(("name", "values", "t", "share"), AT)
def test_share_of_the_gain(name, values, t, share):
    assert curve(name, t, **values) == pytest.approx(share, rel=1e-14, abs=1e-14)
    assert curve(name, t, floor=2.0, gain=-4.0, **values) == pytest.approx(2 - 4 * share, rel=1e-14)


SAME = [
    ("richards", {"rate": 2.0, "midpoint": 6.0, "exponent": 1.0}, "logistic", {}, 1e-14),
    ("weibull", {"timescale": 4.0, "exponent": 1.0}, "exponential_approach", {"rate": 0.25}, 1e-14),
    ("hill", {"midpoint": 4.0, "exponent": 1.0}, "hyperbolic", {"timescale": 4.0}, 1e-14),
    ("power_law_approach", {"timescale": 4.0, "exponent": 1.0}, "hyperbolic", {}, 1e-14),
    (
        "power_law_approach",
        {"timescale": 4.0, "exponent": 1e7},
        "exponential_approach",
        {"rate": math.log(2) / 4},
        1e-7,
    ),
    ("delayed_exponential", {"rate": 2.0, "onset": 0.0}, "exponential_approach", {}, 0.0),
    (
        "double_logistic",
        {"share": 0.3, "rate_1": 2.0, "midpoint_1": 5.0, "rate_2": 2.0, "midpoint_2": 5.0},
        "logistic",
        {"rate": 2.0, "midpoint": 5.0},
        1e-14,
    ),
    ("logistic", {"rate": 1e9, "midpoint": 5.1}, "step", {}, 0.0),
    ("probit", {"rate": 1e9, "midpoint": 5.1}, "step", {}, 0.0),
    (
        "soft_hockey_stick",
        {"slope": 2.0, "onset": 5.1, "timescale": 1e-9},
        "hockey_stick",
        {},
        1e-14,
    ),
    (
        "power_growth",
        {"timescale": 4.0, "exponent": 1.0},
        "linear",
        {"slope": 1 / 4},
        1e-14,
    ),
    ("power_growth", {"timescale": 4.0, "exponent": 1e-7}, "logarithmic", {}, 1e-6),
    (
        "apex",
        {"rate": 0.25, "timescale": 1e300, "exponent": 0.7},
        "exponential_approach",
        {},
        1e-15,
    ),
    ("apex", {"rate": 0.0, "timescale": 4.0, "exponent": 0.7}, "power_law_approach", {}, 0.0),
    (
        "biexponential",
        {"share": 1.0, "rate": 2.0, "log_ratio": 3.0},
        "exponential_approach",
        {},
        0.0,
    ),
    (
        "biexponential",
        {"share": 0.0, "rate": 2.0, "log_ratio": math.log(8)},
        "exponential_approach",
        {"rate": 1 / 4},
        1e-14,
    ),
    (
        "bertalanffy",
        {"timescale": 4.0, "exponent": 1.0},
        "exponential_approach",
        {"rate": math.log(2) / 4},
        1e-14,
    ),
    ("erlang", {"arrival": 4.0, "order": 1.0}, "exponential_approach", {"rate": 1 / 4}, 1e-14),
    ("gamma_bump", {"peak": 4.0, "exponent": 1.0}, "bump", {"log_ratio": 1e-9}, 1e-8),
    (
        "logistic_with_drift",
        {"slope": 0.0, "rate": 2.0, "midpoint": 5.0},
        "logistic",
        {},
        0.0,
    ),
    (
        "doubly_broken_power_law",
        {"exponent_1": 1.7, "exponent_2": 0.4, "exponent_3": 0.4, "smoothness": 0.3}
        | {"breakpoint_1": 4.0, "breakpoint_2": 9.0},
        "broken_power_law",
        {"breakpoint": 4.0},
        1e-14,
    ),
    (
        "triple_logistic",
        {"share_1": 0.3, "share_2": 1.0, "rate_1": 2.0, "midpoint_1": 5.0}
        | {"rate_2": 3.0, "midpoint_2": 7.0, "rate_3": 1.0, "midpoint_3": 9.0},
        "double_logistic",
        {"share": 0.3},
        1e-14,
    ),
    (
        "triple_logistic",
        {"share_1": 0.3, "share_2": 0.0, "rate_1": 2.0, "midpoint_1": 5.0}
        | {"rate_2": 3.0, "midpoint_2": 7.0, "rate_3": 1.0, "midpoint_3": 9.0},
        "logistic",
        {"rate": 1.0, "midpoint": 9.0},
        1e-14,
    ),
]


@pytest.mark.parametrize(("name", "values", "other", "other_values", "tolerance"), SAME)
def test_special_cases_coincide(name, values, other, other_values, tolerance):
    shared = {n: values[n] for n in FORMS[other].names if n in values}
    np.testing.assert_allclose(
        curve(name, **values), curve(other, **(shared | other_values)), rtol=0, atol=tolerance
    )


def test_richards_tends_to_gompertz():
    # The inflection of the limit is where it reaches 1/e: ln(ln 2)/rate before its half rise.
    rate, exponent = 2.0, 1e-6
    fast = rate / (2 * math.log(2))
    limit = curve("gompertz", rate=fast, midpoint=6.0 + math.log(math.log(2)) / fast)
    near = curve("richards", rate=rate, midpoint=6.0, exponent=exponent)
    np.testing.assert_allclose(near, limit, atol=1e-5)


def test_logistic_solves_verhulsts_equation():
    y = curve("logistic", rate=0.7, midpoint=8.0)
    slope = FORMS["logistic"].derivative(T, theta("logistic", rate=0.7, midpoint=8.0))
    np.testing.assert_allclose(slope, 0.7 * y * (1 - y), atol=1e-15)


def test_gompertz_solves_its_equation():
    values = theta("gompertz", rate=0.7, midpoint=3.0)
    y = FORMS["gompertz"](T, values)
    np.testing.assert_allclose(
        FORMS["gompertz"].derivative(T, values), -0.7 * y * np.log(y), atol=1e-15
    )


@pytest.mark.parametrize("exponent", [0.1, 0.5, 1.0, 3.0, 10.0])
def test_richards_solves_its_equation(exponent):
    """y' = k/ν · y · (1 - y^ν) (Richards 1959), k so that the slope at the half rise is rate/4."""
    rate = 0.7
    values = theta("richards", rate=rate, midpoint=8.0, exponent=exponent)
    y = FORMS["richards"](T, values)
    k = rate * exponent / (2 * (1 - 2**-exponent))
    slope = FORMS["richards"].derivative(T, values)
    np.testing.assert_allclose(slope, k / exponent * y * (1 - y**exponent), atol=1e-14)
    assert FORMS["richards"].derivative(8.0, values) == pytest.approx(rate / 4, rel=1e-14)


def test_weibull_with_exponent_below_one_starts_steeply_but_finite():
    slope = FORMS["weibull"].derivative(0.0, theta("weibull", timescale=2.0, exponent=0.5))
    assert 1e50 < slope < math.inf


@pytest.mark.parametrize("name", ["hill", "weibull"])
def test_the_slope_at_zero_is_the_limit_for_exponent_one(name):
    place = "midpoint" if name == "hill" else "timescale"
    values = theta(name, **{place: 4.0, "exponent": 1.0})
    assert FORMS[name].derivative(0.0, values) == pytest.approx(1 / 4, rel=1e-10)


def test_bump_is_a_difference_of_exponentials():
    rise, decay = 1.5, 6.0
    peak = math.log(decay / rise) / (1 / rise - 1 / decay)
    raw = np.exp(-T / decay) - np.exp(-T / rise)
    top = math.exp(-peak / decay) - math.exp(-peak / rise)
    ours = curve("bump", peak=peak, log_ratio=math.log(decay / rise))
    np.testing.assert_allclose(ours, raw / top, atol=1e-14)


def test_bump_is_stable_where_rise_and_decay_coincide():
    values = theta("bump", peak=4.0, log_ratio=1e-9)
    np.testing.assert_allclose(
        FORMS["bump"](T, values), T / 4 * np.exp(1 - T / 4), rtol=1e-8, atol=0
    )
    assert np.isfinite(FORMS["bump"].jacobian(T, values)).all()


def test_bump_peaks_at_its_peak():
    values = theta("bump", gain=-3.0, peak=4.0, log_ratio=2.0)
    assert FORMS["bump"].derivative(4.0, values) == pytest.approx(0.0, abs=1e-15)
    assert FORMS["bump"](T, values).min() == pytest.approx(-3.0, abs=1e-12)


def test_broken_power_law_is_caballeros():
    """b·x^(-c0)·(1 + (x/d)^(1/f))^(-c1·f), c0 = -exponent_1, c1 = exponent_1 - exponent_2."""
    e1, e2, d, f = 1.7, 0.4, 3.0, 0.3
    t = T[1:]
    published = t**e1 * (1 + (t / d) ** (1 / f)) ** (-(e1 - e2) * f)
    published /= d**e1 * 2 ** (-(e1 - e2) * f)
    ours = curve("broken_power_law", t, exponent_1=e1, exponent_2=e2, breakpoint=d, smoothness=f)
    np.testing.assert_allclose(ours, published, rtol=1e-13)


def test_broken_power_law_has_its_slopes_on_either_side():
    values = {"exponent_1": 2.0, "exponent_2": 0.5, "breakpoint": 3.0, "smoothness": 0.2}
    early = curve("broken_power_law", np.array([1e-4, 1e-3]), **values)
    late = curve("broken_power_law", np.array([1e4, 1e5]), **values)
    assert math.log10(early[1] / early[0]) == pytest.approx(2.0, abs=1e-9)
    assert math.log10(late[1] / late[0]) == pytest.approx(0.5, abs=1e-9)


def slope_of(name, t=T, **values):
    return FORMS[name].derivative(t, theta(name, **values))


def test_a_step_is_flat_but_for_its_jump():
    np.testing.assert_array_equal(slope_of("step", midpoint=5.1), np.zeros_like(T))


def test_a_hockey_stick_is_flat_and_then_straight():
    values = {"floor": 3.0, "slope": -2.0, "onset": 5.0}
    np.testing.assert_allclose(
        curve("hockey_stick", **values), 3 - 2 * np.maximum(0, T - 5), rtol=1e-15
    )
    np.testing.assert_array_equal(slope_of("hockey_stick", **values), np.where(T > 5, -2.0, 0.0))


def test_half_of_the_slope_is_reached_at_the_onset_of_a_soft_hockey_stick():
    values = {"floor": 3.0, "slope": -2.0, "onset": 5.0, "timescale": 0.5}
    assert curve("soft_hockey_stick", 5.0, **values) == pytest.approx(3 - math.log(2), rel=1e-15)
    np.testing.assert_allclose(
        slope_of("soft_hockey_stick", **values), -2 * special.expit((T - 5) / 0.5), atol=1e-15
    )


def test_a_drift_adds_a_straight_line():
    values = {"gain": 2.0, "rate": 0.7, "midpoint": 8.0}
    np.testing.assert_allclose(
        curve("logistic_with_drift", slope=-0.3, **values),
        curve("logistic", **values) - 0.3 * T,
        atol=1e-15,
    )


@pytest.mark.parametrize(
    ("name", "power"),
    [("logistic", 1.0), ("normalized_policy_gradient", 1.5), ("softmax_policy_gradient", 2.0)],
)
def test_policy_gradients_solve_their_equation(name, power):
    """p' ∝ (p(1 - p))^power; the slope is rate/4 at one half."""
    values = {"rate": 0.7, "midpoint": 8.0}
    p = curve(name, **values)
    expected = 0.7 / 4 * (4 * p * (1 - p)) ** power
    # 1 - p is what is left of 1 after rounding.
    np.testing.assert_allclose(
        slope_of(name, **values), expected, rtol=1e-13, atol=power * 0.7 * np.finfo(float).eps
    )


@pytest.mark.parametrize("name", ["normalized_policy_gradient", "softmax_policy_gradient"])
def test_policy_gradients_are_the_gradient_flow_of_two_logits(name):
    """Rewards 1 and 0: logits follow π_a·(r_a - π·r) (Mei et al. 2020), or that over its sd."""
    start = np.array([-1.0, 1.0])

    def flow(_, logits):
        p = special.softmax(logits)
        sd = np.sqrt(p[0] * p[1]) if name == "normalized_policy_gradient" else 1.0
        return p * (np.array([1.0, 0.0]) - p[0]) / sd

    solved = solve_ivp(flow, (0, 20), start, t_eval=T, rtol=1e-11, atol=1e-13)
    p = special.softmax(solved.y, axis=0)[0]
    # p' = 2·(p(1 - p))^power: a rate of 1 for 3/2 and of 1/2 for 2.
    rate = 1.0 if name == "normalized_policy_gradient" else 0.5
    midpoint = brentq(lambda m: curve(name, 0.0, rate=rate, midpoint=m) - p[0], 0.0, 20.0)
    np.testing.assert_allclose(curve(name, rate=rate, midpoint=midpoint), p, atol=1e-9)


def test_softmax_policy_gradient_solves_its_implicit_equation():
    values = {"rate": 0.7, "midpoint": 8.0}
    p = curve("softmax_policy_gradient", **values)
    left = 2 * special.logit(p) + (2 * p - 1) / (p * (1 - p))
    np.testing.assert_allclose(left, 4 * 0.7 * (T - 8.0), atol=1e-12)


def test_softmax_policy_gradient_misses_the_best_arm_by_one_over_t():
    # p' = c·p²(1 - p)² with c = 4·rate: 1 - p ~ 1/(c·t), the O(1/t) and Ω(1/t) of Mei et al. 2020.
    t = np.array([1e4, 1e6])
    missing = 1 - curve("softmax_policy_gradient", t, rate=0.5, midpoint=0.0)
    np.testing.assert_allclose(missing * 2 * t, 1.0, atol=2e-3)


def test_probit_and_lognormal_are_distribution_functions():
    slope_of_normal = 4 / math.sqrt(2 * math.pi)
    np.testing.assert_allclose(
        curve("probit", rate=slope_of_normal / 3, midpoint=8.0),
        stats.norm.cdf(T, 8.0, 3.0),
        atol=1e-15,
    )
    np.testing.assert_allclose(
        curve("lognormal", exponent=slope_of_normal / 0.6, midpoint=8.0),
        stats.lognorm.cdf(T, 0.6, scale=8.0),
        atol=1e-15,
    )


@pytest.mark.parametrize("name", ["hill", "lognormal"])
def test_the_exponent_is_four_times_the_slope_in_ln_t_at_the_midpoint(name):
    assert 4 * 5.0 * slope_of(name, 5.0, midpoint=5.0, exponent=1.7) == pytest.approx(1.7)


def test_reversed_gompertz_is_gompertz_seen_from_its_end():
    np.testing.assert_allclose(
        curve("reversed_gompertz", rate=0.7, midpoint=8.0),
        1 - curve("gompertz", 16.0 - T, rate=0.7, midpoint=8.0),
        atol=1e-15,
    )


def test_bertalanffy_solves_the_equation_of_weight():
    """w' = a·w^(2/3) - b·w: built up over the surface, broken down in the volume (exponent 3)."""
    w = curve("bertalanffy", timescale=6.0, exponent=3.0)
    rate = -math.log(1 - 2 ** (-1 / 3)) / 6.0
    expected = 3 * rate * (np.cbrt(w) ** 2 - w)
    np.testing.assert_allclose(
        slope_of("bertalanffy", timescale=6.0, exponent=3.0), expected, atol=1e-15
    )


def test_erlang_is_the_gamma_distribution_with_its_mean():
    for order in (0.5, 2.7, 40.0):
        np.testing.assert_allclose(
            curve("erlang", arrival=6.0, order=order),
            stats.gamma.cdf(T, order, scale=6.0 / order),
            atol=1e-14,
        )


def test_erlang_is_a_wave_of_values_down_a_chain():
    """V_d' = V_{d-1} - V_d under TD(0), one update a unit of time, V_0 that of the last state."""
    depth = 6

    def learning(_, values):
        return np.concatenate([[1.0], values[:-1]]) - values

    solved = solve_ivp(learning, (0, 20), np.zeros(depth), t_eval=T, rtol=1e-11, atol=1e-13)
    for d, value in enumerate(solved.y):
        np.testing.assert_allclose(
            curve("erlang", order=d + 1.0, arrival=d + 1.0), value, atol=1e-9
        )


def test_the_relative_rate_of_apex_falls_to_its_rate():
    """α + β/(t + E), Heathcote, Brown & Mewhort 2000: the relative learning rate of APEX."""
    values = {"rate": 0.05, "timescale": 3.0, "exponent": 0.5}
    relative = slope_of("apex", **values) / (1 - curve("apex", **values))
    experience = 3.0 / (2 ** (1 / 0.5) - 1)
    np.testing.assert_allclose(relative, 0.05 + 0.5 / (T + experience), rtol=1e-12)


def test_logarithmic_grows_alike_with_each_doubling():
    doublings = 3.0 * (2.0 ** np.arange(5) - 1)
    np.testing.assert_allclose(
        curve("logarithmic", doublings, timescale=3.0), np.arange(5), atol=1e-15
    )


def test_power_growth_has_its_exponent_at_late_times():
    late = curve("power_growth", np.array([1e8, 1e9]), timescale=3.0, exponent=1.7)
    assert math.log10(late[1] / late[0]) == pytest.approx(1.7, abs=1e-7)


def test_inverse_log_is_ilog2():
    """c - a/log(x) with x = 2 + 2 t/midpoint, c = 1 and a = ln 2."""
    np.testing.assert_allclose(
        curve("inverse_log", midpoint=3.0), 1 - math.log(2) / np.log(2 + 2 * T / 3), atol=1e-15
    )


def test_gamma_bump_is_the_lactation_curve():
    """a·t^b·exp(-c·t), Wood 1967, has its peak at b/c."""
    b, c = 0.4, 0.1
    wood = T**b * np.exp(-c * T)
    np.testing.assert_allclose(
        curve("gamma_bump", peak=b / c, exponent=b),
        wood / ((b / c) ** b * math.exp(-b)),
        atol=1e-15,
    )


def test_logistic_pulse_is_the_variance_of_a_logistic_choice():
    p = curve("logistic", rate=1.3, midpoint=8.0)
    np.testing.assert_allclose(
        curve("logistic_pulse", rate=1.3, peak=8.0), 4 * p * (1 - p), atol=1e-14
    )


def test_overshoot_is_a_damped_oscillator():
    """y'' = -2 σ y' + (σ² + ω²)(1 - y) from rest; peaks at π/ω, falls by e^-σ in a unit of time."""
    peak, decrement = 4.0, 0.8
    damping, frequency = decrement / peak, math.pi / peak

    def motion(_, state):
        y, speed = state
        return [speed, (damping**2 + frequency**2) * (1 - y) - 2 * damping * speed]

    solved = solve_ivp(motion, (0, 20), [0.0, 0.0], t_eval=T, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(
        curve("overshoot", peak=peak, decrement=decrement), solved.y[0], atol=1e-9
    )
    assert slope_of("overshoot", peak, peak=peak, decrement=decrement) == pytest.approx(
        0.0, abs=1e-15
    )


def test_doubly_broken_power_law_is_caballeros():
    """b·x^(-c0)·Π (1 + (x/d_i)^(1/f))^(-c_i·f), c_i the fall of the log-log slope at break i."""
    e1, e2, e3, d1, d2, f = 1.7, 0.4, 1.1, 3.0, 9.0, 0.3

    def published(x):
        first = (1 + (x / d1) ** (1 / f)) ** (-(e1 - e2) * f)
        return x**e1 * first * (1 + (x / d2) ** (1 / f)) ** (-(e2 - e3) * f)

    values = {"exponent_1": e1, "exponent_2": e2, "exponent_3": e3, "smoothness": f}
    ours = curve("doubly_broken_power_law", breakpoint_1=d1, breakpoint_2=d2, **values)
    np.testing.assert_allclose(ours, published(T) / published(d1), rtol=1e-13)


def test_uniform_shares_of_a_triple_logistic_divide_the_gain_evenly():
    """Dirichlet(1, 1, 1): each part is Beta(1, 2), and what is left divides evenly."""
    n = 20_000
    shares = np.random.default_rng(0).uniform(size=(n, 2))
    rest = np.tile([1e3, 5.0, 1e3, 10.0, 1e3, 15.0], (n, 1))
    values = np.hstack([np.zeros((n, 1)), np.ones((n, 1)), shares, rest])
    levels = FORMS["triple_logistic"](np.array([0.0, 7.5, 12.5, 20.0]), values)
    parts = np.diff(levels, axis=1)
    np.testing.assert_allclose(parts.sum(axis=1), 1.0, rtol=1e-14)
    # A right distribution fails each of the six tests once in ten thousand seeds.
    for i in range(3):
        assert stats.kstest(parts[:, i], stats.beta(1, 2).cdf).pvalue > 1e-4
        left = parts[:, (i + 1) % 3] / (1 - parts[:, i])
        assert stats.kstest(left, "uniform").pvalue > 1e-4


def step_width(name, values):
    """The 10-90 % width of a rise from 0 to 1, up to the peak if there is one, by root finding."""
    end = values.get("peak", 1e4)

    def time_of(level):
        return brentq(lambda t: curve(name, t, **values) - level, 0.0, end, xtol=1e-13)

    return time_of(0.9) - time_of(0.1)


_TOGETHER = {"midpoint_1": 50.0, "midpoint_2": 50.0}
_FIRST = {"gain_1": 1.0, "gain_2": 0.0, "rate_2": 1.0} | _TOGETHER
_SECOND = {"gain_1": 0.0, "gain_2": 1.0, "rate_1": 1.0} | _TOGETHER
_THREE = {"rate_1": 1.0, "rate_2": 1.0, "rate_3": 1.0, "midpoint_3": 50.0} | _TOGETHER

WIDTHS = [
    ("exponential_approach", "rate", {}),
    ("delayed_exponential", "rate", {"onset": 3.0}),
    ("power_law_approach", "timescale", {"exponent": 1.0}),
    ("hyperbolic", "timescale", {}),
    ("logistic", "rate", {"midpoint": 50.0}),
    ("gompertz", "rate", {"midpoint": 50.0}),
    ("richards", "rate", {"midpoint": 50.0, "exponent": 1.0}),
    ("weibull", "timescale", {"exponent": 1.0}),
    ("double_logistic", "rate_1", {"share": 1.0, "rate_2": 1.0} | _TOGETHER),
    ("double_logistic", "rate_2", {"share": 0.0, "rate_1": 1.0} | _TOGETHER),
    ("signed_double_logistic", "rate_1", _FIRST),
    ("signed_double_logistic", "rate_2", _SECOND),
    ("logarithmic", "timescale", {}),
    ("power_growth", "timescale", {"exponent": 1.0}),
    ("apex", "rate", {"timescale": 1e300, "exponent": 1.0}),
    ("apex", "timescale", {"rate": 0.0, "exponent": 1.0}),
    ("biexponential", "rate", {"share": 1.0, "log_ratio": 1.0}),
    ("probit", "rate", {"midpoint": 50.0}),
    ("normalized_policy_gradient", "rate", {"midpoint": 50.0}),
    ("softmax_policy_gradient", "rate", {"midpoint": 50.0}),
    ("reversed_gompertz", "rate", {"midpoint": 50.0}),
    ("bertalanffy", "timescale", {"exponent": 1.0}),
    ("logistic_pulse", "rate", {"peak": 50.0}),
    ("logistic_with_drift", "rate", {"slope": 0.0, "midpoint": 50.0}),
    ("triple_logistic", "rate_1", {"share_1": 1.0, "share_2": 1.0} | _THREE),
    ("triple_logistic", "rate_2", {"share_1": 0.0, "share_2": 1.0} | _THREE),
    ("triple_logistic", "rate_3", {"share_1": 0.5, "share_2": 0.0} | _THREE),
]


def test_every_width_factor_is_checked():
    timed = {
        (form.name, p.name)
        for form in FORMS.values()
        for p in form.parameters
        if p.kind in (Kind.RATE, Kind.TIMESCALE)
    }
    # Of a hockey stick the slope rises, not the curve.
    bend = {("soft_hockey_stick", "timescale")}
    assert timed == bend | {(name, parameter) for name, parameter, _ in WIDTHS}


def test_width_of_a_soft_bend():
    values = {"slope": 1.0, "onset": 50.0, "timescale": 2.0}

    def time_of(level):
        return brentq(lambda t: slope_of("soft_hockey_stick", t, **values) - level, 0.0, 100.0)

    declared = FORMS["soft_hockey_stick"].parameters[-1]
    assert time_of(0.9) - time_of(0.1) == pytest.approx(2.0 * declared.width_factor, rel=1e-9)


@pytest.mark.parametrize(("name", "parameter", "values"), WIDTHS)
@pytest.mark.parametrize("value", [0.5, 2.0])
def test_width_factor(name, parameter, values, value):
    declared = next(p for p in FORMS[name].parameters if p.name == parameter)
    factor = declared.width_factor
    expected = factor * value if declared.kind is Kind.TIMESCALE else factor / value
    assert step_width(name, values | {parameter: value}) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("exponent", np.geomspace(0.1, 10.0, 9))
def test_the_width_of_a_richards_curve_hardly_depends_on_its_exponent(exponent):
    width = step_width("richards", {"rate": 1.0, "midpoint": 500.0, "exponent": exponent})
    assert width == pytest.approx(2 * math.log(9), rel=0.06)
