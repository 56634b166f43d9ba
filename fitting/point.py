"""Point fits: the most likely parameters of hypotheses on curves."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from fitting.fit import FitStatus, PointFit
from fitting.optimum.least_squares_fit import alike, is_least_squares, least_squares_fits
from fitting.optimum.maximum import maximum
from fitting.optimum.point_fit import unfitted
from fitting.threads import each
from theory.curve import Curve
from theory.hypothesis import Hypothesis

FloatArray = NDArray[np.float64]


def fit(hypothesis: Hypothesis, curve: Curve, *, starts: FloatArray | None = None) -> PointFit:
    """Fit a hypothesis by maximum likelihood.

    Parameters
    ----------
    hypothesis
        Its priors bound the search; their density plays no part.
    curve
        The data.
    starts
        Shape (K, p), optional: parameter values, form first, then noise (posterior draws, say), to
        descend from: beside the global search where the fit is least squares, instead of it under
        other noise.

    Returns
    -------
    PointFit
        With as few points as parameters, or fewer, nothing is fitted: the status says so and the
        numbers are nan. Its profile-likelihood intervals are computed when they are asked for.
    """
    if starts is None or curve.n_obs <= len(hypothesis.names):
        return fit_many((hypothesis,), (curve,))[0]
    if not is_least_squares(hypothesis, curve):
        return maximum(hypothesis, curve, starts)
    places = [hypothesis.names.index(name) for name in hypothesis.form.nonlinear]
    return least_squares_fits((hypothesis,), (curve,), starts[None, :, places])[0]


def fit_many(
    hypotheses: Sequence[Hypothesis], curves: Sequence[Curve], *, workers: int = 1
) -> tuple[PointFit, ...]:
    """Fit every hypothesis to its curve; those of one form on one grid of t go together.

    Parameters
    ----------
    hypotheses, curves
        Pairs: the i-th hypothesis, in the units of the i-th curve, and that curve.
    workers
        Threads; the result does not depend on it.

    Returns
    -------
    tuple of PointFit
        In order. A curve that cannot be fitted says so in its status, and is nothing to the others.

    Raises
    ------
    ValueError
        If there are not as many curves as hypotheses.
    """
    if len(hypotheses) != len(curves):
        raise ValueError(
            f"every hypothesis needs its curve; there are {len(hypotheses)} hypotheses and "
            f"{len(curves)} curves."
        )
    groups: dict[Hashable, list[int]] = {}
    for i, (hypothesis, curve) in enumerate(zip(hypotheses, curves, strict=True)):
        groups.setdefault(alike(hypothesis, curve) or ("alone", i), []).append(i)
    for hypothesis in hypotheses:
        hypothesis.form.compile()

    def fitted(members: list[int]) -> list[PointFit]:
        some = [hypotheses[i] for i in members], [curves[i] for i in members]
        return _together(*some)

    found: list[PointFit | None] = [None] * len(curves)
    for members, fits in zip(
        groups.values(), each(fitted, groups.values(), workers=workers), strict=True
    ):
        for i, one in zip(members, fits, strict=True):
            found[i] = one
    return tuple(one for one in found if one is not None)


def _together(hypotheses: Sequence[Hypothesis], curves: Sequence[Curve]) -> list[PointFit]:
    hypothesis, curve = hypotheses[0], curves[0]
    if curve.n_obs <= len(hypothesis.names):
        return [unfitted(hypothesis, curve, FitStatus.TOO_FEW_POINTS)]
    if is_least_squares(hypothesis, curve):
        return least_squares_fits(hypotheses, curves)
    return [maximum(hypothesis, curve)]
