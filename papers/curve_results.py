"""One curve's comparison as an entry of the results file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from fitting.comparison import Comparison, Score
    from fitting.estimate import Estimate
    from fitting.stages import Peak, Stages

Document = dict[str, Any]

GRID = 161
MOST_DRAWS = 400
OTHER_FORMS = 2
SMALLEST_WEIGHT = 0.05
MOST_LAGS = 20


def curve_json(comparison: Comparison) -> Document:
    """Return one entry of ``curves``."""
    from theory.curve import Schedule

    curve = comparison.curve
    return {
        "run": curve.run,
        "run_id": curve.run_id,
        "observable": curve.observable,
        "unit": curve.unit,
        "progress": str(curve.progress),
        "n_obs": curve.n_obs,
        "digest": curve.digest,
        "origin": str(curve.origin),
        "conditions": {
            name: value.content() if isinstance(value, Schedule) else value
            for name, value in curve.conditions.items()
        },
        "t": curve.t.tolist(),
        "y": curve.y.tolist(),
        "y_se": None if curve.y_se is None else curve.y_se.tolist(),
        "family_probabilities": _families(comparison.family_probabilities),
        "family_se": _families(comparison.family_se),
        "sensitivity": {f"{s:g}": _families(p) for s, p in comparison.sensitivity.items()},
        "candidates": [candidate_json(score) for score in comparison.scores],
        "best": best_json(comparison),
        "residuals": residuals_json(comparison),
        **_stages(comparison.stages),
        "forecast": _forecast(comparison),
        "verdict": {
            "kind": str(comparison.verdict.kind),
            "families": [str(family) for family in comparison.verdict.families],
            "forms": list(comparison.verdict.forms),
            "reason": comparison.verdict.reason,
        },
        "notes": list(comparison.notes),
    }


def candidate_json(score: Score) -> Document:
    """Return one entry of ``candidates``."""
    parameters = {
        name: None if estimate is None else _estimate(estimate)
        for name, estimate in score.parameters.items()
    }
    return {
        "form": score.form,
        "noise": score.noise,
        "family": None if score.family is None else str(score.family),
        "status": score.status,
        "expression": score.expression,
        "latex": score.latex,
        "parameters": parameters,
        "log_likelihood": number(score.log_likelihood),
        "n_free": score.n_free,
        "aic": number(score.aic),
        "aicc": number(score.aicc),
        "bic": number(score.bic),
        "log_evidence": number(score.log_evidence),
        "log_evidence_se": number(score.log_evidence_se),
        "weight": number(score.weight),
        "elpd_loo": number(score.elpd_loo),
        "elpd_forecast": number(score.elpd_forecast),
        "doubts": list(score.doubts),
    }


def number(value: float | None) -> float | None:
    """Return a number as JSON knows it: null where it is missing or not finite."""
    return None if value is None or not math.isfinite(value) else float(value)


def _numbers(values: Any) -> list[float | None]:
    return [number(float(value)) for value in values]


def _estimate(estimate: Estimate) -> Document:
    names = ("value", "se", "lower", "upper")
    return {name: number(getattr(estimate, name)) for name in names}


def _families(probabilities: Mapping[Any, float]) -> Document:
    return {str(family): number(value) for family, value in probabilities.items()}


def _stages(stages: Stages | None) -> Document:
    if stages is None:
        return {"stages": [], "stage_agreement": None, "peak": None}
    # A stage's numbers are posterior medians; their intervals stand beside them.
    names = ("onset", "midpoint", "width", "share", "rise")
    listed = [
        {name: number(getattr(stage, name).value) for name in names}
        | {f"{name}_interval": _interval(getattr(stage, name)) for name in names}
        for stage in stages.stages
    ]
    return {
        "stages": listed,
        "stage_agreement": number(stages.agreement),
        "peak": None if stages.peak is None else _peak(stages.peak),
    }


def _interval(estimate: Estimate) -> list[float | None]:
    return [number(estimate.lower), number(estimate.upper)]


def _peak(peak: Peak) -> Document:
    names = ("time", "height", "prominence")
    return {
        **{name: _estimate(getattr(peak, name)) for name in names},
        "probability": number(peak.probability),
    }


def _forecast(comparison: Comparison) -> Document:
    forecast = comparison.forecast
    if forecast is None:
        return {"baseline": None, "rmse_ratio": None, "reason": "No forecast was asked for."}
    return {
        "baseline": forecast.baseline,
        "n_train": forecast.n_train,
        "n_test": forecast.n_test,
        "baseline_rmse": number(forecast.baseline_rmse),
        "rmse_ratio": number(forecast.rmse_ratio),
        "reason": forecast.reason,
    }


def best_json(comparison: Comparison) -> Document | None:
    """Return grid, median and 95 % band of the best form, and medians of the next ones."""
    drawn = [score for score in comparison.scores if _draws(score) is not None]
    if not drawn:
        return None
    t = display_grid(comparison.curve.t)
    best, *rest = drawn
    lower, median, upper = np.quantile(_values(best, t), [0.025, 0.5, 0.975], axis=0)
    others: dict[str, Document] = {}
    for score in rest:
        known = {best.form, *others}
        if score.form in known or not score.weight or score.weight < SMALLEST_WEIGHT:
            continue
        values = np.median(_values(score, t), axis=0)
        others[score.form] = {"form": score.form, "noise": score.noise, "median": _numbers(values)}
        if len(others) == OTHER_FORMS:
            break
    return {
        "form": best.form,
        "noise": best.noise,
        "t": t.tolist(),
        "median": _numbers(median),
        "lower": _numbers(lower),
        "upper": _numbers(upper),
        "others": list(others.values()),
    }


def display_grid(t: Any) -> Any:
    """Return times for a drawn line: as dense everywhere as the observations are there."""
    place = np.linspace(0.0, t.size - 1.0, max(GRID, t.size) if t.size > 1 else 1)
    return np.unique(np.interp(place, np.arange(t.size), t))


def _draws(score: Score) -> Any:
    """Return some posterior draws of the form's parameters; the best point where none exist."""
    width = len(score.hypothesis.form.names)
    if score.posterior is not None and len(score.posterior.draws):
        draws = score.posterior.draws
        return draws[:: max(1, len(draws) // MOST_DRAWS), :width]
    if score.point is not None and np.isfinite(score.point.theta[:width]).all():
        return score.point.theta[None, :width]
    return None


def _values(score: Score, t: Any) -> Any:
    with np.errstate(all="ignore"):
        values = np.asarray(score.hypothesis.form(t, _draws(score)))
    return values[np.isfinite(values).all(axis=1)] if len(values) > 1 else values


def residuals_json(comparison: Comparison) -> Document | None:
    """Return the standardized residuals of the best candidate and their autocorrelation."""
    from fitting.doubts import whitened_residuals
    from fitting.residuals import autocorrelation, ljung_box

    best = comparison.best
    if best is None or best.point is None or comparison.curve.n_obs < 4:
        return None
    values = whitened_residuals(comparison.curve, best.point)
    if values is None or not np.isfinite(values).all():
        return None
    test = ljung_box(values)
    return {
        "form": best.form,
        "noise": best.noise,
        "values": values.tolist(),
        "autocorrelation": autocorrelation(values, min(MOST_LAGS, values.size - 2)).tolist(),
        "ljung_box": None
        if test is None
        else {"statistic": test.statistic, "lags": test.lags, "p_value": test.p_value},
    }
