"""Maximum likelihood where it is least squares: white noise, or known standard errors."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from fitting.fit import FitStatus, PointFit
from fitting.optimum.coordinates import coordinates
from fitting.optimum.least_squares import Optimum, best
from fitting.optimum.point_fit import inverse_information, record, status_of, unfitted
from theory.curve import Curve
from theory.hypothesis import Hypothesis
from theory.noise import KnownSE, White
from theory.parameter import Kind

FloatArray = NDArray[np.float64]

LOG_2PI = float(np.log(2 * np.pi))
_AT_ONCE = 64  # curves whose Jacobians are held together


def is_least_squares(hypothesis: Hypothesis, curve: Curve) -> bool:
    """Whether the most likely curve is the least-squares curve, whatever the noise parameters."""
    white = isinstance(hypothesis.noise, White) and curve.y_se is None
    known = isinstance(hypothesis.noise, KnownSE) and curve.y_se is not None
    return (white or known) and bool(hypothesis.linear)


def alike(hypothesis: Hypothesis, curve: Curve) -> Hashable:
    """Return what pairs have in common that can be fitted together; None for one that cannot."""
    if curve.n_obs <= len(hypothesis.names) or not is_least_squares(hypothesis, curve):
        return None
    form = hypothesis.form
    priors = tuple(hypothesis.priors[name] for name in form.nonlinear)
    return id(form), hypothesis.noise.name, curve.t.tobytes(), priors


def least_squares_fits(
    hypotheses: Sequence[Hypothesis],
    curves: Sequence[Curve],
    starts: FloatArray | None = None,
    *,
    effort: float = 1.0,
) -> list[PointFit]:
    """Fit one form to many curves on the same t, all with the same priors of its shape.

    Parameters
    ----------
    hypotheses, curves
        Pairs, alike but for y.
    starts : ndarray, shape (C, K, d), optional
        Values of the nonlinear parameters to descend from beside the best of the grid.
    effort
        As `fitting.optimum.least_squares.best`.
    """
    first, t = hypotheses[0], curves[0].t
    form = first.form
    y = np.stack([curve.y for curve in curves])
    errors = [curve.y_se for curve in curves if curve.y_se is not None]
    weight = np.stack([1.0 / se for se in errors]) if errors else np.ones_like(y)
    floors = [p.name for p in form.parameters if p.kind is Kind.FLOOR and p.name in form.linear]
    shift = y.mean(axis=1) if floors else np.zeros(len(y))
    space = coordinates(first, curves[0], form.nonlinear)
    found = best(
        form,
        t,
        y - shift[:, None],
        weight,
        space,
        lambda z: first.transport(z, form.nonlinear),
        starts,
        effort=effort,
    )
    linear = found.linear.copy()
    for name in floors:
        linear[:, form.linear.index(name)] += shift
    theta = np.empty((len(y), len(form.names)))
    theta[:, [form.names.index(n) for n in form.linear]] = linear
    theta[:, [form.names.index(n) for n in form.nonlinear]] = found.nonlinear
    fits = []
    for i in range(0, len(y), _AT_ONCE):
        part = slice(i, i + _AT_ONCE)
        columns = form.jacobian(t, theta[part]) * weight[part, :, None]
        gram = columns.swapaxes(1, 2) @ columns
        fits += [
            _fit(hypotheses[c], curves[c], theta[c], g, found, c)
            for c, g in enumerate(gram, start=i)
        ]
    return fits


def _fit(
    hypothesis: Hypothesis,
    curve: Curve,
    theta: FloatArray,
    gram: FloatArray,
    found: Optimum,
    c: int,
) -> PointFit:
    """Record the optimum of curve c, whose form has these columns' inner products (p, p)."""
    form = hypothesis.form
    if not np.isfinite(found.square[c]):
        return unfitted(hypothesis, curve, FitStatus.NO_SUPPORT)
    fixed = {n for n, end in zip(form.nonlinear, found.at_bound[c], strict=True) if end}
    p, names = len(form.names), hypothesis.names
    covariance = np.full((len(names), len(names)), np.nan)
    free = [i for i, name in enumerate(form.names) if name not in fixed]
    if curve.y_se is None:
        sd, ended = _sd(hypothesis, found.square[c] / curve.n_obs)
        fixed |= set(hypothesis.noise.names) if ended else set()
        theta = np.append(theta, sd)
        gram = gram / sd**2
        scatter = 0.0 if ended else sd**2 / (2 * curve.n_obs)
        covariance[p, p] = np.nan if ended else scatter
        log_det = curve.n_obs * np.log(sd)
        square = found.square[c] / sd**2
    else:
        log_det, square = float(np.log(curve.y_se).sum()), found.square[c]
    covariance[np.ix_(free, free)] = inverse_information(gram[np.ix_(free, free)])
    known = np.isfinite(np.diag(covariance))
    cross = np.isnan(covariance) & known[:, None] & known[None, :]
    covariance[cross] = 0.0
    log_likelihood = -0.5 * (curve.n_obs * LOG_2PI + square) - log_det
    status = status_of(bool(found.converged[c]), bool(fixed), covariance, names, fixed)
    return record(hypothesis, curve, theta, covariance, float(log_likelihood), status)


def _sd(hypothesis: Hypothesis, variance: float) -> tuple[float, bool]:
    """Return the likeliest standard deviation in its prior's range, and whether at its end."""
    (name,) = hypothesis.noise.names
    low, high = (float(hypothesis.priors[name].ppf(u)) for u in (0.0, 1.0))
    sd = float(np.clip(np.sqrt(variance), low, high))
    return sd, not low < sd < high
