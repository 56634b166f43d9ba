"""Networks of tangents and mixtures of Gaussians: by resolution, linear programs and quadrature."""

from fractions import Fraction as F

import numpy as np
import pytest
import sympy
from scipy.integrate import quad
from scipy.optimize import linprog
from scipy.stats import norm

from theory.learning_coefficients.coefficient import LearningCoefficient
from theory.learning_coefficients.gaussian_mixture import divergence, two_gaussians
from theory.learning_coefficients.monomial import monomial
from theory.learning_coefficients.tanh_network import tanh_network


@pytest.mark.parametrize(
    ("num_hidden", "value", "multiplicity"),
    [(1, F(1, 2), 2), (2, F(2, 3), 1), (3, F(5, 6), 1), (4, F(1), 2), (9, F(3, 2), 2)],
)
def test_known_networks_of_tangents(num_hidden, value, multiplicity):
    assert tanh_network(num_hidden) == LearningCoefficient(value, multiplicity)


def test_one_tangent_is_a_normal_crossing():
    assert tanh_network(1) == monomial((1, 1))


def test_the_formula_is_the_least_exponent_of_the_volumes():
    for num_hidden in range(1, 40):
        n = np.arange(1, num_hidden + 1)
        kinks = np.append(1 / (2 * n - 1), 0)  # piecewise linear: the least is at a kink
        exponents = [num_hidden * t + np.maximum(0, 1 - (2 * n - 1) * t).sum() for t in kinks]
        found = tanh_network(num_hidden)
        assert min(exponents) == pytest.approx(2 * float(found.value))
        at_least = np.isclose(exponents, min(exponents), rtol=1e-12).sum()
        assert at_least == found.multiplicity


def test_two_tangents_by_resolution():
    s, c, b, a = sympy.symbols("s c b a_2")
    first = (s - c * a) * b + a * b * c  # a_1 = s - c a_2, b_1 = b, b_2 = bc: Jacobian b
    second = (s - c * a) * b**3 + a * (b * c) ** 3
    assert sympy.expand(first - b * s) == 0
    assert sympy.expand(second - b**2 * first - a * b**3 * c * (c**2 - 1)) == 0
    # Near every zero e of c (c² - 1), K is b² s² + b⁶ e² a²: a sum of squares of monomials, whose
    # coefficient is a linear program over weights of (b, s, e, a).
    orders = np.array([[2, 2, 0, 0], [6, 0, 2, 2]])
    found = linprog([2, 1, 1, 1], A_ub=-orders, b_ub=-np.ones(2))
    assert found.fun == pytest.approx(float(tanh_network(2).value), abs=1e-9)
    np.testing.assert_allclose(found.x, [1 / 6, 1 / 3, 0, 0], atol=1e-9)


def test_the_divergence_of_a_mixture_by_quadrature():
    for a, b in ((0.3, 1.0), (0.9, -2.0), (0.01, 0.5)):

        def integrand(x, a=a, b=b):
            mixture = a * norm.pdf(x, b) + (1 - a) * norm.pdf(x)
            return norm.pdf(x) * np.log(norm.pdf(x) / mixture)

        assert divergence(a, b) == pytest.approx(quad(integrand, -12, 12)[0], rel=1e-6)


def test_the_divergence_of_a_mixture_is_a_normal_crossing_times_a_positive_factor():
    a, b = np.meshgrid(np.geomspace(1e-6, 0.5, 25), np.geomspace(1e-4, 1.5, 25))
    factor = divergence(a, np.stack([b, -b])) / (a * b) ** 2
    assert factor[:, 0, 0] == pytest.approx(0.5, abs=1e-3)
    # f - ln(1 + f) <= f²/(2 (1 - a)), as f > -a; it is >= f²/2 where f < 0, which is x < b/2.
    square = np.expm1(b**2)
    below = np.exp(b**2) * norm.cdf(-1.5 * b) - 2 * norm.cdf(-b / 2) + norm.cdf(b / 2)
    assert np.all(factor <= square / b**2 / (2 * (1 - a)) * (1 + 1e-6))
    assert np.all(factor >= below / b**2 / 2 * (1 - 1e-6))
    assert two_gaussians() == LearningCoefficient(F(1, 2), 2)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: tanh_network(0), "num_hidden must be at least 1; it is 0"),
        (lambda: divergence([0.5, 1.5], 0.0), "share must be from 0 to below 1"),
    ],
)
def test_mistakes_are_named(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
