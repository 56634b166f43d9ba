"""Regression of cell medians on conditions, with intervals over resampled runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
RESAMPLES = 2000
MOST_CENSORED = 0.2
"""Share of a cell's runs; above it the median of too many resamples would be unknown."""
LEVEL = "level"


@dataclass(frozen=True)
class Term:
    """One coefficient, and the same of what a mechanism says of the same cells.

    Attributes
    ----------
    name : str
        `LEVEL`, a condition, or two of them.
    observed, lower, upper, predicted : float
        Coefficient, its 95 % interval, the mechanism's.
    screened : bool
        Whether it is told from 0 at 5 % shared among all pairs.
    """

    name: str
    observed: float
    lower: float
    upper: float
    predicted: float
    screened: bool

    @property
    def holds(self) -> bool:
        """Whether the mechanism's value lies in the interval."""
        return self.lower <= self.predicted <= self.upper

    @property
    def is_pair(self) -> bool:
        """Whether it is an interaction."""
        return " × " in self.name


@dataclass(frozen=True)
class Regression:
    """What the medians of cells say.

    Attributes
    ----------
    terms : tuple of Term
    used : (n_cells,) array of bool
        The cells that have a median, observed and predicted.
    r_squared : float
        Share of the variance of observed medians between cells that the terms account for.
    miss : float
        Median over cells of |observed - predicted|.
    """

    terms: tuple[Term, ...]
    used: NDArray[np.bool_]
    r_squared: float
    miss: float


def design_of(covariates: Mapping[str, FloatArray]) -> tuple[tuple[str, ...], FloatArray]:
    """Return names and columns of a level, main effects and all pairs, each centered."""
    centered = {name: x - x.mean() for name, x in covariates.items()}
    columns = {LEVEL: np.ones(len(next(iter(centered.values())))), **centered}
    columns |= {f"{a} × {b}": centered[a] * centered[b] for a, b in combinations(centered, 2)}
    return tuple(columns), np.stack(list(columns.values()), axis=1)


def regress(
    covariates: Mapping[str, FloatArray],
    runs: Sequence[FloatArray],
    predicted: FloatArray,
    cap: float,
    seed: int = 0,
) -> Regression:
    """Regress the logarithm of cell medians on conditions.

    Least squares on cells, so that a mechanism's coefficient is the same function of what it
    says of the same cells. Censored runs are above every number: a median of fewer than half of
    them is what it would be without censoring. A cell with more than `MOST_CENSORED` of them, or
    of which nothing finite is predicted, is in neither regression.

    Parameters
    ----------
    covariates : mapping of str to (n_cells,) array
    runs : sequence of (n_runs,) arrays
        One a cell; infinite where a run is censored.
    predicted : (n_cells,) array
        The mechanism's medians.
    cap : float
        What stands for the median of a resample that is half censored.

    Raises
    ------
    ValueError
        If the cells that are left do not tell the terms apart.
    """
    censored = np.array([np.mean(np.isinf(values)) for values in runs])
    used = (censored <= MOST_CENSORED) & np.isfinite(predicted) & (predicted > 0)
    names, columns = design_of({name: x[used] for name, x in covariates.items()})
    if np.linalg.matrix_rank(columns) < len(names):
        raise ValueError(f"{used.sum()} of {used.size} cells do not tell {len(names)} terms apart.")
    solve = np.linalg.pinv(columns)
    rng = np.random.default_rng(seed)
    kept = [values for values, use in zip(runs, used, strict=True) if use]
    medians = np.log([np.median(values) for values in kept])
    draws = np.log(np.minimum([_resampled(values, rng) for values in kept], cap))
    foretold = np.log(predicted[used])
    ours, theirs, spread = solve @ medians, solve @ foretold, solve @ draws
    pairs = max(1, sum(" × " in name for name in names))
    lower, upper, low, high = np.quantile(
        spread, [0.025, 0.975, 0.025 / pairs, 1 - 0.025 / pairs], axis=1
    )
    terms = tuple(
        Term(name, *(float(v) for v in row[:4]), bool(row[4] > 0 or row[5] < 0))
        for name, *row in zip(names, ours, lower, upper, theirs, low, high, strict=True)
    )
    left = float(np.var(medians - columns @ ours) / np.var(medians))
    return Regression(terms, used, 1 - left, float(np.median(np.abs(medians - foretold))))


def _resampled(values: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return medians of resampled runs, (RESAMPLES,)."""
    return np.asarray(np.median(rng.choice(values, (RESAMPLES, values.size)), axis=1))
