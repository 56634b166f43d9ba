"""Criteria against hand-computed and published-formula values."""

import lmfit
import numpy as np
import pytest

from fitting.criteria import aic, aicc, bic


def test_values_by_hand() -> None:
    assert aic(-10.0, 3) == 26.0
    assert aicc(-10.0, 15, 3) == pytest.approx(26.0 + 24.0 / 11.0, rel=1e-15)
    assert bic(-10.0, 15, 3) == pytest.approx(3 * 2.70805020110221 + 20.0, rel=1e-15)


@pytest.mark.parametrize(("n_obs", "defined"), [(4, False), (5, True)])
def test_aicc_is_null_where_undefined(n_obs: int, defined: bool) -> None:
    assert (aicc(-1.0, n_obs, 3) is not None) == defined


def test_aicc_tends_to_aic() -> None:
    value = aicc(-10.0, 10**9, 3)
    assert value is not None
    # The correction is 2 k (k + 1) / n to first order.
    assert value - aic(-10.0, 3) == pytest.approx(24e-9, rel=1e-3)


def test_sigma_is_counted_where_lmfit_does_not() -> None:
    rng = np.random.default_rng(0)
    t = np.linspace(0.0, 1.0, 15)
    y = 1.0 + 2.0 * t + 0.1 * rng.standard_normal(15)
    parameters = lmfit.Parameters()
    parameters.add("a", 0.0)
    parameters.add("b", 0.0)
    result = lmfit.minimize(lambda p: y - p["a"].value - p["b"].value * t, parameters)
    n = len(t)
    log_likelihood = -0.5 * n * (np.log(2 * np.pi * result.chisqr / n) + 1.0)
    # Same deviance up to the constant n (ln 2 pi + 1), one more parameter (sigma): + 2.
    shift = n * (np.log(2 * np.pi) + 1.0)
    assert aic(log_likelihood, 3) == pytest.approx(result.aic + shift + 2.0, abs=1e-9)


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="n_obs must be at least 1"):
        bic(0.0, 0, 1)
    with pytest.raises(ValueError, match="n_free must be 0 or more"):
        aic(0.0, -1)
