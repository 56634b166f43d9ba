"""One candidate of a comparison: a hypothesis with its fits and the shapes of its draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.doubts import FAILED
from fitting.families import POSTERIOR_DRAWS, family_shares
from fitting.fit import FitStatus, PointFit, PosteriorFit
from fitting.point import fit
from fitting.screening import LAPLACE, LAPLACE_SE
from theory.curve import Curve
from theory.family import Family, classify
from theory.hypothesis import Hypothesis
from theory.noise import Noise

FloatArray = NDArray[np.float64]

# Smallest Monte-Carlo error, in nats, with which an evidence enters the verdict, by its status.
# Measured over seeds: the spread of well-behaved ones reaches 0.1 under wandering noise, that of
# gated ones half a nat.
_LEAST_SE = {
    FitStatus.OK: 0.05,
    FitStatus.HEAVY_WEIGHTS: 0.3,
    FitStatus.FEW_EFFECTIVE_DRAWS: 0.6,
}
_USELESS_ESS = 20.0
WEIGHTY = 0.05
"""A candidate of less weight cannot turn a verdict."""


@final
@dataclass(frozen=True, eq=False)
class Candidate:
    """One hypothesis with its fits and the shapes of its posterior draws.

    Attributes
    ----------
    hypothesis, posterior, point
        The hypothesis and its fits.
    values
        Shape (S, n_grid): curves of the draws.
    codes
        Shape (S,): their families.
    """

    hypothesis: Hypothesis
    posterior: PosteriorFit
    point: PointFit
    values: FloatArray
    codes: NDArray[np.int8]


def fitted(
    hypothesis: Hypothesis,
    curve: Curve,
    grid: FloatArray,
    extent: float,
    posterior: PosteriorFit,
    modes: FloatArray,
) -> Candidate:
    """Fit a hypothesis by maximum likelihood and classify its posterior draws.

    Parameters
    ----------
    hypothesis, curve
        What is fitted to what.
    grid
        Shape (n_grid,): where shapes are looked at.
    extent
        Range of the data, in units of y.
    posterior
        Its draws; where it has none, the point fit stands in for them.
    modes
        Shape (K, p): parameters from which the optimum is near.
    """
    p = len(hypothesis.form.names)
    point = fit(hypothesis, curve, starts=_starts(hypothesis, curve, posterior, modes))
    some = posterior.draws[:: max(1, len(posterior.draws) // POSTERIOR_DRAWS)]
    if len(some) == 0 and np.all(np.isfinite(point.theta)):
        some = point.theta[None]
    values = np.zeros((0, grid.size))
    codes = np.zeros(0, dtype=np.int8)
    if len(some):
        values = np.asarray(hypothesis.form(grid, some[:, :p]))
        codes = np.asarray(classify(grid, values, scale=extent))
    return Candidate(hypothesis, posterior, point, values, codes)


def _starts(
    hypothesis: Hypothesis, curve: Curve, posterior: PosteriorFit, modes: FloatArray
) -> FloatArray | None:
    """Likeliest posterior draws and the best mode, from which the optimum is near."""
    if posterior.status in FAILED or len(posterior.draws) == 0:
        return modes[:2] if len(modes) and posterior.status not in FAILED else None
    some = posterior.draws[:: max(1, len(posterior.draws) // 200)]
    value = np.nan_to_num(hypothesis.log_likelihood(some, curve), nan=-np.inf)
    return np.concatenate((some[np.argsort(-value, kind="stable")[:2]], modes[:1]))


def shares(candidate: Candidate) -> FloatArray:
    """Share (5,) of each family among the draws; equal shares where there are none."""
    if len(candidate.codes) == 0:
        return np.full(len(Family), 1.0 / len(Family))
    return family_shares(candidate.codes)


def picked(candidate: Candidate, family: int, number: int) -> FloatArray:
    """Curves (number, n_grid) of one family, evenly from the draws; none where it has none."""
    rows = np.flatnonzero(candidate.codes == family)
    if not rows.size:
        return candidate.values[:0]
    places = np.linspace(0, rows.size - 1, number).round().astype(int)
    return np.asarray(candidate.values[rows[places]])


def evidence_se(posterior: PosteriorFit) -> float:
    """Monte-Carlo error of the log evidence with which it enters the verdict, in nats."""
    if posterior.sampler == LAPLACE:
        return LAPLACE_SE
    least = 1.5 if posterior.ess < _USELESS_ESS else _LEAST_SE.get(posterior.status, 1.0)
    return max(number(posterior.log_evidence_se, 0.0), least)


def scaled_log_evidence(posterior: PosteriorFit, scale: float) -> float:
    """Return log Z under wider or narrower priors; the nominal one where that is not known."""
    nominal = number(posterior.log_evidence, -np.inf)
    return posterior.scaled_log_evidence.get(scale, nominal)


def number(value: float | None, missing: float) -> float:
    """Put a number in the place of None."""
    return missing if value is None else value


def weighty_noises(candidates: Sequence[Candidate], weights: FloatArray) -> list[Noise]:
    """Noises that hold a share of the posterior which could turn a verdict, each once."""
    total: dict[Noise, float] = {}
    for candidate, weight in zip(candidates, weights, strict=True):
        noise = candidate.hypothesis.noise
        total[noise] = total.get(noise, 0.0) + float(weight)
    return [noise for noise, weight in total.items() if weight >= WEIGHTY]
