"""Counting noise of fresh, independent trials."""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, xlog1py, xlogy

from theory.curve import Curve
from theory.noises.base import Noise, NoiseParameter, not_gaussian

Array = NDArray[np.float64]


@final
@dataclass(frozen=True)
class Binomial(Noise):
    """Proportions of fresh, independent trials at every point.

    The likelihood is given as a *density of y*: each count owns a cell of width ``1/n_trials``, so
    log evidences stand in one table with those of Gaussian noises. Forms that leave [0, 1] have
    likelihood zero. Only where the trials are fresh: re-measuring the same levels at every
    checkpoint is not this.
    """

    name: ClassVar[str] = "binomial"
    parameters: ClassVar[tuple[NoiseParameter, ...]] = ()
    gaussian: ClassVar[bool] = False

    def _whiten(self, columns: Array, curve: Curve, psi: Array) -> tuple[Array, Array]:
        raise not_gaussian(self)

    def _log_likelihood(self, y_hat: Array, curve: Curve, psi: Array) -> Array:
        successes, trials = counts(curve, self.name)
        inside = np.all((y_hat >= 0) & (y_hat <= 1), axis=-1)
        p = np.clip(y_hat, 0.0, 1.0)
        terms = xlogy(successes, p) + xlog1py(trials - successes, -p)
        return np.where(inside, terms.sum(axis=-1) + log_cells(successes, trials), -np.inf)

    def _pointwise(self, y_hat: Array, curve: Curve, psi: Array) -> Array:
        successes, trials = counts(curve, self.name)
        inside = (y_hat >= 0) & (y_hat <= 1)
        p = np.clip(y_hat, 0.0, 1.0)
        terms = xlogy(successes, p) + xlog1py(trials - successes, -p)
        return np.where(inside, terms + log_each_cell(successes, trials), -np.inf)

    def _simulate(self, y_hat: Array, curve: Curve, psi: Array, rng: np.random.Generator) -> Array:
        _, trials = counts(curve, self.name)
        return rng.binomial(trials.astype(np.int64), np.clip(y_hat, 0.0, 1.0)) / trials


def counts(curve: Curve, name: str) -> tuple[Array, Array]:
    """Successes and trials (n,) of a curve, for the noise called ``name``.

    Raises
    ------
    ValueError
        If the curve has no trials, or y is not a proportion of them.
    """
    if curve.n_trials is None:
        raise ValueError(f"{name} noise needs n_trials; give n_trials or use white noise.")
    if not are_proportions(curve.y, curve.n_trials):
        raise ValueError(
            f"{name} noise needs y to be a proportion of n_trials (y * n_trials whole, y in "
            "[0, 1]); use white noise for other observables."
        )
    trials = curve.n_trials.astype(np.float64)
    return np.round(curve.y * trials), trials


def log_cells(successes: Array, trials: Array) -> float:
    """Log number of ways to the successes (n,), over the widths ``1/trials`` of their cells."""
    return float(np.sum(log_each_cell(successes, trials)))


def log_each_cell(successes: Array, trials: Array) -> Array:
    """Log number of ways to each of the successes (n,), over the width of its cell."""
    log_choose = -np.log1p(trials) - betaln(trials - successes + 1, successes + 1)
    return np.asarray(log_choose + np.log(trials))


def are_proportions(y: Array, trials: NDArray[np.int64]) -> bool:
    """Whether every y is a whole number of successes out of ``trials``."""
    counts = y * trials
    whole = np.abs(counts - np.round(counts)) <= 1e-6 * np.maximum(trials, 1)
    return bool(np.all(whole & (y >= 0) & (y <= 1) & (trials > 0)))
