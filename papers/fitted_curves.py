"""What is drawn of a comparison: the average over its candidates, and its heaviest forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from fitting.comparison import Comparison, Score

Document = dict[str, Any]

GRID = 161
MOST_DRAWS = 400
MOST_FORMS = 3
SMALLEST_WEIGHT = 0.05


def fitted_json(comparison: Comparison) -> Document | None:
    """Return the model average with its 95 % band, and the median curves of the heaviest forms.

    The evidence of a form says how well it fits; its weight also counts how many near-copies of
    it compete. The average goes by weight, so that no single form stands for them all.

    Returns
    -------
    dict or None
        ``t``; ``average``, of ``median``, ``lower`` and ``upper``, null where no candidate has
        posterior draws; ``forms``, of ``form``, ``noise``, ``weight`` (over all noises) and
        ``median``. None where nothing was fitted.
    """
    t = display_grid(comparison.curve.t)
    forms = [_form(score, weight, t) for score, weight in heaviest_forms(comparison)]
    if not forms:
        return None
    return {"t": t.tolist(), "average": _average(comparison, t), "forms": forms}


def heaviest_forms(comparison: Comparison) -> list[tuple[Score, float]]:
    """Return at most three forms: the heaviest score of each, and its weight over all noises."""
    drawable = [score for score in comparison.scores if draws_of(score) is not None]
    weights: dict[str, float] = {}
    first: dict[str, Score] = {}
    for score in sorted(drawable, key=lambda score: -score.weight):
        weights[score.form] = weights.get(score.form, 0.0) + score.weight
        first.setdefault(score.form, score)
    ranked = sorted(first, key=lambda form: -weights[form])
    kept = [form for i, form in enumerate(ranked) if i == 0 or weights[form] >= SMALLEST_WEIGHT]
    return [(first[form], weights[form]) for form in kept[:MOST_FORMS]]


def _form(score: Score, weight: float, t: Any) -> Document:
    with np.errstate(all="ignore"):
        values = _finite(np.asarray(score.hypothesis.form(t, draws_of(score))))
    return {
        "form": score.form,
        "noise": score.noise,
        "weight": weight,
        "median": _numbers(np.median(values, axis=0)),
    }


def _average(comparison: Comparison, t: Any) -> Document | None:
    from fitting.mixture import mixture_draws

    try:
        with np.errstate(all="ignore"):
            values = _finite(mixture_draws(comparison, t, number=MOST_DRAWS))
    except ValueError:
        return None
    lower, median, upper = np.quantile(values, [0.025, 0.5, 0.975], axis=0)
    return {"median": _numbers(median), "lower": _numbers(lower), "upper": _numbers(upper)}


def display_grid(t: Any) -> Any:
    """Return times for a drawn line: as dense everywhere as the observations are there."""
    place = np.linspace(0.0, t.size - 1.0, max(GRID, t.size) if t.size > 1 else 1)
    return np.unique(np.interp(place, np.arange(t.size), t))


def draws_of(score: Score) -> Any:
    """Return some posterior draws of the form's parameters; the best point where none exist."""
    width = len(score.hypothesis.form.names)
    if score.posterior is not None and len(score.posterior.draws):
        draws = score.posterior.draws
        return draws[:: max(1, len(draws) // MOST_DRAWS), :width]
    if score.point is not None and np.isfinite(score.point.theta[:width]).all():
        return score.point.theta[None, :width]
    return None


def _finite(values: Any) -> Any:
    """Leave out draws that are not finite everywhere, unless that leaves none."""
    kept = values[np.isfinite(values).all(axis=1)]
    return kept if len(kept) else values


def _numbers(values: Any) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]
