"""Autocorrelation against its expectation, and the size of the portmanteau test."""

import numpy as np
import pytest

from fitting.residuals import autocorrelation, ljung_box


def test_autocorrelation_by_hand() -> None:
    values = np.array([1.0, -1.0, 1.0, -1.0])
    assert autocorrelation(values, 2) == pytest.approx([-0.75, 0.5])


def test_autocorrelation_of_an_ar1_series() -> None:
    rng = np.random.default_rng(0)
    n, rho = 20_000, 0.6
    shocks = rng.standard_normal(n)
    x = np.zeros(n)
    for i in range(1, n):
        x[i] = rho * x[i - 1] + shocks[i]
    # Bartlett's standard error of r_k is below sqrt((1 + rho^2) / (1 - rho^2) / n) = 0.010.
    assert autocorrelation(x, 2) == pytest.approx([0.6, 0.36], abs=0.04)


def test_ljung_box_has_the_size_it_claims() -> None:
    rng = np.random.default_rng(2)
    p_values = []
    for _ in range(400):
        test = ljung_box(rng.standard_normal(200))
        assert test is not None
        p_values.append(test.p_value)
    # 400 trials at 5 %: 20 expected, sd 4.4.
    assert 5 <= np.sum(np.array(p_values) < 0.05) <= 38


def test_few_residuals_say_nothing() -> None:
    assert ljung_box(np.zeros(9)) is None
    with pytest.raises(ValueError, match="max_lag must be between"):
        autocorrelation(np.zeros(3), 3)
