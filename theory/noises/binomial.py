"""Counting noise of fresh, independent trials."""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, xlog1py, xlogy

from theory.curve import Curve
from theory.noises.base import Noise, NoiseParameter

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
        raise ValueError("binomial noise cannot be whitened; use log_likelihood.")

    def _log_likelihood(self, y_hat: Array, curve: Curve, psi: Array) -> Array:
        trials = _trials(curve)
        successes = np.round(curve.y * trials)
        log_choose = -np.log1p(trials) - betaln(trials - successes + 1, successes + 1)
        inside = np.all((y_hat >= 0) & (y_hat <= 1), axis=-1)
        p = np.clip(y_hat, 0.0, 1.0)
        terms = xlogy(successes, p) + xlog1py(trials - successes, -p)
        constant = float(np.sum(log_choose + np.log(trials)))
        return np.where(inside, terms.sum(axis=-1) + constant, -np.inf)

    def _simulate(self, y_hat: Array, curve: Curve, psi: Array, rng: np.random.Generator) -> Array:
        trials = _trials(curve)
        return rng.binomial(trials.astype(np.int64), np.clip(y_hat, 0.0, 1.0)) / trials


def _trials(curve: Curve) -> Array:
    if curve.n_trials is None:
        raise ValueError("binomial noise needs n_trials; give n_trials or use white noise.")
    if not are_proportions(curve.y, curve.n_trials):
        raise ValueError(
            "binomial noise needs y to be a proportion of n_trials (y * n_trials whole, y in "
            "[0, 1]); use white noise for other observables."
        )
    return curve.n_trials.astype(np.float64)


def are_proportions(y: Array, trials: NDArray[np.int64]) -> bool:
    """Whether every y is a whole number of successes out of ``trials``."""
    counts = y * trials
    whole = np.abs(counts - np.round(counts)) <= 1e-6 * np.maximum(trials, 1)
    return bool(np.all(whole & (y >= 0) & (y <= 1) & (trials > 0)))
