"""The learning coefficient as a value."""

from fractions import Fraction
from math import e, exp, log

import pytest

from theory.learning_coefficients.coefficient import LearningCoefficient


def test_free_energy_by_hand():
    assert LearningCoefficient(0.5).free_energy(e) == pytest.approx(0.5)
    twice = LearningCoefficient(Fraction(1, 2), 2)
    assert twice.free_energy(exp(e)) == pytest.approx(e / 2 - 1)
    assert twice.free_energy(100) == pytest.approx(log(100) / 2 - log(log(100)))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((0,), "value of a LearningCoefficient must be positive and finite; it is 0"),
        ((float("nan"),), "it is nan"),
        ((1, 0), "multiplicity of a LearningCoefficient must be a whole number from 1 up; it is 0"),
        ((1, 1.5), "it is 1.5"),
    ],
)
def test_what_is_no_coefficient_is_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        LearningCoefficient(*arguments)


def test_no_free_energy_before_the_logarithm_of_the_logarithm():
    with pytest.raises(ValueError, match="num_samples must be above 1; it is 1"):
        LearningCoefficient(1).free_energy(1)
