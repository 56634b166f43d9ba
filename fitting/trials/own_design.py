"""The design of a recovery study that is a user's own curve: its times, its noise, its size."""

from __future__ import annotations

import numpy as np

from fitting.comparison import Comparison, Score
from fitting.families import SMALLEST_PRIOR, prior_shapes, prior_shares
from fitting.redundancy import redundancy_weights, similarities
from fitting.residuals import fitted_values
from fitting.trials.scatter import fitted_scatter, mixed, resampled_scatter
from fitting.trials.trial import Design
from fitting.trials.truths import OUTSIDE
from theory.curve import Curve
from theory.family import Family
from theory.form import Form
from theory.hypothesis import center_and_extent, default_hypothesis
from theory.noise import Noise, White

# A truth changes at least by this share of the range of y: less could not be seen at all.
_LEAST_SIZE = 0.5


def own_design(comparison: Comparison, noises: tuple[Noise, ...] | None = None) -> Design | None:
    """Return the design that a compared curve was measured under.

    Half of the simulated curves scatter by posterior draws of the fitted noise, half by blocks of
    the residuals themselves. They change by as much as the heaviest candidate's curve does on the
    window, and by half of the range of y at least.

    Parameters
    ----------
    comparison
        Gives curve, forms and noise.
    noises
        What competed, if it was named; None for what suits each curve.

    Returns
    -------
    Design or None
        None where nothing was fitted.
    """
    leading = max(comparison.scores, key=lambda score: score.weight, default=None)
    fitted, resampled = fitted_scatter(comparison), resampled_scatter(comparison)
    if leading is None or fitted is None or resampled is None:
        return None
    curve = comparison.curve
    forms = tuple({score.form: score.hypothesis.form for score in comparison.scores}.values())
    size = max(_change(leading), _LEAST_SIZE * center_and_extent(curve)[1])
    kinds = (*possible_families(forms, curve), OUTSIDE)
    return Design(curve, mixed((fitted, resampled)), size, kinds, forms, noises)


def possible_families(forms: tuple[Form, ...], curve: Curve) -> tuple[str, ...]:
    """Return the families that some form has a priori often enough to be in the running."""
    hypotheses = [default_hypothesis(form, White(), curve) for form in forms]
    extent = center_and_extent(curve)[1]
    weight = redundancy_weights(similarities(hypotheses, curve.t))
    prior = [prior_shares(prior_shapes(h, curve.t), curve.t, scale=extent) for h in hypotheses]
    reach = weight @ np.array(prior) / weight.sum()
    pairs = zip(Family, reach, strict=True)
    return tuple(str(family) for family, share in pairs if share > SMALLEST_PRIOR)


def _change(score: Score) -> float:
    """Range of a candidate's fitted curve on the window; 0 if it has no point fit."""
    if score.point is None or not np.isfinite(score.point.theta).all():
        return 0.0
    return float(np.ptp(fitted_values(score.point)))
