"""The posterior of a curve, averaged over the candidates of a comparison."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fitting.comparison import Comparison

FloatArray = NDArray[np.float64]


def mixture_draws(comparison: Comparison, t: FloatArray, *, number: int = 400) -> FloatArray:
    """Return posterior draws of a curve's smooth course, whatever its form.

    Every candidate (form and noise) gives draws in proportion to its posterior weight
    (Bayesian model averaging; Hoeting, Madigan, Raftery and Volinsky 1999, eq. 1).

    Parameters
    ----------
    comparison
        A comparison with at least one sampled candidate.
    t
        Shape (n,): where to evaluate, in the unit of the curve's t.
    number
        About how many draws to return; candidates with less weight than 1/(2 number)
        give none.

    Returns
    -------
    ndarray
        Shape (S, n), deterministic.

    Raises
    ------
    ValueError
        If no candidate has posterior draws.
    """
    parts = []
    for score in comparison.scores:
        share = round(number * score.weight)
        if score.posterior is None or len(score.posterior.draws) == 0 or share == 0:
            continue
        draws = score.posterior.draws
        picks = np.linspace(0, len(draws) - 1, share).round().astype(int)
        form = score.hypothesis.form
        parts.append(np.asarray(form(t, draws[picks, : len(form.names)])))
    if not parts:
        curve = comparison.curve
        raise ValueError(
            f"{curve.observable!r} of run {curve.run!r} has no posterior draws; "
            f"{comparison.verdict.reason}"
        )
    return np.concatenate(parts)
