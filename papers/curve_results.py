"""One curve's comparison as an entry of the results file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from fitting.comparison import Comparison, Score
    from fitting.estimate import Estimate
    from fitting.stages import Stage, Stages
    from fitting.trials.license import License

Document = dict[str, Any]

MOST_LAGS = 20
EXPLAINED = (
    "License: curves were simulated at the same times, with the noise that was fitted and with "
    "blocks of the residuals, in shapes drawn from the priors of every family and in shapes that "
    "no form has, and judged in the same way."
)


def curve_json(comparison: Comparison) -> Document:
    """Return one entry of ``curves``."""
    from papers.fitted_curves import fitted_json
    from papers.prior_curves import prior_json
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
        "fitted": fitted_json(comparison),
        "prior": prior_json(comparison),
        "residuals": residuals_json(comparison),
        **_stages(comparison.stages),
        "peak": peak_json(comparison),
        "forecast": _forecast(comparison),
        "verdict": {
            "kind": str(comparison.verdict.kind),
            "families": [str(family) for family in comparison.verdict.families],
            "forms": list(comparison.verdict.forms),
            "reason": comparison.verdict.reason,
        },
        "notes": list(comparison.notes),
        "license": license_json(comparison.license),
    }


def candidate_json(score: Score) -> Document:
    """Return one entry of ``candidates``."""
    parameters = {name: estimate_json(estimate) for name, estimate in score.parameters.items()}
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
        "sampler": score.sampler,
        "weight": number(score.weight),
        "elpd_loo": number(score.elpd_loo),
        "elpd_forecast": number(score.elpd_forecast),
        "doubts": list(score.doubts),
    }


def number(value: float | None) -> float | None:
    """Return a number as JSON knows it: null where it is missing or not finite."""
    return None if value is None or not math.isfinite(value) else float(value)


def license_json(license: License | None) -> Document | None:
    """Return how verdicts came out on simulated curves; None where that was not asked for."""
    if license is None:
        return None
    from fitting.recovery import FAMILIES, OUTCOMES

    recovery = license.recovery
    recognized = {name: recovery.recognized(name) for name in FAMILIES}
    return {
        **recovery.error_rate.content(),
        "lower_bound": recovery.error_rate.lower_bound,
        "recognized": {k: {"count": p.count, "number": p.number} for k, p in recognized.items()},
        "confusion": {
            truth: {said: int(n) for said, n in zip(OUTCOMES, counts, strict=True)}
            for truth, counts in zip(FAMILIES, recovery.confusion, strict=True)
        },
        "sentence": license.sentence,
        "explained": EXPLAINED,
        "failed": license.failed,
    }


def estimate_json(estimate: Estimate | None) -> Document | None:
    """Return a number with its uncertainty; null where it could not be computed."""
    if estimate is None:
        return None
    names = ("value", "se", "lower", "upper")
    return {name: number(getattr(estimate, name)) for name in names}


def _families(probabilities: Mapping[Any, float]) -> Document:
    return {str(family): number(value) for family, value in probabilities.items()}


def _stages(stages: Stages | None) -> Document:
    if stages is None:
        return {"stages": [], "stage_agreement": None}
    # A stage's numbers are posterior medians; their intervals stand beside them.
    names = ("onset", "midpoint", "width", "share", "rise")
    listed = [
        {name: number(_part(stage, name).value) for name in names}
        | {f"{name}_interval": _interval(_part(stage, name)) for name in names}
        for stage in stages.stages
    ]
    return {"stages": listed, "stage_agreement": number(stages.agreement)}


def _part(stage: Stage, name: str) -> Estimate:
    """Return one number of a stage; a share is one, whatever rounding made of it."""
    found: Estimate = getattr(stage, name)
    if name != "share":
        return found
    edges = (min(max(value, 0.0), 1.0) for value in (found.value, found.lower, found.upper))
    value, lower, upper = edges
    return replace(found, value=value, lower=lower, upper=upper)


def _interval(estimate: Estimate) -> list[float | None]:
    return [number(estimate.lower), number(estimate.upper)]


def peak_json(comparison: Comparison) -> Document | None:
    """Return the peak or trough of the leading family's curves; None if they have none.

    Its numbers hold if the curve has that family's shape: `probability_given_family` is the
    share of that family's draws that turn, `probability` the same times the family's own.
    """
    stages = comparison.stages
    if stages is None or stages.peak is None:
        return None
    peak = stages.peak
    known = comparison.family_probabilities
    family = max(known, key=lambda name: known[name])
    return {
        "kind": "trough" if peak.prominence.value < 0 else "peak",
        "family": str(family),
        **{name: estimate_json(getattr(peak, name)) for name in ("time", "height", "prominence")},
        "probability": number(peak.probability * known[family]),
        "probability_given_family": number(peak.probability),
    }


def _forecast(comparison: Comparison) -> Document:
    forecast = comparison.forecast
    if forecast is None:
        nothing = {"baseline": None, "rmse_ratio": None}
        return {**nothing, "reason": _why_no_forecast(comparison)}
    return {
        "baseline": forecast.baseline,
        "n_train": forecast.n_train,
        "n_test": forecast.n_test,
        "baseline_rmse": number(forecast.baseline_rmse),
        "rmse_ratio": number(forecast.rmse_ratio),
        "average_ratio": number(forecast.average_ratio),
        "best_ratio": number(forecast.best_ratio),
        "coverage": number(forecast.coverage),
        "reason": forecast.reason,
    }


def _why_no_forecast(comparison: Comparison) -> str:
    if not comparison.scores:
        return "No candidate could be fitted, so there is nothing to forecast from."
    if not any(score.weight for score in comparison.scores):
        return "No candidate has an evidence, so none is worth a forecast."
    return "No forecast was asked for."


def residuals_json(comparison: Comparison) -> Document | None:
    """Return the standardized residuals of the heaviest candidate, and their autocorrelation.

    `before` is that of the plain residuals, before the noise explained any of it.
    """
    from fitting.doubts import whitened_residuals
    from fitting.residuals import autocorrelation, plain_residuals

    leading = max(comparison.scores, key=lambda score: score.weight, default=None)
    if leading is None or leading.point is None or comparison.curve.n_obs < 4:
        return None
    values = whitened_residuals(comparison.curve, leading.point)
    if values is None or not np.isfinite(values).all():
        return None
    plain = plain_residuals(leading.point)
    lags = min(MOST_LAGS, values.size - 2)
    return {
        "form": leading.form,
        "noise": leading.noise,
        "values": values.tolist(),
        "autocorrelation": autocorrelation(values, lags).tolist(),
        "ljung_box": _ljung_box(values),
        "before": {
            "autocorrelation": autocorrelation(plain, lags).tolist(),
            "ljung_box": _ljung_box(plain),
        },
    }


def _ljung_box(values: NDArray[np.float64]) -> Document | None:
    from fitting.residuals import ljung_box

    test = ljung_box(values)
    return None if test is None else asdict(test)
