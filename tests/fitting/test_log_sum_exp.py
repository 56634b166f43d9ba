"""Sums by their logarithms: against scipy, and at the ends of the number line."""

import numpy as np
import pytest
from scipy.special import logsumexp

from fitting.log_sum_exp import log_sum_exp


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_it_is_scipys(axis: int | None) -> None:
    logs = np.random.default_rng(0).normal(0.0, 300.0, (7, 5))
    logs[2] = -np.inf
    logs[:, 3] = -np.inf
    np.testing.assert_allclose(log_sum_exp(logs, axis=axis), logsumexp(logs, axis=axis), rtol=1e-14)


def test_it_neither_over_nor_underflows() -> None:
    assert log_sum_exp(np.array([1e6, 1e6])) == pytest.approx(1e6 + np.log(2.0), rel=1e-15)
    assert log_sum_exp(np.full(4, -1e6)) == pytest.approx(-1e6 + np.log(4.0), rel=1e-15)
    assert log_sum_exp(np.full(3, -np.inf)) == -np.inf
    assert log_sum_exp(np.array([np.inf, 0.0])) == np.inf
    assert np.isnan(log_sum_exp(np.array([np.nan, 0.0])))
