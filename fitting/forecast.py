"""Leave-future-out: learn from the first part of a curve, foretell the rest.

Nothing of the rest is known: priors take their scale from the first part, the noise is chosen
there, and the candidates are weighted by its evidence. A candidate foretells by its posterior
draws, the wander carried on from where it was left. The naive forecast beside it is hard to beat,
and what is foretold in the end is the mean of the two: averages beat choices (Bates and Granger
1969, Oper. Res. Q. 20:451).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.foretold import Foretold, foretell
from fitting.log_sum_exp import log_sum_exp
from fitting.optimum.optima import Optima
from fitting.sampling.starts import SharedStarts
from fitting.screening import rough
from fitting.threads import each
from theory.curve import Curve
from theory.hypothesis import Hypothesis, default_hypothesis

FloatArray = NDArray[np.float64]

BASELINE = "mean of the last 10 % of points"
FIRST_PART = 0.75
LEVEL = 0.9
"""Probability of the predictive intervals."""

# Nats of Laplace's evidence on the first part from which on a candidate is left out. Where a
# posterior is broad that may be too low by more: then the average lacks a candidate, and says so.
_MARGIN = 8.0
_EFFORT = 0.3  # of least squares, of which only places to climb from are wanted
_BEHIND = f"It is {_MARGIN:g} nats behind on the first part, by Laplace's estimate"
_SILENT = "It has no density for the first part of the curve or for the rest"


@final
@dataclass(frozen=True, eq=False)
class Forecast:
    """How well hypotheses that saw only the first part foretell the rest.

    Attributes
    ----------
    baseline
        What the naive forecast is: a mean over the end of the first part.
    n_train, n_test
        Points in the two parts.
    elpd
        Log predictive density of the rest, in nats, for each hypothesis; None where not computed.
    rmse
        Root mean square error of its median curve, in units of y.
    baseline_rmse
        The naive forecast's.
    best_ratio, average_ratio, rmse_ratio
        Errors over the naive one's, below 1 is better: of the hypothesis with the largest evidence
        on the first part; of the median of all, weighted by that evidence; of the mean of this
        average and the naive forecast, which is ours. None if nothing could be computed.
    mean, lower, upper
        Shape (n_test,): our forecast, and the 90 % interval of single points in the average.
    coverage
        Share of the rest inside the interval; None if there is none.
    reason
        Why there is no ratio; empty if there is one.
    why_not
        Why a hypothesis foretells nothing, for each; empty where it does, or where nothing does.
    """

    baseline: str
    n_train: int
    n_test: int
    elpd: tuple[float | None, ...]
    rmse: tuple[float | None, ...]
    baseline_rmse: float | None = None
    best_ratio: float | None = None
    average_ratio: float | None = None
    rmse_ratio: float | None = None
    mean: FloatArray | None = None
    lower: FloatArray | None = None
    upper: FloatArray | None = None
    coverage: float | None = None
    reason: str = ""
    why_not: tuple[str, ...] = ()


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
        Default priors are made anew from the first part; others are what the user knows, and stay.
    rng
        Drives the sampling.
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
        return Forecast(BASELINE, n_train, 0, nothing, nothing, reason=reason)
    train, rest = first_part(curve, n_train), curve.y[n_train:]
    naive = float(train.y[-max(1, round(0.1 * n_train)) :].mean())
    error = _rmse(naive, rest)
    known = Forecast(BASELINE, n_train, rest.size, nothing, nothing, error)
    try:
        blind = [without_hindsight(h, curve, train) for h in hypotheses]
    except ValueError:
        reason = "The first part of the curve does not vary; there is nothing to learn from it."
        return replace(known, reason=reason)
    found = _foretold(blind, curve, train, rng, workers)
    return _scored(known, found, naive, rest)


def without_hindsight(hypothesis: Hypothesis, curve: Curve, train: Curve) -> Hypothesis:
    """Make a hypothesis with the priors that the first part of the curve gives.

    Priors that are not the default ones of the curve are kept.

    Raises
    ------
    ValueError
        If the first part does not vary.
    """
    form, noise = hypothesis.form, hypothesis.noise
    default = default_hypothesis(form, noise, curve)
    if dict(default.priors) != dict(hypothesis.priors):
        return hypothesis
    return default_hypothesis(form, noise, train)


def _foretold(
    hypotheses: Sequence[Hypothesis],
    curve: Curve,
    train: Curve,
    rng: np.random.Generator,
    workers: int,
) -> list[Foretold | str]:
    """Foretell by every hypothesis that the first part does not speak against; else say why not."""
    starts = SharedStarts(Optima(train, effort=_EFFORT))
    guesses = each(lambda h: rough(h, train, starts), hypotheses, workers=workers)
    logs = [g.log_evidence for g in guesses]
    top = max((value for value in logs if value is not None), default=-np.inf)
    rngs = rng.spawn(len(hypotheses))

    def one(i: int) -> Foretold | str:
        value = logs[i]
        if value is not None and value < top - _MARGIN:
            return _BEHIND
        modes = guesses[i].modes or None
        return foretell(hypotheses[i], curve, train, modes, rng=rngs[i]) or _SILENT

    return each(one, range(len(hypotheses)), workers=workers)


def _scored(
    known: Forecast, found: Sequence[Foretold | str], naive: float, rest: FloatArray
) -> Forecast:
    some = [one for one in found if isinstance(one, Foretold)]
    error = known.baseline_rmse or 0.0
    if not some:
        return replace(known, reason="No hypothesis gives the first part a likelihood.")
    logs = np.array([one.log_evidence for one in some])
    weights = np.exp(logs - log_sum_exp(logs))
    (average,) = _quantiles([one.expected for one in some], weights, (0.5,))
    mean = 0.5 * (average + naive)
    ends = 0.5 - 0.5 * LEVEL, 0.5 + 0.5 * LEVEL
    lower, upper = _quantiles([one.points for one in some], weights, ends)
    done = replace(
        known,
        elpd=tuple(None if isinstance(one, str) else one.elpd for one in found),
        rmse=tuple(None if isinstance(one, str) else _rmse(one.middle, rest) for one in found),
        why_not=tuple(one if isinstance(one, str) else "" for one in found),
        mean=mean,
        lower=lower,
        upper=upper,
        coverage=float(np.mean((lower <= rest) & (rest <= upper))),
    )
    if error == 0.0:
        reason = "The naive forecast has no error, so nothing can be measured by it."
        return replace(done, reason=reason)
    return replace(
        done,
        best_ratio=_rmse(some[int(logs.argmax())].middle, rest) / error,
        average_ratio=_rmse(average, rest) / error,
        rmse_ratio=_rmse(mean, rest) / error,
    )


def _quantiles(
    parts: Sequence[FloatArray], weights: FloatArray, levels: Sequence[float]
) -> list[FloatArray]:
    """Quantiles (n_test,) of a mixture, each candidate's draws (S, n_test) sharing its weight."""
    draws = np.concatenate(parts)
    sizes = [len(part) for part in parts]
    order = np.argsort(draws, axis=0, kind="stable")
    below = np.cumsum(np.repeat(weights / sizes, sizes)[order], axis=0)
    columns = range(draws.shape[1])
    places = [np.minimum((below < level).sum(axis=0), len(draws) - 1) for level in levels]
    return [draws[order[place, columns], columns] for place in places]


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


def _rmse(mean: FloatArray | float, rest: FloatArray) -> float:
    return float(np.sqrt(np.mean((rest - mean) ** 2)))
