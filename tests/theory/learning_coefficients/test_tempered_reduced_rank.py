"""Reduced rank regression at a finite temperature: quadrature over the matrices, and the limit."""

import math
from itertools import product

import numpy as np
import pytest
from scipy.integrate import dblquad

from theory.learning_coefficients.reduced_rank import reduced_rank
from theory.learning_coefficients.tempered import crossing
from theory.learning_coefficients.tempered_reduced_rank import tempered_reduced_rank


def moments_given(b, num_inputs, t, log_weight):
    """Return E[tK], Var[tK] and the error of the first from weighted B, (S, N, H); γ is 1."""
    s = np.linalg.eigvalsh(b.mT @ b).clip(0)
    share = t * s / (t * s + 1)
    weight = np.exp(log_weight - num_inputs / 2 * np.log1p(t * s).sum(-1))
    weight /= weight.sum()
    given = num_inputs / 2 * share.sum(-1)
    mean = weight @ given
    inner = num_inputs / 2 * (share**2).sum(-1)
    spread = math.sqrt((weight**2 * (given - mean) ** 2).sum())
    return mean, weight @ (inner + (given - mean) ** 2), spread


@pytest.mark.parametrize(("t", "g"), [(1.0, 1.0), (30.0, 2.0)])
def test_one_unit_by_quadrature_in_the_plane(t, g):
    def density(x, y, order):
        k = t / 2 * (x * y) ** 2
        return k**order * np.exp(-k - g / 2 * (x**2 + y**2))

    z, first, second = (
        dblquad(lambda x, y, o=o: density(x, y, o), 0, 9, 0, 9, epsabs=1e-11)[0] for o in range(3)
    )
    found = tempered_reduced_rank(1, 1, 1, t, g)
    assert found.llc == pytest.approx(first / z, rel=1e-6)
    assert found.llc_variance == pytest.approx(second / z - (first / z) ** 2, rel=1e-6)
    assert found.virial == 2


@pytest.mark.parametrize(("t", "g"), [(1e-2, 1.0), (1e3, 1.0), (1e6, 20.0), (1e60, 1.0)])
def test_one_unit_is_the_localized_crossing(t, g):
    found, exact = tempered_reduced_rank(1, 1, 1, t, g), crossing(t / 2, g)
    assert found.llc == pytest.approx(exact.llc, rel=1e-9)
    assert found.llc_variance == pytest.approx(exact.llc_variance, rel=1e-9)


@pytest.mark.parametrize(("num_inputs", "t"), [(2, 4.0), (5, 1.0)])
def test_two_units_by_quadrature_over_a_triangular_factor(num_inputs, t):
    # B = QR: independent entries, one chi(2), one half normal, one normal (Bartlett 1933).
    first, first_weight = np.polynomial.legendre.leggauss(60)
    first, second, above = 4.5 * (first + 1), np.arange(0, 9, 0.15), np.arange(-9, 9, 0.15)
    x, y, z = np.meshgrid(first, second, above, indexing="ij")
    half = np.where(second == 0, 0.5, 1.0)
    log_weight = np.log((first_weight * first)[:, None, None] * half[:, None])
    log_weight = log_weight - (x**2 + y**2 + z**2) / 2
    upper = np.stack([x, z, 0 * x, y], axis=-1).reshape(-1, 2, 2)
    mean, variance, _ = moments_given(upper, num_inputs, t, log_weight.ravel())
    found = tempered_reduced_rank(num_inputs, 2, 2, t, 1.0)
    assert found.llc == pytest.approx(mean, rel=1e-6)
    assert found.llc_variance == pytest.approx(variance, rel=1e-6)


@pytest.mark.parametrize(
    ("widths", "t"), [((3, 3, 4), 1.0), ((3, 6, 4), 1.0), ((8, 4, 7), 0.03), ((7, 5, 6), 0.03)]
)
def test_wider_models_against_draws_of_one_factor(widths, t):
    m, h, n = widths
    b = np.random.default_rng(1).standard_normal((20_000, n, h))
    mean, variance, se = moments_given(b, m, t, np.zeros(len(b)))
    found = tempered_reduced_rank(*widths, t, 1.0)
    assert abs(found.llc - mean) < 4 * se < 0.04 * mean
    assert found.llc_variance == pytest.approx(variance, rel=0.05)


def test_the_limit_is_the_learning_coefficient_of_every_width():
    t = 1e80
    for widths in product((1, 2, 3, 5), (1, 2, 3, 4), (1, 3, 6)):
        limit, found = reduced_rank(*widths, 0), tempered_reduced_rank(*widths, t, 1.0)
        near = float(limit.value) - (limit.multiplicity - 1) / math.log(t)
        slack = 6 / math.log(t) ** 2 if limit.multiplicity > 1 else 1e-6
        assert found.llc == pytest.approx(near, abs=slack), widths
        assert found.virial == widths[1] * (widths[0] + widths[2])


@pytest.mark.parametrize("widths", [(5, 3, 7), (10, 10, 10), (20, 8, 6)])
def test_transposing_and_scaling_change_nothing(widths):
    found = tempered_reduced_rank(*widths, 8686.0, 1.0)
    for other in (
        tempered_reduced_rank(*widths[::-1], 8686.0, 1.0),
        tempered_reduced_rank(*widths, 8686.0 * 9, 3.0),
    ):
        assert other.llc == pytest.approx(found.llc, rel=1e-9)
        assert other.llc_variance == pytest.approx(found.llc_variance, rel=1e-7)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((0, 1, 1, 1.0, 1.0), "widths must be at least 1"),
        ((1, 1, 1, 0.0, 1.0), "nbeta must be positive and finite"),
        ((1, 1, 1, 1.0, 0.0), "localization must be positive for reduced rank"),
    ],
)
def test_mistakes_are_named(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        tempered_reduced_rank(*arguments)
