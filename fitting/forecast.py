"""Leave-future-out: learn from the first part of a curve, score the rest.

Every hypothesis is held against the first part anew: its posterior modes there, found without
knowledge of the rest, with floor, gain and the like integrated out under their priors. The log
density of the rest given the first part is then the difference of two log likelihoods, which is
right under autocorrelated noise too, and no unbounded plateau can run away. The naive forecast
beside it is hard to beat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.log_sum_exp import log_sum_exp
from fitting.modes import find_modes
from fitting.target import Target
from fitting.threads import each
from theory.curve import Curve
from theory.hypothesis import Hypothesis

FloatArray = NDArray[np.float64]

BASELINE = "mean of the last 10 % of points"
FIRST_PART = 0.75
_DRAWS = 64  # of the integrated parameters, at each mode


@final
@dataclass(frozen=True)
class Forecast:
    """How well hypotheses that saw only the first part foretell the rest.

    Attributes
    ----------
    baseline
        What the naive forecast is: a mean over the end of the first part.
    n_train, n_test
        Points in the two parts.
    elpd
        Log predictive density of the rest, in nats, for each hypothesis; None where not computable.
    rmse
        Root mean square error of its mean curve, in units of y.
    baseline_rmse
        The naive forecast's.
    rmse_ratio
        Error of the mean forecast, weighted by the (Laplace) evidence of the first part, over the
        naive one's; below 1 is better than naive. None if nothing could be computed.
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
    rng: np.random.Generator,
    first: float = FIRST_PART,
    workers: int = 1,
) -> Forecast:
    """Hold hypotheses against the first part of a curve and score the rest.

    Parameters
    ----------
    curve
        The whole curve.
    hypotheses
        Their priors are those of the whole curve: its extent in t and y is taken as known.
    rng
        Draws what the likelihood integrates, for the mean curves.
    first
        Share of points in the first part, in (0, 1).
    workers
        Threads.

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
    train, rest = first_part(curve, n_train), curve.y[n_train:]
    tail = train.y[-max(1, round(0.1 * n_train)) :].mean()
    naive = _rmse(np.full(rest.size, tail), rest)
    if np.ptp(train.y) == 0.0:
        reason = "The first part of the curve does not vary; there is nothing to learn from it."
        return Forecast(BASELINE, n_train, rest.size, nothing, nothing, naive, None, reason)
    found = each(
        lambda one: _foretold(one[0], curve, train, one[1]),
        zip(hypotheses, rng.spawn(len(hypotheses)), strict=True),
        workers=workers,
    )
    ratio = None
    if naive > 0.0 and any(one is not None for one in found):
        ratio = _rmse(_mixture([one for one in found if one is not None]), rest) / naive
    return Forecast(
        BASELINE,
        n_train,
        rest.size,
        tuple(None if one is None else one.elpd for one in found),
        tuple(None if one is None else _rmse(one.mean, rest) for one in found),
        naive,
        ratio,
        "" if ratio is not None else _reason(naive),
    )


def _reason(naive: float) -> str:
    if naive == 0.0:
        return "The naive forecast has no error, so nothing can be measured by it."
    return "No hypothesis gives the first part of the curve a likelihood."


@final
@dataclass(frozen=True, eq=False)
class _Foretold:
    """What one hypothesis makes of the rest, and the evidence of the first part."""

    elpd: float
    mean: FloatArray
    log_evidence: float


def _foretold(
    hypothesis: Hypothesis, curve: Curve, train: Curve, rng: np.random.Generator
) -> _Foretold | None:
    past, whole = Target(hypothesis, train), Target(hypothesis, curve)
    with np.errstate(all="ignore"):
        z, log_mass = _modes(past)
        if not len(z):
            return None
        known = past.sums(z)
        gain = whole.log_likelihood(whole.sums(z)) - past.log_likelihood(known)
        share = np.exp(log_mass - log_sum_exp(log_mass))
        every = np.repeat(np.arange(len(z)), _DRAWS)
        theta, _ = past.draw_natural(z[every], known.at(every), rng=rng)
        p = len(hypothesis.form.names)
        ahead = np.asarray(hypothesis.form(curve.t[train.n_obs :], theta[:, :p]))
        mean = share @ ahead.reshape(len(z), _DRAWS, -1).mean(axis=1)
        elpd = float(log_sum_exp(np.log(share) + gain))
    if not (np.isfinite(elpd) and np.all(np.isfinite(mean))):
        return None
    return _Foretold(elpd, mean, float(log_sum_exp(log_mass)))


def _modes(target: Target) -> tuple[FloatArray, FloatArray]:
    """Posterior modes (K, dimension) and the logarithms of their masses (K,)."""
    if target.dimension == 0:
        z = np.zeros((1, 0))
        return z, target.log_likelihood(target.sums(z))
    modes = find_modes(target)
    if not modes:
        return np.zeros((0, target.dimension)), np.zeros(0)
    return np.array([m.center for m in modes]), np.array([m.log_mass for m in modes])


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


def _mixture(found: Sequence[_Foretold]) -> FloatArray:
    """Mean forecast weighted by the evidence of the first part."""
    logs = np.array([one.log_evidence for one in found])
    weights = np.exp(logs - log_sum_exp(logs))
    return np.asarray(weights @ np.stack([one.mean for one in found]))


def _rmse(mean: FloatArray, rest: FloatArray) -> float:
    return float(np.sqrt(np.mean((rest - mean) ** 2)))
