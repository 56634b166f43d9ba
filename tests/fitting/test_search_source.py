"""Source that makes a form again, and the length of a description."""

import math
from dataclasses import replace

import numpy as np
import pytest
import sympy

from fitting.search.description_length import constants_length, description_length
from fitting.search.enumeration import skeletons
from fitting.search.making import form_of, unit_of_time
from fitting.search.source import form_source
from theory.form import Form
from theory.forms import FORMS


def made(form: Form) -> Form:
    space: dict[str, object] = {}
    exec(form_source(form), space)
    again = space[form.name]
    assert isinstance(again, Form)
    return again


@pytest.mark.parametrize("name", FORMS)
def test_source_of_a_registered_form_makes_an_equal_one(name: str) -> None:
    form, again = FORMS[name], made(FORMS[name])
    # sympy multiplies signs out as it reads, so one form comes back as an equal sum.
    assert sympy.expand(form.expression - again.expression) == 0
    assert replace(again, expression=form.expression) == form


def test_source_of_a_found_form_makes_an_equal_one() -> None:
    for i, skeleton in enumerate(skeletons()[::60]):
        form = form_of(skeleton, f"found_{i}", unit_of_time(np.array([1.0, 1234.5])))
        assert made(form) == form, skeleton.key


def test_the_length_of_a_straight_line() -> None:
    """Two constants of known precision: residuals, ln(size/precision) and sign, k ln n signs."""
    n, sd, slope, level = 50, 0.1, 3.0, 2.0
    t = np.linspace(-1.0, 1.0, n)
    gram = np.array([[n, 0.0], [0.0, float(t @ t)]])
    length = description_length(
        n * sd**2, np.array([level, slope]), gram, n, ("constant", "+", "constant", "*", "t")
    )
    residuals = 0.5 * n * math.log(2 * math.pi * math.e * sd**2)
    information = np.array([n, t @ t]) / sd**2
    precision = np.sqrt(12 / information)
    constants = float(np.log(np.array([level, slope]) / precision).sum()) + 2 * math.log(2)
    of_sd = 0.5 * math.log(n / 6)  # the information on sd is 2n/sd², whatever sd is
    assert length == pytest.approx(residuals + constants + of_sd + 5 * math.log(4))


def test_a_constant_below_its_precision_takes_only_its_sign() -> None:
    one = constants_length(np.array([1e-9]), np.array([[1.0]]), 6)
    assert one == pytest.approx(math.log(2))
