"""Residuals of a fit and the structure the noise model has left in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from fitting.fit import PointFit

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True)
class LjungBox:
    """Portmanteau test that no autocorrelation is left (Ljung and Box 1978, eq. 2.1).

    Attributes
    ----------
    statistic
        ``n (n + 2) sum_k r_k^2 / (n - k)``.
    lags
        Number of lags summed.
    p_value
        From the chi-squared distribution with `lags` degrees of freedom. Fitted parameters are not
        taken off, so small values are a little too rare: a warning, never a proof of whiteness.
    """

    statistic: float
    lags: int
    p_value: float


def fitted_values(point: PointFit) -> FloatArray:
    """Values (n,) of a fitted curve at the times of its data; nan where nothing was fitted."""
    form = point.hypothesis.form
    with np.errstate(all="ignore"):
        return np.asarray(form(point.curve.t, point.theta[: len(form.names)]))


def plain_residuals(point: PointFit) -> FloatArray:
    """Return what a fitted curve (n,) leaves, in units of y."""
    return point.curve.y - fitted_values(point)


def autocorrelation(residuals: FloatArray, max_lag: int) -> FloatArray:
    """Autocorrelation at lags 1 to `max_lag` about the mean, biased denominator.

    Parameters
    ----------
    residuals
        Shape (n,); in order of t.
    max_lag
        At least 1, below n.

    Returns
    -------
    ndarray
        Shape (max_lag,); zeros for residuals without variance.

    Raises
    ------
    ValueError
        If `max_lag` is not between 1 and n - 1.
    """
    n = residuals.size
    if not 1 <= max_lag < n:
        raise ValueError(f"max_lag must be between 1 and {n - 1} for {n} residuals, got {max_lag}.")
    centered = residuals - residuals.mean()
    power = float(centered @ centered)
    if power <= 0.0:
        return np.zeros(max_lag)
    return np.array([centered[k:] @ centered[:-k] / power for k in range(1, max_lag + 1)])


def ljung_box(residuals: FloatArray, *, lags: int | None = None) -> LjungBox | None:
    """Test residuals for autocorrelation.

    Parameters
    ----------
    residuals
        Shape (n,); whitened, in order of t.
    lags
        Number of lags; by default ``min(10, n // 5)``.

    Returns
    -------
    LjungBox or None
        None for fewer than 10 residuals, where the test says nothing.
    """
    n = residuals.size
    if n < 10:
        return None
    number = min(10, n // 5) if lags is None else lags
    r = autocorrelation(residuals, number)
    statistic = float(n * (n + 2) * np.sum(r**2 / (n - np.arange(1, number + 1))))
    return LjungBox(statistic, number, float(stats.chi2.sf(statistic, number)))
