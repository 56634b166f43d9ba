"""Numbers by which theories of a ladder differ: seen in the runs, and foretold by each theory.

For display beside the evidence, which uses the whole laws: local exponents of the median onset in
the condition, and the squared coefficient of variation of onsets at a rung.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import final

import numpy as np
from scipy.special import log_ndtr

from fitting.ladders.evidence import LadderPosterior
from fitting.ladders.hypothesis import Draws, Law, log_quantiles
from fitting.ladders.onset_law import Rung
from theory.curve import Condition, FloatArray

EXPONENT = "local exponent of the median onset"
SCATTER = "squared coefficient of variation of the onset"
RESAMPLES, POSTERIOR_DRAWS, NODES = 1000, 40, 24
LEVELS = (0.025, 0.975)
LEAST_RUNS = 5


@final
@dataclass(frozen=True)
class Interval:
    """A number and the 95 % interval about it."""

    value: float
    lower: float
    upper: float


@final
@dataclass(frozen=True)
class Signature:
    """One number, as it was seen and as each theory foretells it.

    Attributes
    ----------
    quantity : str
        What it is, in words.
    at : tuple of (name, value)
        The conditions of the rung that it is about; of two, "0.1 to 0.3".
    seen : Interval or None
        By resampling runs, their onsets anywhere in their brackets.
    why_not : str
        Why it could not be seen; empty if it was.
    foretold : mapping of str to Interval
        By the posterior of each hypothesis, from its own equations at these conditions.
    """

    quantity: str
    at: tuple[tuple[str, Condition], ...]
    seen: Interval | None
    why_not: str
    foretold: Mapping[str, Interval]


def signatures(
    rungs: Sequence[Rung],
    condition: str,
    posteriors: Sequence[LadderPosterior],
    *,
    rng: np.random.Generator,
) -> tuple[Signature, ...]:
    """Return local exponents over a condition, then the scatter at every rung.

    Parameters
    ----------
    rungs : sequence of Rung
    condition : str
        Whose exponents are wanted; neighbors differ in nothing else. Where its values are no
        positive numbers there are none.
    posteriors : sequence of LadderPosterior
        On these rungs.
    rng : numpy.random.Generator
    """
    drawn = {p.hypothesis.name: p.resampled(POSTERIOR_DRAWS, rng=rng) for p in posteriors}
    laws = {p.hypothesis.name: p.hypothesis.laws for p in posteriors}
    medians = {
        name: np.hstack([_log_medians(law, drawn[name]) for law in laws[name]]) for name in laws
    }
    found = []
    for i, j in neighbors(rungs, condition):
        low, high = (float(str(dict(rungs[k].conditions)[condition])) for k in (i, j))
        scale = math.log(high / low)
        seen, why_not = _seen([rungs[i], rungs[j]], partial(_slope, scale=scale), rng)
        with np.errstate(invalid="ignore"):
            foretold = {n: interval((m[:, j] - m[:, i]) / scale) for n, m in medians.items()}
        at = {**dict(rungs[i].conditions), condition: f"{low:g} to {high:g}"}
        found.append(Signature(EXPONENT, tuple(at.items()), seen, why_not, foretold))
    for i, rung in enumerate(rungs):
        seen, why_not = _seen([rung], lambda s: _squared_cv(s[0]), rng)
        foretold = {n: interval(squared_cv(laws[n][i], drawn[n])) for n in laws}
        found.append(Signature(SCATTER, rung.conditions, seen, why_not, foretold))
    return tuple(found)


def neighbors(rungs: Sequence[Rung], condition: str) -> Iterator[tuple[int, int]]:
    """Yield pairs of rungs, next to each other in a condition and alike in the others."""
    lines: dict[tuple[tuple[str, Condition], ...], list[tuple[float, int]]] = {}
    for i, rung in enumerate(rungs):
        value = dict(rung.conditions)[condition]
        if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
            return
        others = tuple(pair for pair in rung.conditions if pair[0] != condition)
        lines.setdefault(others, []).append((float(value), i))
    for line in lines.values():
        for (_, i), (_, j) in pairwise(sorted(line)):
            yield i, j


def squared_cv(law: Law, draws: Draws) -> FloatArray:
    """Return the squared coefficient of variation of a law at draws of the unknowns, (N,).

    By Gauss-Hermite quadrature over the normal quantile of the onset.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    with np.errstate(over="ignore", invalid="ignore"):
        times = np.exp(log_quantiles(law, draws, log_ndtr(nodes)))
        mean = times @ weights / weights.sum()
        return np.asarray(times**2 @ weights / weights.sum() / mean**2 - 1)


def interval(values: FloatArray) -> Interval:
    """Return the median and the central 95 % of values; not a number if one is not finite."""
    if not np.all(np.isfinite(values)):
        return Interval(math.nan, math.nan, math.nan)
    lower, value, upper = np.quantile(values, [LEVELS[0], 0.5, LEVELS[1]])
    return Interval(float(value), float(lower), float(upper))


def _seen(
    rungs: Sequence[Rung],
    statistic: Callable[[list[FloatArray]], FloatArray],
    rng: np.random.Generator,
) -> tuple[Interval | None, str]:
    """Return a statistic (B,) of resampled onsets (B, n) of rungs, or why it is unknown."""
    if any(len(rung.onsets) < LEAST_RUNS for rung in rungs):
        return None, f"fewer than {LEAST_RUNS} runs"
    found = interval(statistic([_resampled_onsets(rung, rng) for rung in rungs]))
    if math.isfinite(found.value):
        return found, ""
    return None, "too many runs ended without an onset"


def _resampled_onsets(rung: Rung, rng: np.random.Generator) -> FloatArray:
    """Return onsets of resampled runs (B, n), anywhere in their brackets; infinite if censored."""
    ends = np.array([(o.lower, o.upper) for o in rung.onsets], dtype=np.float64)
    which = rng.integers(len(ends), size=(RESAMPLES, len(ends)))
    lower, upper = ends[which, 0], ends[which, 1]
    reached = np.isfinite(upper)
    width = np.where(reached, upper, lower) - lower
    return np.where(reached, lower + rng.random(which.shape) * width, np.inf)


def _slope(onsets: Sequence[FloatArray], scale: float) -> FloatArray:
    first, second = (np.median(each, axis=1) for each in onsets)
    with np.errstate(invalid="ignore"):
        return np.asarray((np.log(second) - np.log(first)) / scale)


def _squared_cv(onsets: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore"):
        return np.asarray(onsets.var(axis=1, ddof=1) / onsets.mean(axis=1) ** 2)


def _log_medians(law: Law, draws: Draws) -> FloatArray:
    return log_quantiles(law, draws, np.log([0.5]))
