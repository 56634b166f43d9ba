"""Reasons to distrust one candidate's numbers, as sentences."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtr

from fitting.fit import FitStatus, PointFit, PosteriorFit
from fitting.residuals import LjungBox, autocorrelation, fitted_values, ljung_box
from fitting.screening import LAPLACE
from theory.curve import Curve
from theory.hypothesis import Hypothesis, center_and_extent
from theory.noise import BetaBinomial, Binomial, MeanLinked, StudentT
from theory.noises.base import white_variance

FloatArray = NDArray[np.float64]

# Nats of Monte-Carlo error, change of y beyond the window (share of its range), points a parameter,
# and p value of the residual test at which a doubt is raised.
_LARGE_SE = 0.2
_UNSEEN = 0.1
_POINTS_EACH = 5
_P_VALUE = 0.01
_EDGE = 2.3
_CHECKABLE = (FitStatus.FEW_EFFECTIVE_DRAWS, FitStatus.HEAVY_WEIGHTS)
# Standardized residuals of less than this are not scatter.
_SCATTERED = 0.1

# Statuses of a posterior whose evidence must not be used as it stands.
FAILED = frozenset(
    {
        FitStatus.FEW_EFFECTIVE_DRAWS,
        FitStatus.HEAVY_WEIGHTS,
        FitStatus.NO_SUPPORT,
        FitStatus.NOT_SAMPLED,
        FitStatus.NOT_MIXED,
        FitStatus.DIVERGED,
        FitStatus.RUNS_DISAGREE,
        FitStatus.MISSED_MASS,
    }
)


def doubts(
    hypothesis: Hypothesis, curve: Curve, point: PointFit | None, posterior: PosteriorFit | None
) -> tuple[str, ...]:
    """All doubts about one candidate that its own fits raise.

    Returns
    -------
    tuple of str
        Sentences; empty if there is none.
    """
    found: list[str] = []
    if posterior is None:
        found.append("There is no evidence and no posterior (log_evidence, log_evidence_se).")
    else:
        found += _of_posterior(hypothesis, curve, posterior)
    if point is None:
        found.append("There is no point fit, so no information criteria.")
    else:
        found += _of_point(hypothesis, curve, point)
        if posterior is None or not (len(posterior.draws) or posterior.sampler == LAPLACE):
            found += point.intervals.doubts
    if curve.n_obs < _POINTS_EACH * len(hypothesis.names):
        found.append(f"Only {curve.n_obs} points for {len(hypothesis.names)} free parameters.")
    return tuple(dict.fromkeys(found))


def _of_posterior(hypothesis: Hypothesis, curve: Curve, posterior: PosteriorFit) -> list[str]:
    found = []
    if posterior.status != FitStatus.OK:
        found.append(str(posterior.status))
    if posterior.remark:
        found.append(posterior.remark)
    elif posterior.status in _CHECKABLE:
        found.append("It was not checked by bridge sampling (--cross-check).")
    if posterior.log_evidence_se is not None and posterior.log_evidence_se > _LARGE_SE:
        found.append(
            f"The log evidence has a Monte-Carlo error of {posterior.log_evidence_se:.2f}."
        )
    if posterior.sampler == LAPLACE:
        found.append(
            "Far behind, so not sampled: the log evidence is Laplace's approximation without a "
            "standard error (log_evidence_se), and parameters are those of the point fit, without "
            "intervals (lower, upper)."
        )
    elif len(posterior.draws) == 0:
        found.append(
            "There are no posterior draws; parameter intervals are those of the point fit, by "
            "profile likelihood."
        )
    if len(posterior.draws) == 0:
        return found
    unseen = _unseen(hypothesis, curve, posterior.draws)
    if unseen > _UNSEEN:
        found.append(
            f"The plateau is not in sight: after the last point the curve would still change by "
            f"{100 * min(unseen, 99.99):.0f} % of the range of y."
        )
    return found


def _unseen(hypothesis: Hypothesis, curve: Curve, draws: FloatArray) -> float:
    """Median change from the window's end to ten times as far, in ranges of y."""
    form = hypothesis.form
    if not form.nonlinear:
        return 0.0
    some = draws[:: max(1, len(draws) // 100), : len(form.names)]
    ends = curve.t[-1] * np.array([1.0, 10.0])
    with np.errstate(all="ignore"):
        values = np.asarray(form(ends, some))
    change = np.abs(values[:, 1] - values[:, 0]) / center_and_extent(curve)[1]
    return float(np.median(np.nan_to_num(change, nan=0.0, posinf=1e6)))


def _of_point(hypothesis: Hypothesis, curve: Curve, point: PointFit) -> list[str]:
    found = []
    if point.status == FitStatus.AT_BOUND:
        missing = ", ".join(_at_the_edge(hypothesis, point))
        found.append(f"Best fit at the edge of the prior range: {missing or 'a parameter'}.")
    elif point.status != FitStatus.OK:
        found.append(str(point.status))
    found += point.unfixed
    if point.n_obs <= point.n_free + 1:
        found.append("AICc is undefined with so few points.")
    test = residual_test(curve, point)
    if test is not None and test.p_value < _P_VALUE:
        white = whitened_residuals(curve, point)
        lag_1 = 0.0 if white is None else float(autocorrelation(white, 1)[0])
        found.append(
            f"Residual autocorrelation remains (lag 1: {lag_1:.2f}; "
            f"Ljung-Box p = {test.p_value:.1g})."
        )
    return found


def _at_the_edge(hypothesis: Hypothesis, point: PointFit) -> list[str]:
    """Names of parameters at an end of their prior's support."""
    names = []
    for name, value in zip(point.names, point.theta, strict=True):
        if name in hypothesis.form.linear:
            continue
        low, high = (float(hypothesis.priors[name].ppf(u)) for u in (0.0, 1.0))
        near = 1e-5 * max(abs(value), abs(high) if np.isfinite(high) else 0.0) * 1e-1
        if abs(value - low) <= max(near, 1e-5 * abs(low)) or abs(value - high) <= near:
            names.append(name)
    return names


def residual_test(curve: Curve, point: PointFit) -> LjungBox | None:
    """Test of the whitened residuals of a point fit; None if it does not apply.

    Nor does it to residuals far below the least noise of the priors, as of a curve without any:
    what they are made of is rounding.
    """
    white = whitened_residuals(curve, point)
    if white is None or float(np.sqrt(np.mean(white**2))) < _SCATTERED:
        return None
    return ljung_box(white)


def whitened_residuals(curve: Curve, point: PointFit) -> FloatArray | None:
    """Residuals (n,) that are independent and of variance 1 if the hypothesis holds.

    Prediction errors under Gaussian noise, Pearson residuals under noise of counts, normal scores
    (Dunn and Smyth 1996, J. Comput. Graph. Stat. 5:236) under Student's t; None without a point
    fit, and under other noises.
    """
    if not np.isfinite(point.log_likelihood):
        return None
    noise = point.hypothesis.noise
    psi = point.theta[len(point.hypothesis.form.names) :]
    y_hat = fitted_values(point)
    rest = curve.y - y_hat
    if noise.gaussian:
        return np.asarray(noise.whiten(rest[None, None], curve, psi[None])[0][0, 0])
    if isinstance(noise, StudentT):
        scaled = rest / np.sqrt(white_variance(curve, psi[:1])[0])
        return np.asarray(-np.sign(scaled) * ndtri(stdtr(psi[1], -np.abs(scaled))))
    if isinstance(noise, MeanLinked):
        return np.asarray(rest / np.sqrt(noise.variance(y_hat[None], curve, psi[None])[0]))
    if curve.n_trials is None or not isinstance(noise, Binomial | BetaBinomial):
        return None
    variance = np.maximum(y_hat * (1.0 - y_hat), 1e-12) / curve.n_trials
    if isinstance(noise, BetaBinomial):
        variance = variance * (1.0 + (curve.n_trials - 1) * psi[0])
    return np.asarray(rest / np.sqrt(variance))
