"""The record of a maximum-likelihood fit: its errors, how it went."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fitting.fit import FitStatus, PointFit
from theory.curve import Curve
from theory.hypothesis import Hypothesis

FloatArray = NDArray[np.float64]


def inverse_information(information: FloatArray) -> FloatArray:
    """Inverse of a scaled symmetric matrix; nan if it is not positive definite to rounding."""
    diagonal = np.diag(information)
    if diagonal.size == 0 or not np.all(np.isfinite(information)) or np.any(diagonal <= 0):
        return np.full(information.shape, np.nan)
    scale = 1.0 / np.sqrt(diagonal)
    scaled = information * scale[:, None] * scale[None, :]
    if np.linalg.eigvalsh(scaled)[0] < 1e-12:
        return np.full(information.shape, np.nan)
    with np.errstate(over="ignore"):
        inverse = np.asarray(np.linalg.inv(scaled) * scale[:, None] * scale[None, :])
    inverse[~np.isfinite(inverse)] = np.nan  # a column too small to be known at all
    return inverse


def status_of(
    converged: bool, ended: bool, covariance: FloatArray, names: tuple[str, ...], fixed: set[str]
) -> FitStatus:
    """Say how a fit went, some parameters fixed at the end of their range."""
    if not converged:
        return FitStatus.NOT_CONVERGED
    if ended:
        return FitStatus.AT_BOUND
    missing = np.isnan(np.diag(covariance))
    undetermined = any(m for m, n in zip(missing, names, strict=True) if n not in fixed)
    return FitStatus.SINGULAR if undetermined else FitStatus.OK


def record(
    hypothesis: Hypothesis,
    curve: Curve,
    theta: FloatArray,
    covariance: FloatArray,
    log_likelihood: float,
    status: FitStatus,
) -> PointFit:
    """Make the record of an optimum (p,)."""
    with np.errstate(invalid="ignore"):
        se = np.sqrt(np.diag(covariance))
    return PointFit(
        hypothesis=hypothesis,
        curve=curve,
        names=hypothesis.names,
        theta=theta,
        se=se,
        covariance=covariance,
        log_likelihood=log_likelihood,
        n_obs=curve.n_obs,
        n_free=len(hypothesis.names),
        status=status,
    )


def unfitted(hypothesis: Hypothesis, curve: Curve, status: FitStatus) -> PointFit:
    """Make the record of a fit that could not be."""
    p = len(hypothesis.names)
    nothing = np.full(p, np.nan)
    return PointFit(
        hypothesis=hypothesis,
        curve=curve,
        names=hypothesis.names,
        theta=nothing,
        se=nothing,
        covariance=np.full((p, p), np.nan),
        log_likelihood=float("nan"),
        n_obs=curve.n_obs,
        n_free=p,
        status=status,
    )
