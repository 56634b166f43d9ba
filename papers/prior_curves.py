"""What the leading form was expected to look like before the data: its prior predictive curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from papers.fitted_curves import heaviest_forms

if TYPE_CHECKING:
    from fitting.comparison import Comparison

Document = dict[str, Any]

GRID = 61
DRAWS = 512
SHOWN = 6


def prior_json(comparison: Comparison) -> Document | None:
    """Return curves drawn from the prior of the heaviest form, without noise.

    Returns
    -------
    dict or None
        ``form``; ``t``; ``lower`` and ``upper``, between which 95 % of the prior's curves lie at
        each time; ``draws``, a few of them. None where nothing was fitted.
    """
    from fitting.prior_draws import prior_draws

    leading = heaviest_forms(comparison)
    if not leading:
        return None
    score, t = leading[0][0], comparison.curve.t
    place = np.linspace(0.0, t.size - 1.0, min(GRID, max(2, 2 * t.size)))
    grid = np.unique(np.interp(place, np.arange(t.size), t))
    with np.errstate(all="ignore"):
        values = np.asarray(score.hypothesis.form(grid, prior_draws(score.hypothesis, DRAWS)))
    values = values[np.isfinite(values).all(axis=1)]
    if not len(values):
        return None
    lower, upper = np.quantile(values, [0.025, 0.975], axis=0)
    return {
        "form": score.form,
        "t": grid.tolist(),
        "lower": lower.tolist(),
        "upper": upper.tolist(),
        "draws": values[:SHOWN].tolist(),
    }
