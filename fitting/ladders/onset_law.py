"""Distributions of onsets over seeds: gamma likelihoods of brackets, and a free estimate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from theory.curve import Condition, FloatArray
from theory.onset import Onset
from theory.onset_laws import gamma


@final
@dataclass(frozen=True)
class Rung:
    """The onsets of the runs that share the conditions of a ladder.

    Attributes
    ----------
    conditions : tuple of (name, value)
        The ladder's conditions at this rung.
    onsets : tuple of Onset
        One a run.
    """

    conditions: tuple[tuple[str, Condition], ...]
    onsets: tuple[Onset, ...]

    @property
    def n_censored(self) -> int:
        """Number of runs that ended before their onset."""
        return sum(onset.censored for onset in self.onsets)


@final
@dataclass(frozen=True)
class GammaOnsets:
    """Gamma distributions of onset / median, tabulated in z = ln(onset / median).

    A gamma distribution is what a chain of rare events gives (their number sets the
    coefficient of variation); its skewness lies between those of first hits and of drift.

    Attributes
    ----------
    start, step : float
        The grid of z.
    log_below, log_above : (n_cv, n_z) arrays
        ln of the distribution function and of its complement, finite in both tails.
    """

    start: float
    step: float
    log_below: FloatArray
    log_above: FloatArray

    def tails(self, edge: float, log_median: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return ln P(onset <= edge) and ln P(onset > edge), (n_cv, n_median)."""
        size = (self.log_below.shape[0], log_median.size)
        if edge == 0:
            return np.full(size, -np.inf), np.zeros(size)
        if np.isinf(edge):
            return np.zeros(size), np.full(size, -np.inf)
        place = (np.log(edge) - log_median - self.start) / self.step
        index = np.floor(place).astype(np.int64)
        share = place - index
        below, above = (
            table[:, index] * (1 - share) + table[:, index + 1] * share
            for table in (self.log_below, self.log_above)
        )
        return below, above


def gamma_onsets(cv: FloatArray, low: float, high: float, step: float) -> GammaOnsets:
    """Tabulate gamma onsets with the given coefficients of variation for z in [low, high]."""
    z = np.arange(low - step, high + 2 * step, step)
    log_below, log_above = gamma(z[None, :], np.zeros((1, 1)), cv[:, None])
    return GammaOnsets(float(z[0]), step, log_below, log_above)


def rung_table(rung: Rung, law: GammaOnsets, log_median: FloatArray) -> FloatArray:
    """Return the log likelihood of a rung's brackets, (n_cv, n_median)."""
    brackets, counts = np.unique(
        [(onset.lower, onset.upper) for onset in rung.onsets], axis=0, return_counts=True
    )
    tails = {float(edge): law.tails(float(edge), log_median) for edge in np.unique(brackets)}
    table = np.zeros((law.log_below.shape[0], log_median.size))
    for (lower, upper), count in zip(brackets, counts, strict=True):
        below_a, above_a = tails[float(lower)]
        below_b, above_b = tails[float(upper)]
        # The smaller tail is differenced, so that nothing is lost to 1 - tiny.
        left = below_b < above_a
        larger = np.where(left, below_b, above_a)
        smaller = np.where(left, below_a, above_b)
        table += count * (larger + np.log(-np.expm1(np.minimum(smaller - larger, -1e-12))))
    return table


def onset_quantiles(
    onsets: Sequence[Onset], levels: Sequence[float] = (0.25, 0.5, 0.75)
) -> tuple[tuple[float, float], ...]:
    """Return brackets of the onset's quantiles, assuming no distribution, for display.

    The estimate of Turnbull (1976) for interval- and right-censored data: probabilities on
    the elementary intervals, by self-consistency (expectation maximization).

    Returns
    -------
    tuple of (lower, upper)
        For each level, the elementary interval that holds the quantile; upper is infinite
        where the quantile lies beyond the end of the runs.
    """
    edges = np.unique([edge for onset in onsets for edge in (onset.lower, onset.upper)])
    if np.isfinite(edges[-1]):
        edges = np.append(edges, np.inf)
    low, high = edges[:-1], edges[1:]
    inside = np.array([(low >= o.lower) & (high <= o.upper) for o in onsets], dtype=np.float64)
    share = np.full(low.size, 1.0 / low.size)
    for _ in range(2000):
        posterior = inside * share
        posterior /= posterior.sum(axis=1, keepdims=True)
        previous, share = share, posterior.mean(axis=0)
        if np.max(np.abs(share - previous)) < 1e-9:
            break
    cumulative = np.cumsum(share)
    found = [min(int(np.searchsorted(cumulative, q - 1e-9)), low.size - 1) for q in levels]
    return tuple((float(low[i]), float(high[i])) for i in found)
