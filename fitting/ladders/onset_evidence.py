"""Evidence of an onset hypothesis: a quadrature over everything that is not known.

    Z = ∫ π(cv) π(s) π(c) ∏_rungs ∫ N(δ; 0, s²) ∏_runs P(bracket | m_r c e^δ, cv) dδ dc ds dcv

with m_r the predicted median of a rung, c a factor on time, s the size of the discrepancies δ
of the rungs, and gamma onsets with coefficient of variation cv. The reference has a free
median in every rung instead.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.interpolate import CubicSpline

from fitting.ladders.onset_law import Rung, gamma_onsets, rung_table
from fitting.log_sum_exp import log_sum_exp
from theory.curve import FloatArray

CV_RANGE = (0.03, 1.5)
DISCREPANCY_RANGE = (0.01, 0.1)
BEYOND = 10.0
TABLE_STEP = 0.005


@final
@dataclass(frozen=True)
class Evidence:
    """A log evidence, its numerical error, and posterior means of cv and of the clock factor."""

    log_evidence: float
    se: float
    cv: float
    clock: float | None


@final
@dataclass(frozen=True)
class RungTables:
    """Log likelihoods of every rung on a grid of ln median and cv."""

    log_median: FloatArray  # (n_median,)
    log_cv: FloatArray  # (n_cv,)
    values: tuple[FloatArray, ...]  # (n_cv, n_median) a rung


def tabulate(rungs: Sequence[Rung]) -> RungTables:
    """Tabulate the likelihood of each rung over all medians that data and priors allow."""
    low, high = _median_range(rungs)
    log_median = np.arange(low - 3.0, high + 3.0, TABLE_STEP)
    log_cv = np.linspace(math.log(CV_RANGE[0]), math.log(CV_RANGE[1]), 21)
    # Edges of brackets lie within [low, high], so z = ln edge - ln median spans this:
    law = gamma_onsets(np.exp(log_cv), low - high - 4.0, high - low + 4.0, TABLE_STEP / 2)
    return RungTables(log_median, log_cv, tuple(rung_table(r, law, log_median) for r in rungs))


def _median_range(rungs: Sequence[Rung]) -> tuple[float, float]:
    """Return the range of ln median of the reference: the data's, and a factor beyond."""
    bounds = [b for rung in rungs for o in rung.onsets for b in (o.lower, o.upper)]
    positive = [bound for bound in bounds if 0 < bound < math.inf]
    return math.log(min(positive) / BEYOND), math.log(max(positive) * BEYOND)


def free_evidence(rungs: Sequence[Rung], tables: RungTables) -> Evidence:
    """Return the evidence of free medians: ln median uniform over the data's range and beyond.

    The tables may be of some of the rungs only; the range is that of all.
    """
    low, high = _median_range(rungs)
    inside = (tables.log_median >= low) & (tables.log_median <= high)

    def evidence(stride: int) -> tuple[float, float]:
        step = TABLE_STEP * stride
        terms = [log_sum_exp(v[:, inside][:, ::stride], axis=1) for v in tables.values]
        by_cv = np.sum(terms, axis=0) + len(terms) * math.log(step / (high - low))
        return _over_cv(by_cv[::stride], tables.log_cv[::stride])

    fine, cv = evidence(1)
    return Evidence(fine, abs(fine - evidence(2)[0]), cv, None)


def predicted_evidence(log_medians: FloatArray, clock_sd: float, tables: RungTables) -> Evidence:
    """Return the evidence of predicted rung medians (n_rungs,) and a prior on the clock.

    The error is the change when every grid is halved.
    """
    clocks = _clock_grid(clock_sd, log_medians, tables)
    fine, cv, clock = _log_evidence(clock_sd, clocks, log_medians, tables, 1)
    coarse, _, _ = _log_evidence(clock_sd, clocks[::2], log_medians, tables, 2)
    return Evidence(fine, abs(fine - coarse), cv, clock)


def _clock_grid(sd: float, log_medians: FloatArray, tables: RungTables) -> FloatArray:
    """Return ln clock factors that cover where the posterior mass is, 2n + 1 even steps."""
    wide = np.linspace(-4.5 * sd, 4.5 * sd, 181)
    by_clock, _ = _by_clock(sd, wide, log_medians, tables, 4)
    kept = np.flatnonzero(
        log_sum_exp(by_clock, axis=0) > np.max(log_sum_exp(by_clock, axis=0)) - 40
    )
    step = wide[1] - wide[0]
    return np.linspace(wide[kept[0]] - step, wide[kept[-1]] + step, 121)


def _by_clock(
    sd: float, clocks: FloatArray, log_medians: FloatArray, tables: RungTables, stride: int
) -> tuple[FloatArray, FloatArray]:
    """Return ln of likelihood times clock prior, discrepancies integrated out, (n_cv, n_clock)."""
    nodes, weights = np.polynomial.legendre.leggauss(max(8 // stride, 2))
    low, high = (math.log(edge) for edge in DISCREPANCY_RANGE)
    scales, log_shares = np.exp((low + high + (high - low) * nodes) / 2), np.log(weights / 2)
    x = np.arange(-4.5, 4.6, 0.2 * min(stride, 2))
    normal = np.exp(-(x**2) / 2)
    normal /= normal.sum()
    log_cv = tables.log_cv[:: min(stride, 2)]
    by_scale = []
    for scale, log_share in zip(scales, log_shares, strict=True):
        total = np.full((log_cv.size, clocks.size), log_share)
        for log_median, table in zip(log_medians, tables.values, strict=True):
            at = log_median + clocks[:, None] + scale * x
            values = _look_up(table[:: min(stride, 2)], tables.log_median, at)
            highest = values.max(axis=2)
            total += highest + np.log(np.exp(values - highest[:, :, None]) @ normal)
        by_scale.append(total)
    log_prior = -((clocks / sd) ** 2) / 2 - math.log(sd * math.sqrt(2 * math.pi))
    return log_sum_exp(np.array(by_scale), axis=0) + log_prior, log_cv


def _look_up(table: FloatArray, grid: FloatArray, at: FloatArray) -> FloatArray:
    """Interpolate a table (n_cv, n_median) linearly; beyond its ends the end values hold."""
    place = np.clip((at - grid[0]) / (grid[1] - grid[0]), 0, grid.size - 1.000001)
    index = place.astype(np.int64)
    return np.asarray(table[:, index] + (place - index) * (table[:, index + 1] - table[:, index]))


def _log_evidence(
    sd: float, clocks: FloatArray, log_medians: FloatArray, tables: RungTables, stride: int
) -> tuple[float, float, float]:
    """Return log evidence and the posterior means of cv and clock factor."""
    by_clock, log_cv = _by_clock(sd, clocks, log_medians, tables, stride)
    by_cv = log_sum_exp(by_clock, axis=1) + math.log(clocks[1] - clocks[0])
    evidence, cv = _over_cv(by_cv, log_cv)
    marginal = log_sum_exp(by_clock, axis=0)
    weights = np.exp(marginal - log_sum_exp(marginal))
    return evidence, cv, float(np.exp(np.sum(weights * clocks)))


def _over_cv(by_cv: FloatArray, log_cv: FloatArray) -> tuple[float, float]:
    """Integrate over ln cv, uniform, by a spline of the log integrand; return also E[cv]."""
    fine = np.linspace(log_cv[0], log_cv[-1], 801)
    logs = CubicSpline(log_cv, by_cv)(fine)
    total = log_sum_exp(logs)
    evidence = float(total - math.log(fine.size))
    return evidence, float(np.sum(np.exp(logs - total + fine)))
