"""Why nothing may be concluded from a comparison, whatever its probabilities are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fitting.candidate import WEIGHTY, Candidate
from fitting.doubts import residual_test
from fitting.fit import FitStatus
from theory.curve import Curve

FloatArray = NDArray[np.float64]

# Nor can a candidate turn a verdict whose best likelihood is this far below the best evidence.
_NEGLIGIBLE = 1e-3
# One curve in a thousand fails the residual test at this level though all is well; where
# candidates of this weight together pass it, some noise does describe the scatter.
_P_VALUE = 1e-3
_PASSED = 0.25
# A point without which y has less than this part of its range sets the scale of everything; looked
# for among this share of the points.
_SHRUNK = 0.1
_FEW = 0.02


def obstacles(
    curve: Curve, candidates: Sequence[Candidate], weights: FloatArray
) -> tuple[str, ...]:
    """Sentences, the gravest first; empty if a verdict may be given.

    Parameters
    ----------
    curve
        What the candidates were compared on.
    candidates
        All of them.
    weights
        Shape (A,): their posterior probabilities.
    """
    return (
        *_spikes(curve),
        *_failures(candidates),
        *_no_competition(candidates),
        *_too_few_points(curve, candidates, weights),
        *_noise_is_wrong(curve, candidates, weights),
    )


def _spikes(curve: Curve) -> list[str]:
    """Points between others that lie so far from all of them that they set every scale."""
    y = curve.y
    far = np.argsort(-np.abs(y - np.median(y)), kind="stable")[: max(1, int(_FEW * y.size))]
    rest = np.ptp(np.delete(y, far)) if y.size > far.size else 0.0
    inside = far[(far > 0) & (far < y.size - 1)]
    if inside.size < far.size or not 0.0 < rest < _SHRUNK * np.ptp(y):
        return []
    first = int(inside.min())
    others = f" and {inside.size - 1} more like it" if inside.size > 1 else ""
    return [
        f"y = {y[first]:.4g} at t = {curve.t[first]:.4g}{others} lies so far from all other points "
        f"that it makes the range of y {np.ptp(y) / rest:.0f} times as large and sets every scale: "
        "leave it out if it is not a measurement."
    ]


def _failures(candidates: Sequence[Candidate]) -> list[str]:
    """Candidates without any evidence that could have mattered.

    No evidence exceeds the largest likelihood, so a candidate whose best likelihood is far below
    the best evidence is harmless.
    """
    known = [c.posterior.log_evidence for c in candidates if c.posterior.log_evidence is not None]
    best = max(known, default=-np.inf)
    found = []
    for candidate in candidates:
        posterior, bound = candidate.posterior, candidate.point.log_likelihood
        if posterior.log_evidence is not None or posterior.status is FitStatus.NO_SUPPORT:
            continue
        if not bound < best + np.log(_NEGLIGIBLE):
            found.append(f"{candidate.hypothesis.name} could not be judged: {posterior.status}")
    return found


def _no_competition(candidates: Sequence[Candidate]) -> list[str]:
    forms = {candidate.hypothesis.form.name for candidate in candidates}
    if len(forms) > 1:
        return []
    return [f"Only one form, {forms.pop()}, was allowed to compete; a shape needs a rival."]


def _too_few_points(
    curve: Curve, candidates: Sequence[Candidate], weights: FloatArray
) -> list[str]:
    short = [
        candidate.hypothesis
        for candidate, weight in zip(candidates, weights, strict=True)
        if weight >= WEIGHTY and curve.n_obs <= len(candidate.hypothesis.names)
    ]
    if not short:
        return []
    largest = max(short, key=lambda hypothesis: len(hypothesis.names))
    return [
        f"{curve.n_obs} points are too few for the {len(largest.names)} parameters of "
        f"{largest.name}, which is among the leading candidates."
    ]


def _noise_is_wrong(
    curve: Curve, candidates: Sequence[Candidate], weights: FloatArray
) -> list[str]:
    """Whether all but few of the candidates, by weight, leave autocorrelated residuals."""
    failing, worst = 0.0, 1.0
    for candidate, weight in zip(candidates, weights, strict=True):
        test = residual_test(curve, candidate.point) if weight >= WEIGHTY else None
        if test is not None and test.p_value < _P_VALUE:
            failing += float(weight)
            worst = min(worst, test.p_value)
    if failing <= 1.0 - _PASSED:
        return []
    return [
        "The leading candidates leave autocorrelated residuals "
        f"(Ljung-Box p = {worst:.1g}), so none of these noises describes the scatter."
    ]
