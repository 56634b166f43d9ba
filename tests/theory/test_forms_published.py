"""Published truths: what is known of the forms in closed form."""

import math

import numpy as np
import pytest
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


def step_width(name, values):
    """The 10-90 % width of a rise from 0 to 1, by root finding."""

    def time_of(level):
        return brentq(lambda t: curve(name, t, **values) - level, 0.0, 1e4, xtol=1e-13)

    return time_of(0.9) - time_of(0.1)


_TOGETHER = {"midpoint_1": 50.0, "midpoint_2": 50.0}
_FIRST = {"gain_1": 1.0, "gain_2": 0.0, "rate_2": 1.0} | _TOGETHER
_SECOND = {"gain_1": 0.0, "gain_2": 1.0, "rate_1": 1.0} | _TOGETHER

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
]


def test_every_width_factor_is_checked():
    timed = {
        (form.name, p.name)
        for form in FORMS.values()
        for p in form.parameters
        if p.kind in (Kind.RATE, Kind.TIMESCALE)
    }
    assert timed == {(name, parameter) for name, parameter, _ in WIDTHS}


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
