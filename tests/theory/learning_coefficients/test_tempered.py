"""Exact readings at a finite temperature: printed tables, identities, quadrature."""

import numpy as np
import pytest
from scipy.integrate import dblquad, quad

from theory.learning_coefficients.tempered import (
    canonical_nbeta,
    crossing,
    crossing_on_box,
    power,
    quadratic,
)

LOCALIZED = {  # (k, localization): at n = 1e3, 1e4, 1e5
    (1, 1): (0.4983, 0.4998, 0.5000),
    (1, 100): (0.3716, 0.4780, 0.4971),
    (2, 1): (0.2431, 0.2475, 0.2491),
    (2, 100): (0.0311, 0.0995, 0.1762),
    (3, 1): (0.1569, 0.1616, 0.1641),
    (3, 100): (0.0020, 0.0109, 0.0377),
}
PRINTED = 0.5e-4 * (1 + 1e-9)


@pytest.mark.parametrize(("case", "values"), LOCALIZED.items())
def test_powers_under_localization_as_printed(case, values):
    half_power, localization = case
    found = [power(half_power, canonical_nbeta(n), localization).llc for n in (1e3, 1e4, 1e5)]
    np.testing.assert_allclose(found, values, rtol=0, atol=PRINTED)


@pytest.mark.parametrize("half_power", [1, 2, 3, 4])
@pytest.mark.parametrize("nbeta", [1e-3, 1.0, 1e6])
def test_a_power_without_localization_is_a_gamma_variable(half_power, nbeta):
    found = power(half_power, nbeta)
    assert found.llc == pytest.approx(1 / (2 * half_power), rel=1e-10)
    assert found.llc_variance == pytest.approx(1 / (2 * half_power), rel=1e-10)


@pytest.mark.parametrize("localization", [0.0, 1.0, 100.0])
def test_the_square_is_the_quadratic(localization):
    found, exact = power(1, 144.8, localization), quadratic(2.0, 144.8, localization)
    assert found.llc == pytest.approx(exact.llc, rel=1e-10)
    assert found.llc_variance == pytest.approx(exact.llc_variance, rel=1e-10)


@pytest.mark.parametrize(
    ("n", "value"), [(1e3, 0.356), (1e4, 0.388), (1e5, 0.409), (1e6, 0.424), (1e12, 0.462)]
)
def test_the_crossing_on_a_box_as_printed(n, value):
    assert crossing_on_box(canonical_nbeta(n)).llc == pytest.approx(value, abs=0.5e-3)


@pytest.mark.parametrize("half_width", [1.0, 2.0])
def test_the_crossing_on_a_box_by_quadrature_in_the_plane(half_width):
    t = 20.0
    z, first, second = (
        dblquad(
            lambda x, y, o=o: (t * (x * y) ** 2) ** o * np.exp(-t * (x * y) ** 2),
            0,
            half_width,
            0,
            half_width,
        )[0]
        for o in (0, 1, 2)
    )
    found = crossing_on_box(t, half_width)
    assert found.llc == pytest.approx(first / z, rel=1e-7)
    assert found.llc_variance == pytest.approx(second / z - (first / z) ** 2, rel=1e-7)


@pytest.mark.parametrize(("t", "g"), [(1.0, 3.0), (100.0, 1.0), (1e4, 10.0)])
def test_the_localized_crossing_by_quadrature(t, g):
    # Over y at a fixed x: Gaussian, of the precision a = 2 t x² + g.
    def moment(order):
        def integrand(x):
            a = 2 * t * x**2 + g
            share = t * x**2 / a
            return (1, share, 3 * share**2, x**2 + 1 / a)[order] * a**-0.5 * np.exp(-g / 2 * x**2)

        edges = [0, 1e-2 / np.sqrt(g), 0.1 / np.sqrt(g), 1 / np.sqrt(g), 12 / np.sqrt(g)]
        return sum(quad(integrand, a, b)[0] for a, b in zip(edges, edges[1:], strict=False))

    mean, square, radius = (moment(order) / moment(0) for order in (1, 2, 3))
    found = crossing(t, g)
    assert found.llc == pytest.approx(mean, rel=1e-7)
    assert found.llc_variance == pytest.approx(square - mean**2, rel=1e-6)
    assert found.virial == pytest.approx(4 * mean + g * radius, rel=1e-7)


@pytest.mark.parametrize(
    ("step_size", "value"), [(0.0, 1.999), (1e-5, 2.010), (1e-4, 2.114), (1e-3, 4.38)]
)
def test_the_quadratic_with_a_step_as_printed(step_size, value):
    found = quadratic([2.0] * 4, canonical_nbeta(1e4), 1.0, step_size)
    assert found.llc == pytest.approx(value, abs=0.5e-2 if step_size == 1e-3 else 0.5e-3)


def test_the_quadratic_with_a_step_against_the_chain_itself():
    h, nbeta, localization, step_size = np.array([0.5, 2.0, 8.0]), 50.0, 1.0, 2e-3
    stiffness = nbeta * h + localization
    variance = np.zeros(3)
    for _ in range(20_000):  # the variance of the chain, step by step
        variance = (1 - step_size * stiffness / 2) ** 2 * variance + step_size
    found = quadratic(h, nbeta, localization, step_size)
    assert found.llc == pytest.approx(nbeta * (h @ variance) / 2, rel=1e-12)
    assert found.virial == pytest.approx(stiffness @ variance, rel=1e-12)
    rng = np.random.default_rng(0)
    loss = nbeta / 2 * (rng.normal(size=(200_000, 3)) ** 2 * variance) @ h
    kurtosis = np.mean((loss - loss.mean()) ** 4) / loss.var() ** 2
    se = loss.var() * np.sqrt((kurtosis - 1) / len(loss))
    assert abs(loss.var() - found.llc_variance) < 4 * se


@pytest.mark.parametrize(
    ("half_power", "t", "g"), [(1, 3.0, 2.0), (2, 1000.0, 10.0), (3, 1.0, 0.1)]
)
def test_the_virial_of_a_power_by_quadrature(half_power, t, g):
    def density(w):
        return np.exp(-t * w ** (2 * half_power) - g / 2 * w**2)

    z = quad(density, 0, np.inf)[0]
    square = quad(lambda w: w**2 * density(w), 0, np.inf)[0] / z
    found = power(half_power, t, g)
    assert 2 * half_power * found.llc + g * square == pytest.approx(found.virial, rel=1e-6)


def test_localization_takes_the_loss_away_and_samples_bring_it_back():
    by_localization = [power(2, 1000.0, g).llc for g in (0.0, 1.0, 10.0, 100.0)]
    by_samples = [power(2, t, 100.0).llc for t in (1e2, 1e3, 1e4, 1e8, 1e12)]
    assert np.all(np.diff(by_localization) < 0)
    assert np.all(np.diff(by_samples) > 0)
    assert by_samples[-1] == pytest.approx(0.25, abs=1e-4)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: power(0, 1.0), "half_power must be at least 1; it is 0"),
        (lambda: power(1, 0.0), "nbeta must be positive and finite; it is 0"),
        (lambda: power(1, 1.0, -1.0), "localization must be finite and at least 0; it is -1"),
        (lambda: crossing(1.0, 0.0), "localization must be positive for a crossing"),
        (lambda: crossing_on_box(1.0, 0.0), "half_width must be positive"),
        (lambda: quadratic([1.0, 0.0], 1.0), "positive where localization is 0; the least is 0"),
        (lambda: quadratic(1.0, 1.0, 1.0, 2.0), "step_size must be from 0 to below"),
        (lambda: canonical_nbeta(1), "num_samples must be above 1"),
    ],
)
def test_mistakes_are_named(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
