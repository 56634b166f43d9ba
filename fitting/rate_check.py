"""Whether the pause between stages is seen without any form: by a Gaussian process.

``y = a + b u + f(u) + noise``, where f has the covariance ``s^2 exp(-(u - v)^2 / 2 l^2)`` in a
basis of 64 sines (Solin and Särkkä 2020, Hilbert space methods for reduced-rank Gaussian process
regression, section 3), so that any Gaussian noise of the house can be whitened exactly. The
coordinate u is the mean of time and rank, both from 0 to 1, so that logarithmic logs are resolved
as in `theory.family.family_grid`. The size s, the length l and the noise are at their posterior
mode (priors: s and l log-uniform within bounds, noise by default).

A mean rate over a stretch of time is a difference of two values of the curve, hence Gaussian given
the data: no draw of a whole wiggly curve is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult, minimize

from fitting.stages import Stage
from fitting.verdict import THRESHOLD, Verdict, VerdictKind
from theory.curve import Curve
from theory.family import Family
from theory.forms import FORMS
from theory.hypothesis import Hypothesis, center_and_extent, default_hypothesis
from theory.noise import Noise

FloatArray = NDArray[np.float64]

_BASIS = 64
# The basis lives on u in [-0.25, 1.25]: its zeros at the ends then do not reach the data.
_HALF = 0.75
_LENGTHS = (0.04, 1.0)
_SIZES = (0.02, 3.0)
_DRAWS = 4000
_STARTS = (0.08, 0.25)


@final
@dataclass(frozen=True, eq=False)
class SmoothFit:
    """Posterior of a curve without a form: coefficients are N(mean, cov) on `columns_at`.

    Attributes
    ----------
    curve
        The data.
    mean, cov
        Shape (66,) and (66, 66).
    size, length, psi
        The sd of the smooth part in units of y, its length in units of u, and the noise parameters.
    log_posterior
        Of the data and the hyperparameters, in nats, up to a constant.
    """

    curve: Curve
    mean: FloatArray
    cov: FloatArray
    size: float
    length: float
    psi: FloatArray
    log_posterior: float

    def mean_rates(self, stretches: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean (k,) and covariance (k, k) of the mean rates over stretches of time (k, 2)."""
        ends = columns_at(self.curve, stretches.T.ravel())
        k = len(stretches)
        rows = (ends[k:] - ends[:k]) / np.diff(stretches, axis=1)
        return rows @ self.mean, rows @ self.cov @ rows.T


def columns_at(curve: Curve, t: FloatArray) -> FloatArray:
    """Basis (m, 66) at times (m,): level, slope, and the sines."""
    u = _coordinate(curve, t)
    j = np.arange(1, _BASIS + 1)
    sines = np.sin(np.pi * j * (u[:, None] - 0.5 + _HALF) / (2 * _HALF)) / np.sqrt(_HALF)
    return np.column_stack((np.ones_like(u), u - 0.5, sines))


def smooth_fit(curve: Curve, noise: Noise) -> SmoothFit:
    """Fit a Gaussian process under a Gaussian noise whose parameters are found too.

    Raises
    ------
    ValueError
        If the noise is not Gaussian.
    """
    hypothesis = default_hypothesis(FORMS["constant"], noise, curve)
    columns = columns_at(curve, curve.t)
    found = [_mode(curve, hypothesis, columns, length) for length in _STARTS]
    best = min(found, key=lambda one: float(one.fun))
    value, mean, cov = _posterior(curve, hypothesis, columns, best.x)
    psi = np.atleast_1d(hypothesis.transport(best.x[2:], hypothesis.noise.names))
    return SmoothFit(curve, mean, cov, *_scales(curve, best.x), psi, value)


def checked(
    verdict: Verdict,
    curve: Curve,
    stages: Sequence[Stage],
    noises: Sequence[Noise],
    *,
    rng: np.random.Generator,
) -> Verdict:
    """Return the verdict, with a doubt where it is multistage and the pauses are not seen here.

    Parameters
    ----------
    verdict, curve, stages
        What the forms say.
    noises
        Those that weigh something; the likeliest of the Gaussian ones is taken.
    rng
        Draws the rates.
    """
    smooth = [noise for noise in noises if noise.gaussian]
    decided = verdict.kind is VerdictKind.DECIDED and verdict.families == (Family.MULTISTAGE,)
    if not decided or len(stages) < 2 or not smooth:
        return verdict
    fit = max((smooth_fit(curve, noise) for noise in smooth), key=lambda one: one.log_posterior)
    seen = pause_probability(fit, stages, rng=rng)
    if seen >= THRESHOLD:
        return verdict
    doubt = (
        "A Gaussian process, which knows no forms, sees a pause between all stages with "
        f"probability {seen:.2f} only."
    )
    return replace(verdict, reason=f"{verdict.reason} {doubt}")


def pause_probability(
    fit: SmoothFit, stages: Sequence[Stage], *, rng: np.random.Generator
) -> float:
    """Probability that the curve is slower between all neighboring stages than within both.

    Within: from a quarter of the width before the midpoint to as much after. Between: the middle
    half of the time that lies between the two stages' middles.

    Parameters
    ----------
    fit
        The form-free posterior.
    stages
        At least two, in order of time, of one direction.
    rng
        Draws the rates.
    """
    middle = [stage.midpoint.value for stage in stages]
    half = [0.25 * stage.width.value for stage in stages]
    low, high = fit.curve.t[0], fit.curve.t[-1]
    stretches = []
    for k, (time, reach) in enumerate(zip(middle, half, strict=True)):
        stretches.append((max(time - reach, low), min(time + reach, high)))
        if k + 1 < len(stages):
            start, end = time + reach, middle[k + 1] - half[k + 1]
            quarter = 0.25 * (end - start)
            stretches.append((start + quarter, end - quarter))
    table = np.array(stretches)
    if np.any(np.diff(table, axis=1) <= 0):
        return 0.0
    mean, cov = fit.mean_rates(table)
    rates = rng.multivariate_normal(mean, cov, size=_DRAWS, method="eigh")
    rates *= 1.0 if sum(stage.rise.value for stage in stages) >= 0 else -1.0
    slower = [
        (rates[:, k] < rates[:, k - 1]) & (rates[:, k] < rates[:, k + 1])
        for k in range(1, table.shape[0], 2)
    ]
    return float(np.mean(np.all(slower, axis=0)))


def _coordinate(curve: Curve, t: FloatArray) -> FloatArray:
    even = (t - curve.t[0]) / (curve.t[-1] - curve.t[0])
    rank = np.interp(t, curve.t, np.linspace(0.0, 1.0, curve.n_obs))
    return np.asarray(0.5 * (even + rank))


def _scales(curve: Curve, x: FloatArray) -> tuple[float, float]:
    """Size in units of y and length in units of u."""
    return center_and_extent(curve)[1] * float(np.exp(x[0])), float(np.exp(x[1]))


def _mode(
    curve: Curve, hypothesis: Hypothesis, columns: FloatArray, length: float
) -> OptimizeResult:
    """Search the posterior mode of ln size, ln length, and the deviates of the noise."""
    bounds = [np.log(_SIZES), np.log(_LENGTHS)]
    start = np.array([np.log(0.5), np.log(length), *np.zeros(len(hypothesis.noise.names))])

    def cost(x: FloatArray) -> float:
        inside = all(low <= one <= high for one, (low, high) in zip(x, bounds, strict=False))
        if not inside or np.abs(x[2:]).max(initial=0.0) > 4.0:
            return np.inf
        return -_posterior(curve, hypothesis, columns, x)[0]

    steps = np.array([-0.7, 0.5, *np.ones(start.size - 2)])
    simplex = np.vstack((start, start + np.diag(steps)))
    options = {"maxfev": 500, "xatol": 0.02, "fatol": 0.02, "initial_simplex": simplex}
    return minimize(cost, start, method="Nelder-Mead", options=options)


def _posterior(
    curve: Curve, hypothesis: Hypothesis, columns: FloatArray, x: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """Log posterior of hyperparameters, and mean and covariance of the coefficients."""
    center, extent = center_and_extent(curve)
    psi = hypothesis.transport(x[2:], hypothesis.noise.names)
    variance = _prior_variance(curve, x, extent)
    stacked = np.column_stack((curve.y - center, columns)).T[None]
    white, half_log_det = hypothesis.noise.whiten(stacked, curve, np.atleast_2d(psi))
    y, design = white[0, 0], white[0, 1:] * np.sqrt(variance)[:, None]
    inner = design @ design.T + np.eye(len(design))
    factor = np.linalg.cholesky(inner)
    solved = np.linalg.solve(factor, design @ y)
    value = -0.5 * (y @ y - solved @ solved) - half_log_det[0] - np.log(np.diag(factor)).sum()
    root = np.linalg.solve(factor, np.diag(np.sqrt(variance)))
    mean = root.T @ solved
    prior = -0.5 * float(x[2:] @ x[2:])
    return float(value) + prior, mean, root.T @ root


def _prior_variance(curve: Curve, x: FloatArray, extent: float) -> FloatArray:
    """Prior variances (66,): vague level and slope, and the spectrum of the covariance."""
    size, length = _scales(curve, x)
    frequency = np.pi * np.arange(1, _BASIS + 1) / (2 * _HALF)
    spectrum = size**2 * np.sqrt(2 * np.pi) * length * np.exp(-0.5 * (length * frequency) ** 2)
    vague = (3.0 * extent) ** 2
    return np.concatenate(([vague, vague], np.maximum(spectrum, 1e-300)))
