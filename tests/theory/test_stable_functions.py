"""The functions of `theory.stable` that have no textbook writing, to their last digits."""

import mpmath
import numpy as np
import pytest
import sympy

from theory.forms import FORMS
from theory.incomplete_gamma import order_slope
from theory.stable import NUMPY, gamma_rise, gradient_rise, plain, with_tails
from theory.stable import differentiate as derivative

X = sympy.Symbol("x", real=True)
ORDER = sympy.Symbol("order", real=True)
BOTH_SIDES = np.concatenate([np.linspace(-60, 60, 49), np.geomspace(1e-12, 1e12, 25)])


def numeric(expression, *symbols):
    return sympy.lambdify(symbols, expression, modules=[NUMPY, "numpy"])


def exact_rise(x):
    """2 ln(p/(1 - p)) + (2p - 1)/(p(1 - p)) = 4x, solved for p by bisection in ln(p/(1 - p))."""
    low, high = mpmath.mpf(-100), mpmath.mpf(100)
    for _ in range(160):
        u = (low + high) / 2
        p, q = 1 / (1 + mpmath.exp(-u)), 1 / (1 + mpmath.exp(u))
        low, high = (u, high) if 2 * u + (p - q) / (p * q) < 4 * mpmath.mpf(x) else (low, u)
    return p


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_gradient_rise_has_all_digits(sign):
    x = sign * BOTH_SIDES
    with mpmath.workdps(50):
        truth = np.array([float(exact_rise(value)) for value in x])
    np.testing.assert_allclose(NUMPY["gradient_rise"](x), truth, rtol=2e-14)


def test_gradient_rise_is_symmetric_and_monotone():
    rise = NUMPY["gradient_rise"]
    np.testing.assert_allclose(rise(BOTH_SIDES) + rise(-BOTH_SIDES), 1.0, rtol=0, atol=3e-16)
    assert (np.diff(rise(np.sort(BOTH_SIDES))) >= 0).all()


def test_gradient_rise_has_algebraic_tails():
    # u + sinh u = 2x and p = exp(u) give p = -1/(4x), but for a logarithm.
    assert NUMPY["gradient_rise"](-1e12) * 4e12 == pytest.approx(1.0, rel=1e-10)


@pytest.mark.parametrize("x", [0.0, -1e300, 1e300, -np.inf, np.inf])
def test_gradient_rise_stays_in_its_range(x):
    assert 0.0 <= NUMPY["gradient_rise"](x) <= 1.0


def test_gradient_rise_solves_its_equation_as_an_expression():
    slope = numeric(derivative(gradient_rise(X), X), X)
    p = NUMPY["gradient_rise"](BOTH_SIDES)
    np.testing.assert_allclose(slope(BOTH_SIDES), 4 * p**2 * (1 - p) ** 2, rtol=1e-15)
    assert slope(0.0) == 1 / 4


@pytest.mark.parametrize("x", ["0", "0.3", "-17", "1e6"])
def test_gradient_rise_evaluates_to_any_precision(x):
    with mpmath.workdps(50):
        truth = exact_rise(x)
        ours = mpmath.mpf(str(gradient_rise(sympy.Float(x, 40)).evalf(40)))
        assert abs(ours / truth - 1) < mpmath.mpf(10) ** -38


def test_gradient_rise_waits_for_a_number():
    assert gradient_rise(X).evalf() == gradient_rise(X)


def test_gradient_rise_is_printed_by_its_definition():
    assert sympy.latex(gradient_rise(X)) == (
        r"\left. \frac{1}{1 + e^{-u}} \right|_{u + \sinh u = 2 x}"
    )
    assert sympy.latex(gradient_rise(X) ** 2).endswith(r"\right)^{2}")
    assert plain(gradient_rise(X)) == gradient_rise(X)


def test_gamma_rise_reads_as_the_incomplete_gamma_function():
    assert plain(gamma_rise(ORDER, X)) == sympy.lowergamma(ORDER, X) / sympy.gamma(ORDER)


def test_gamma_rise_evaluates_to_any_precision():
    with mpmath.workdps(40):
        truth = mpmath.gammainc(2.5, 0, 3, regularized=True)
        ours = gamma_rise(sympy.Float(2.5, 40), sympy.Float(3, 40)).evalf(30)
        assert abs(mpmath.mpf(str(ours)) / truth - 1) < mpmath.mpf(10) ** -28


ORDERS = np.array([1e-3, 0.5, 1.0, 1.5, 3.0, 7.0, 20.0, 50.0, 300.0])


@pytest.mark.parametrize("order", ORDERS)
def test_slope_in_the_order_has_all_digits(order):
    spread = np.linspace(-4, 4, 17) * np.sqrt(order)
    x = np.concatenate([order * np.array([1e-6, 0.01, 0.1, 0.5, 2.0, 10.0]), order + spread])
    # Not at the seam, where the truth below takes a difference across it.
    x = x[(x > 0) & (abs(x - order - 1) > 1e-3)]
    with mpmath.workdps(40):
        truth = np.array([float(_order_slope(order, value)) for value in x])
    np.testing.assert_allclose(order_slope(order, x), truth, rtol=1e-11, atol=2e-14)


def _order_slope(order, x):
    if x < order + 1:
        return mpmath.diff(lambda a: mpmath.gammainc(a, 0, x, regularized=True), order)
    return -mpmath.diff(lambda a: mpmath.gammainc(a, x, regularized=True), order)


def test_slope_in_the_order_is_smooth_at_the_seam_of_its_two_series():
    for order in ORDERS:
        below, above = order_slope(order, (order + 1) * np.array([1 - 1e-13, 1 + 1e-13]))
        assert above == pytest.approx(below, rel=1e-10)


def test_slope_in_the_order_broadcasts_and_ends():
    slopes = order_slope(np.array([[0.5], [2.0]]), np.array([0.0, 1.0, 1e9]))
    assert slopes.shape == (2, 3)
    np.testing.assert_array_equal(slopes[:, [0, 2]], np.zeros((2, 2)))
    assert order_slope(2.0, 1.0).shape == ()
    assert np.isnan(order_slope(np.nan, 1.0))


def test_gamma_rise_is_differentiated_in_both_arguments():
    order, x = 2.5, 1.7
    by_order = numeric(derivative(gamma_rise(ORDER, X), ORDER), ORDER, X)
    by_x = numeric(derivative(gamma_rise(ORDER, X), X), ORDER, X)
    with mpmath.workdps(30):
        truth = mpmath.diff(lambda v: mpmath.gammainc(order, 0, v, regularized=True), x)
    assert by_order(order, x) == pytest.approx(float(_order_slope(order, x)), rel=1e-12)
    assert by_x(order, x) == pytest.approx(float(truth), rel=1e-14)


def test_a_jump_reads_as_two_cases_and_has_no_slope():
    jump = sympy.Heaviside(X - ORDER, 0)
    assert plain(jump) == sympy.Piecewise((0, X <= ORDER), (1, True))
    slope = numeric(derivative(jump, X), ORDER, X)
    np.testing.assert_array_equal(slope(0.0, np.array([-1.0, 0.0, 1.0])), np.zeros(3))


def test_another_value_at_the_jump_is_kept():
    assert plain(sympy.Heaviside(X)) == sympy.Heaviside(X)


def test_the_foot_of_a_distant_sigmoid_keeps_its_digits():
    """Far before its middle a logistic is exp(rate (t - midpoint)), and so are its slopes."""
    t, rate, midpoint = np.linspace(1.0, 100.0, 7), 0.7, 700.0
    form = FORMS["logistic"]
    foot = np.exp(rate * (t - midpoint))
    # The exponent, up to 500, is known to a rounding of itself.
    close = 4 * rate * midpoint * np.finfo(float).eps
    np.testing.assert_allclose(form.design(t, [rate, midpoint])[:, 1], foot, rtol=close)
    values = {"floor": 0.0, "gain": 2.0, "rate": rate, "midpoint": midpoint}
    slopes = form.jacobian(t, [values[name] for name in form.names])
    by_name = dict(zip(form.names, slopes.T, strict=True))
    np.testing.assert_allclose(by_name["midpoint"], -2 * rate * foot, rtol=close)
    np.testing.assert_allclose(by_name["rate"], 2 * (t - midpoint) * foot, rtol=close)


def test_only_sums_that_cancel_are_rewritten():
    x = sympy.Symbol("x", real=True)
    kept = 3 + sympy.tanh(x) + 1 / (2 + sympy.tanh(x)) + x * sympy.erf(x)
    assert with_tails(kept) == kept
    for cancels in (1 + sympy.tanh(x), 1 - sympy.tanh(x), 1 + sympy.erf(x), 1 - sympy.erf(x)):
        found = with_tails(cancels)
        assert not found.has(sympy.tanh, sympy.erf)
        for value in (-3.0, 0.2, 2.0):
            assert float(plain(found).subs(x, value)) == pytest.approx(
                float(cancels.subs(x, value))
            )
