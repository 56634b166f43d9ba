"""Leave-future-out: fit the first part of a curve, score the rest.

Plug-in and exact: every candidate is refitted on the first part, then the log density of the rest
given the first part is the difference of two log likelihoods at the refitted parameters, which is
right under autocorrelated noise too. The naive forecast beside it is hard to beat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.criteria import aicc
from fitting.fit import PointFit
from fitting.point import fit
from theory.curve import Curve
from theory.hypothesis import Hypothesis

FloatArray = NDArray[np.float64]

BASELINE = "mean of the last 10 % of points"
FIRST_PART = 0.75


@final
@dataclass(frozen=True)
class Forecast:
    """How well candidates fitted on the first part foretell the rest.

    Attributes
    ----------
    baseline
        What the naive forecast is: a mean over the end of the first part.
    n_train, n_test
        Points in the two parts.
    elpd
        Log predictive density of the rest, in nats, for each candidate; None where not computable.
    rmse
        Root mean square error of the form's mean, in units of y, for each candidate.
    baseline_rmse
        The naive forecast's.
    rmse_ratio
        Error of the AICc-weighted mean forecast (weights from the first part only) over the naive
        one's; below 1 is better than naive. None if nothing could be fitted.
    reason
        Why there is no ratio; empty if there is one.
    """

    baseline: str
    n_train: int
    n_test: int
    elpd: tuple[float | None, ...]
    rmse: tuple[float | None, ...]
    baseline_rmse: float | None
    rmse_ratio: float | None
    reason: str = ""


def forecast(
    curve: Curve,
    hypotheses: Sequence[Hypothesis],
    *,
    starts: Sequence[FloatArray | None] | None = None,
    first: float = FIRST_PART,
) -> Forecast:
    """Refit hypotheses on the first part of a curve and score the rest.

    Parameters
    ----------
    curve
        The whole curve.
    hypotheses
        Their priors only bound the refits, so those of the whole curve do.
    starts
        Parameter values (K, p) to refit from, for each hypothesis; None searches globally.
    first
        Share of points in the first part, in (0, 1).

    Raises
    ------
    ValueError
        If `first` is not in (0, 1).
    """
    if not 0.0 < first < 1.0:
        raise ValueError(f"first must lie between 0 and 1, got {first}.")
    n_train = int(round(first * curve.n_obs))
    nothing = (None,) * len(hypotheses)
    if n_train < 4 or n_train >= curve.n_obs:
        reason = f"{curve.n_obs} points are too few to hold a last part out."
        return Forecast(BASELINE, n_train, 0, nothing, nothing, None, None, reason)
    train = first_part(curve, n_train)
    given = starts if starts is not None else nothing
    fits = [fit(h, train, starts=s) for h, s in zip(hypotheses, given, strict=True)]
    means = [_mean(f, curve, n_train) for f in fits]
    rest = curve.y[n_train:]
    tail = train.y[-max(1, round(0.1 * n_train)) :].mean()
    naive = float(np.sqrt(np.mean((rest - tail) ** 2)))
    mixed = _mixture(fits, means)
    ratio = None if mixed is None or naive == 0.0 else _rmse(mixed, rest) / naive
    return Forecast(
        BASELINE,
        n_train,
        rest.size,
        tuple(_elpd(f, curve, train) for f in fits),
        tuple(None if m is None else _rmse(m, rest) for m in means),
        naive,
        ratio,
        "" if ratio is not None else "No candidate could be fitted to the first part.",
    )


def first_part(curve: Curve, n_train: int) -> Curve:
    """Cut a curve after its first `n_train` points, its declared support and units kept."""
    return Curve(
        observable=curve.observable,
        t=curve.t[:n_train],
        y=curve.y[:n_train],
        unit=curve.unit,
        progress=curve.progress,
        y_se=None if curve.y_se is None else curve.y_se[:n_train],
        n_trials=None if curve.n_trials is None else curve.n_trials[:n_train],
        support=curve.support,
    )


def _mean(point: PointFit, curve: Curve, n_train: int) -> FloatArray | None:
    form = point.hypothesis.form
    if not np.isfinite(point.log_likelihood):
        return None
    with np.errstate(all="ignore"):
        mean = np.asarray(form(curve.t[n_train:], point.theta[: len(form.names)]))
    return mean if np.all(np.isfinite(mean)) else None


def _elpd(point: PointFit, curve: Curve, train: Curve) -> float | None:
    if not np.isfinite(point.log_likelihood):
        return None
    with np.errstate(all="ignore"):
        whole = float(point.hypothesis.log_likelihood(point.theta[None], curve)[0])
    value = whole - point.log_likelihood
    return value if np.isfinite(value) else None


def _mixture(fits: Sequence[PointFit], means: Sequence[FloatArray | None]) -> FloatArray | None:
    """Mean forecast weighted by exp(-AICc / 2) on the first part."""
    scores, usable = [], []
    for point, mean in zip(fits, means, strict=True):
        value = aicc(point.log_likelihood, point.n_obs, point.n_free)
        if mean is not None and value is not None:
            scores.append(value)
            usable.append(mean)
    if not usable:
        return None
    weights = np.exp(-0.5 * (np.array(scores) - min(scores)))
    return np.asarray(np.average(usable, axis=0, weights=weights))


def _rmse(mean: FloatArray, rest: FloatArray) -> float:
    return float(np.sqrt(np.mean((rest - mean) ** 2)))
