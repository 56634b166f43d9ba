"""Reduced rank regression and deep linear networks: two theorems that must agree."""

from fractions import Fraction as F
from itertools import permutations, product

import pytest

from theory.learning_coefficients.coefficient import LearningCoefficient
from theory.learning_coefficients.deep_linear_network import deep_linear_network
from theory.learning_coefficients.monomial import minimally_singular, monomial
from theory.learning_coefficients.reduced_rank import rank_one_product, reduced_rank

REDUCED_RANK = [
    ((5, 3, 5), 0, F(13, 2), 2),
    ((5, 3, 5), 1, F(8), 1),
    ((5, 3, 5), 3, F(21, 2), 1),
    ((4, 3, 8), 0, F(6), 1),
    ((8, 3, 4), 0, F(6), 1),
    ((3, 8, 4), 0, F(6), 1),
    ((5, 4, 5), 0, F(8), 1),
    ((10, 2, 5), 1, F(9), 1),
    ((10, 5, 5), 5, F(25), 1),
    ((3, 2, 3), 1, F(7, 2), 2),
    ((1, 1, 1), 0, F(1, 2), 2),
    ((2, 2, 2), 0, F(3, 2), 1),
    ((2, 2, 2), 1, F(2), 2),
]
DEEP = [
    ((10, 10, 10, 10), 0, F(67, 2), 3),
    ((10, 10, 10, 10), 5, F(46), 3),
    ((5, 5, 5, 5, 5), 2, F(11), 4),
    ((20, 8, 8, 20), 4, F(80), 1),
]
WIDTHS = list(product(range(1, 8), repeat=3))


@pytest.mark.parametrize(("widths", "rank", "value", "multiplicity"), REDUCED_RANK)
def test_reduced_rank_regression_of_the_table(widths, rank, value, multiplicity):
    assert reduced_rank(*widths, rank) == LearningCoefficient(value, multiplicity)


@pytest.mark.parametrize(("widths", "rank", "value", "multiplicity"), DEEP)
def test_deep_linear_networks_of_the_table(widths, rank, value, multiplicity):
    assert deep_linear_network(widths, rank) == LearningCoefficient(value, multiplicity)


def test_both_theorems_agree_on_two_layers():
    for widths in WIDTHS:
        for rank in range(min(widths) + 1):
            assert deep_linear_network(widths, rank) == reduced_rank(*widths, rank), (widths, rank)


def test_one_layer_is_a_regular_model():
    for inputs, outputs in product(range(1, 6), repeat=2):
        for rank in range(min(inputs, outputs) + 1):
            found = deep_linear_network((inputs, outputs), rank)
            assert found == minimally_singular(inputs * outputs)


def test_layers_of_one_unit_are_a_monomial():
    for depth in range(1, 7):
        assert deep_linear_network((1,) * (depth + 1), 0) == monomial((1,) * depth)


def test_the_order_of_spare_widths_does_not_matter_at_rank_zero():
    for widths in permutations((2, 3, 4, 6)):
        assert deep_linear_network(widths, 0) == deep_linear_network((2, 3, 4, 6), 0)


def test_a_product_of_two_vectors_is_reduced_rank_regression_and_a_monomial():
    for left, right in product(range(1, 8), repeat=2):
        found = rank_one_product(left, right)
        assert found == reduced_rank(left, 1, right, 0)
        assert found == monomial((1, 1), (left - 1, right - 1))


def test_no_model_is_more_complex_than_a_regular_one():
    for m, h, n in WIDTHS:
        for rank in range(min(m, h, n) + 1):
            assert reduced_rank(m, h, n, rank).value <= F(min(m * n, h * (m + n)), 2)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: reduced_rank(5, 3, 5, 4), "true_rank from 0 to the smallest width"),
        (lambda: reduced_rank(0, 3, 5, 0), "widths must be at least 1"),
        (lambda: deep_linear_network((5,), 0), "widths must be two at least"),
        (lambda: deep_linear_network((5, 2, 5), 3), "true_rank from 0 to the smallest"),
        (lambda: rank_one_product(0, 2), "num_left and num_right must be at least 1"),
    ],
)
def test_mistakes_are_named(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
