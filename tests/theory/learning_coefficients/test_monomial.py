"""Normal crossings against hand calculations and the volume of their sublevel sets."""

from fractions import Fraction as F

import numpy as np
import pytest
from scipy.special import gammaincc

from theory.learning_coefficients.coefficient import LearningCoefficient
from theory.learning_coefficients.monomial import minimally_singular, monomial, separable_sum


@pytest.mark.parametrize(
    ("half_powers", "prior_powers", "value", "multiplicity"),
    [
        ((1,), (), F(1, 2), 1),
        ((2,), (), F(1, 4), 1),
        ((3,), (), F(1, 6), 1),
        ((1, 1), (), F(1, 2), 2),
        ((0, 1), (), F(1, 2), 1),
        ((1, 2), (), F(1, 4), 1),
        ((2, 2), (), F(1, 4), 2),
        ((1, 1, 1), (), F(1, 2), 3),
        ((1, 2), (0, 1), F(1, 2), 2),
        ((1,), (3,), F(2), 1),  # four parameters in polar coordinates
    ],
)
def test_known_monomials(half_powers, prior_powers, value, multiplicity):
    found = monomial(half_powers, prior_powers)
    assert found == LearningCoefficient(value, multiplicity)


@pytest.mark.parametrize("dimension", [1, 2, 3, 4])
def test_the_volume_near_a_product_of_squares_shrinks_as_the_coefficient_says(dimension):
    # -ln Π|w_j| is a sum of exponential times: its tail is V(ε) for K = Π w_j² on the unit box.
    found = monomial((1,) * dimension)
    epsilon = np.array([1e-60, 1e-80])
    volume = gammaincc(dimension, -np.log(epsilon) / 2)
    leading = epsilon ** float(found.value) * (-np.log(epsilon)) ** (found.multiplicity - 1)
    ratio = volume / leading
    # The next term is smaller by (d - 1)/(-ln ε/2).
    assert ratio[1] / ratio[0] == pytest.approx(1, abs=2 * (dimension - 1) / 69 + 1e-12)


def test_a_regular_model_is_a_sum_of_its_directions():
    square = monomial((1,))
    assert separable_sum([square] * 7) == minimally_singular(7)
    assert minimally_singular(7).value == F(7, 2)


def test_multiplicities_of_a_sum_add_above_one():
    # K = (xy)² + (uv)²: the posterior's free energy is the sum of both.
    both = separable_sum([monomial((1, 1)), monomial((1, 1))])
    assert both == LearningCoefficient(F(1), 3)
    n = 1000.0
    assert both.free_energy(n) == pytest.approx(2 * monomial((1, 1)).free_energy(n))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: monomial((1, 1), (1,)), "prior_powers must be as many as half_powers"),
        (lambda: monomial((0, 0)), "one half power must be positive"),
        (lambda: monomial((-1, 2)), "must not be negative"),
        (lambda: separable_sum([]), "parts must hold one LearningCoefficient"),
        (lambda: minimally_singular(0), "must be positive"),
    ],
)
def test_mistakes_are_named(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
