"""Drift of one feature of the toy model: printed numbers and closed forms."""

import numpy as np
import pytest

from theory.learning_coefficients import toy_model
from theory.learning_coefficients.drift import (
    EVEN,
    equal_loss,
    frequencies,
    hexagon,
    hexagon_end,
    laplace_boundary,
    leading_boundary,
    pentagon,
    pentagon_plus,
)
from theory.learning_coefficients.k_gons import k_gon
from theory.learning_coefficients.transitions import leading_free_energy, log_evidence

RARE = [0.165, 0.12, 0.08, 0.0625]


@pytest.mark.parametrize("rare", RARE)
def test_losses_and_coefficients(rare):
    five, plus, six = pentagon(rare), pentagon_plus(rare), hexagon(rare)
    expected = (1 - rare) * k_gon(5, 5).loss + rare / 3
    assert five.loss == pytest.approx(expected, abs=1e-15)
    assert plus.loss == pytest.approx(expected - rare**2 / 4, abs=1e-15)
    assert [which.coefficient.value for which in (five, plus, six)] == [7, 8.5, 8.5]


@pytest.mark.parametrize("rare", RARE)
@pytest.mark.parametrize("branch", [pentagon, pentagon_plus, hexagon])
def test_every_branch_is_critical(branch, rare):
    which = branch(rare)
    for slope in toy_model.gradient(which.weights, which.bias, which.probability):
        assert np.abs(slope).max() < 1e-13


def test_the_branches_start_at_the_regular_polygons():
    for branch, point in (
        (pentagon, k_gon(5, 6)),
        (pentagon_plus, k_gon(5, 6, 1)),
        (hexagon, k_gon(6, 6)),
    ):
        assert branch(EVEN).loss == pytest.approx(point.loss, abs=1e-14)
        assert branch(EVEN).half_norm == pytest.approx(point.half_norm, abs=1e-12)


def test_the_hexagon_ends_with_a_soft_direction():
    end = hexagon_end()
    assert 0.058 < end < 0.060  # published
    assert hexagon(end).curvatures[0] < 1e-2 * hexagon(EVEN).curvatures[0]
    assert hexagon(end).curvatures[1] > hexagon(EVEN).curvatures[0]
    with pytest.raises(ValueError, match="where the hexagon ends; it is 0.05"):
        hexagon(0.05)


def test_losses_cross_where_published():
    assert equal_loss(plus=False) == pytest.approx(0.098, abs=0.5e-3)
    assert equal_loss(plus=True) == pytest.approx(0.108, abs=0.5e-3)


@pytest.mark.parametrize(("n", "p"), [(700, 0.1585), (1000, 0.143), (2000, 0.123), (5000, 0.109)])
def test_leading_boundaries_as_published(n, p):
    found = leading_boundary(n)
    assert found == pytest.approx(p, abs=0.5e-4 if n == 700 else 0.5e-3)
    five, six = leading_free_energy(pentagon(found), n), leading_free_energy(hexagon(found), n)
    assert five == pytest.approx(six, abs=1e-3)


def test_laplace_boundaries_lie_between_the_end_and_the_leading_ones():
    for n in (700, 2000):
        found = laplace_boundary(n)
        assert hexagon_end() < found < leading_boundary(n)
        sides = (
            log_evidence(hexagon(found), n),
            np.logaddexp(log_evidence(pentagon(found), n), log_evidence(pentagon_plus(found), n)),
        )
        assert sides[0] == pytest.approx(sides[1], abs=1e-3)


def test_with_many_samples_the_boundary_is_where_the_losses_cross():
    # 5+ has the hexagon's coefficient, so only bounded terms part it from equal losses.
    assert laplace_boundary(1e5) == pytest.approx(equal_loss(plus=True), abs=1e-3)


def test_what_is_no_probability_or_has_no_boundary_is_refused():
    with pytest.raises(ValueError, match="rare must be above 0 and at most 1/6; it is 0.2"):
        frequencies(0.2)
    with pytest.raises(ValueError, match="at 100 samples they do not"):
        leading_boundary(100)
