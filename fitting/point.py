"""Maximum likelihood: the best parameters of a hypothesis on a curve.

The optimum comes from a deterministic global search (`fitting.optimum`), inside the support of the
priors but without their density. From there `lmfit` does a last least-squares descent of the form's
parameters on whitened residuals; its result rides along as the user-facing record.
"""

from __future__ import annotations

import lmfit
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from fitting.fit import FitStatus, PointFit
from fitting.objective import Objective, objective
from fitting.optimum import derivatives, low_discrepancy, newton, normal_points, spread_out
from theory.curve import Curve
from theory.hypothesis import Hypothesis

FloatArray = NDArray[np.float64]

# For each nonlinear parameter, shared between the settings of the noise.
_SEARCH_POINTS = 1024
_SEARCH_STARTS = 6
_SEARCH_OBS = 256
_WALD = 1.959963984540054


def fit(hypothesis: Hypothesis, curve: Curve, *, starts: FloatArray | None = None) -> PointFit:
    """Fit a hypothesis by maximum likelihood.

    Parameters
    ----------
    hypothesis
        Its priors bound the search; their density plays no part.
    curve
        The data.
    starts
        Shape (K, p), optional: parameter values, form first, then noise (posterior draws, say),
        to descend from *instead of* the global search.

    Returns
    -------
    PointFit
        With as few points as parameters, or fewer, nothing is fitted: the status says so and the
        numbers are nan. Intervals are Wald intervals, 95 %, symmetric in the logarithm of positive
        parameters and the log odds of shares.
    """
    n_free = len(hypothesis.names)
    if curve.n_obs <= n_free:
        return _unfitted(hypothesis, curve, FitStatus.TOO_FEW_POINTS)
    cost = objective(hypothesis, curve)
    begin = _search(cost) if starts is None else cost.coordinates(_searched(cost, starts))
    x, value, converged = newton(cost, begin, cost.lower, cost.upper)
    best, theta = x[:1], cost.evaluate(x[:1])[1][0]
    result = None
    if value[0] >= 1e11:
        return _unfitted(hypothesis, curve, FitStatus.NO_SUPPORT)
    ended = (best[0] <= cost.lower + 1e-6) | (best[0] >= cost.upper - 1e-6)
    fixed = {name for name, end in zip(cost.names, ended, strict=True) if end}
    if hypothesis.noise.gaussian:
        result, theta = _polish(cost, theta, fixed)
    covariance = _covariance(cost, theta, fixed)
    status = _status(bool(converged[0]), bool(fixed), covariance, hypothesis.names, fixed)
    return _point_fit(cost, theta, covariance, status, result)


def _search(cost: Objective) -> FloatArray:
    """Find starts (K, d): the best of a low-discrepancy set, well apart."""
    hypothesis = cost.hypothesis
    thin = _thinned(cost)
    m = len(hypothesis.noise.names)
    inner = thin.names[: len(thin.names) - m]
    settings = low_discrepancy(1 if m < 2 else 4, m)
    points, starts = (
        max(1, k * len(inner) // len(settings)) for k in (_SEARCH_POINTS, _SEARCH_STARTS)
    )
    z = normal_points(points, len(inner))
    values = _transported(thin, z, inner)
    chosen = []
    for setting in settings:
        psi = [
            hypothesis.priors[n].ppf(u)
            for n, u in zip(hypothesis.noise.names, setting, strict=True)
        ]
        x = thin.coordinates(np.column_stack((values, np.tile(psi, (len(values), 1)))))
        best = spread_out(ndtr(z), thin(x), max(4, starts), 0.06)
        chosen.append(_noise_tuned(thin, x[best]))
    return np.concatenate(chosen)


def _thinned(cost: Objective) -> Objective:
    """Thin the objective to at most 256 points, for the search only."""
    curve = cost.curve
    if curve.n_obs <= _SEARCH_OBS:
        return cost
    rows = np.unique(np.linspace(0, curve.n_obs - 1, _SEARCH_OBS).round().astype(int))
    thin = Curve(
        observable=curve.observable,
        t=curve.t[rows],
        y=curve.y[rows],
        y_se=None if curve.y_se is None else curve.y_se[rows],
        n_trials=None if curve.n_trials is None else curve.n_trials[rows],
        support=curve.support,
    )
    return objective(cost.hypothesis, thin)


def _transported(cost: Objective, z: FloatArray, inner: tuple[str, ...]) -> FloatArray:
    """Values (B, len(inner)) of the form's searched parameters at prior deviates."""
    values = cost.hypothesis.transport(z, inner)
    if cost.hypothesis.noise.gaussian or not inner:
        return values
    # Without elimination floor and gain start at their least-squares values.
    form, curve = cost.hypothesis.form, cost.curve
    q = len(form.linear)
    design = np.asarray(form.design(curve.t, values[:, q:]))
    gram = np.einsum("bni,bnj->bij", design, design)
    ridge = 1e-6 * np.einsum("bii->b", gram)[:, None, None] * np.eye(q)
    target = np.einsum("bni,n->bi", design, curve.y)
    values[:, :q] = np.linalg.solve(gram + ridge, target[..., None])[..., 0]
    return values


def _noise_tuned(cost: Objective, x: FloatArray) -> FloatArray:
    """Each start with the best of a few dozen settings of the noise parameters."""
    names = cost.hypothesis.noise.names
    m = len(names)
    if m == 0:
        return x
    grid = low_discrepancy(24 * m, m)
    psi = np.column_stack(
        [cost.hypothesis.priors[n].ppf(u) for n, u in zip(names, grid.T, strict=True)]
    )
    padded = np.column_stack((np.ones((len(psi), x.shape[1] - m)), psi))
    tuned = cost.coordinates(padded)[:, -m:]
    trial = np.repeat(x[:, None, :], len(psi), axis=1)
    trial[:, :, -m:] = tuned[None]
    costs = cost(trial.reshape(-1, x.shape[1])).reshape(len(x), -1)
    return np.asarray(trial[np.arange(len(x)), costs.argmin(axis=1)])


def _searched(cost: Objective, theta: FloatArray) -> FloatArray:
    columns = [cost.hypothesis.names.index(name) for name in cost.names]
    return np.array(np.atleast_2d(theta)[:, columns], dtype=np.float64)


def _polish(
    cost: Objective, theta: FloatArray, fixed: set[str]
) -> tuple[lmfit.minimizer.MinimizerResult | None, FloatArray]:
    """Least squares of whitened residuals by lmfit, from the optimum; the better of the two."""
    form, curve, p = cost.hypothesis.form, cost.curve, len(cost.hypothesis.form.names)
    psi = theta[p:]
    identity = np.eye(curve.n_obs)[None]
    whitener = cost.hypothesis.noise.whiten(identity, curve, psi[None])[0][0].T
    parameters = lmfit.Parameters()
    for name, value in zip(form.names, theta[:p], strict=True):
        prior = cost.hypothesis.priors[name]
        low, high = (-np.inf, np.inf) if name in form.linear else (prior.ppf(0.0), prior.ppf(1.0))
        parameters.add(name, float(value), name not in fixed, float(low), float(high))

    def residuals(current: lmfit.Parameters) -> FloatArray:
        values = np.array([current[name].value for name in form.names])
        with np.errstate(all="ignore"):
            white = whitener @ (curve.y - np.asarray(form(curve.t, values)))
        # lmfit stops at the first nan; an impossible value only has to be worse.
        return np.asarray(np.nan_to_num(white, nan=1e6, posinf=1e6, neginf=-1e6))

    result = lmfit.minimize(residuals, parameters, method="leastsq", ftol=1e-13, xtol=1e-13)
    polished = np.concatenate(([result.params[name].value for name in form.names], psi))
    if any(np.any(np.diff(polished[list(places)]) <= 0) for places in cost.hypothesis.places()):
        return None, theta  # stages that changed places have another's name
    pair = np.array([theta, polished])
    better = cost.hypothesis.log_likelihood(pair, curve)
    return result, pair[int(np.nan_to_num(better, nan=-np.inf).argmax())]


def _covariance(cost: Objective, theta: FloatArray, fixed: set[str]) -> FloatArray:
    """Inverse information (p, p); nan rows for parameters at an end of their range.

    Gaussian noise: the expected information is block diagonal, ``J' S^-1 J`` for the form; the
    noise block is observed, from second differences. Other noise: second differences throughout.
    """
    hypothesis = cost.hypothesis
    names = hypothesis.names
    covariance = np.full((len(names), len(names)), np.nan)
    if hypothesis.noise.gaussian:
        p = len(hypothesis.form.names)
        blocks = [(_form_information(cost, theta), names[:p])]
        blocks.append((_differenced(cost, theta, names[p:]), names[p:]))
    else:
        blocks = [(_differenced(cost, theta, cost.names), cost.names)]
    for information, members in blocks:
        free = [i for i, name in enumerate(members) if name not in fixed]
        places = [names.index(members[i]) for i in free]
        covariance[np.ix_(places, places)] = _inverse(information[np.ix_(free, free)])
    cross = np.isnan(covariance)
    known = np.isfinite(np.diag(covariance))
    return np.where(cross & known[:, None] & known[None, :], 0.0, covariance)


def _form_information(cost: Objective, theta: FloatArray) -> FloatArray:
    form, curve = cost.hypothesis.form, cost.curve
    p = len(form.names)
    jacobian = np.asarray(form.jacobian(curve.t, theta[:p]))
    white = cost.hypothesis.noise.whiten(jacobian.T[None], curve, theta[None, p:])[0][0]
    return np.asarray(white @ white.T)


def _differenced(cost: Objective, theta: FloatArray, names: tuple[str, ...]) -> FloatArray:
    """Observed information of some searched parameters, in natural units."""
    if not names:
        return np.zeros((0, 0))
    x = cost.coordinates(_searched(cost, theta))
    columns = [cost.names.index(name) for name in names]

    def part(inner: FloatArray) -> FloatArray:
        full = np.tile(x, (len(inner), 1))
        full[:, columns] = inner
        return cost(full)

    here = x[:, columns]
    hessian = derivatives(part, here, part(here), np.full(here.shape, 1e-3))[1][0]
    slope = _slopes(cost, x)[columns]
    return np.asarray(hessian / slope[:, None] / slope[None, :])


def _slopes(cost: Objective, x: FloatArray) -> FloatArray:
    """Return the derivative of each searched parameter by its coordinate, shape (d,)."""
    step = 1e-6
    return np.asarray((cost.natural(x + step) - cost.natural(x - step))[0] / (2 * step))


def _inverse(information: FloatArray) -> FloatArray:
    """Inverse of a scaled symmetric matrix; nan if it is not positive definite to rounding."""
    diagonal = np.diag(information)
    if diagonal.size == 0 or not np.all(np.isfinite(information)) or np.any(diagonal <= 0):
        return np.full(information.shape, np.nan)
    scale = 1.0 / np.sqrt(diagonal)
    scaled = information * scale[:, None] * scale[None, :]
    if np.linalg.eigvalsh(scaled)[0] < 1e-12:
        return np.full(information.shape, np.nan)
    return np.asarray(np.linalg.inv(scaled) * scale[:, None] * scale[None, :])


def _status(
    converged: bool, ended: bool, covariance: FloatArray, names: tuple[str, ...], fixed: set[str]
) -> FitStatus:
    if not converged:
        return FitStatus.NOT_CONVERGED
    if ended:
        return FitStatus.AT_BOUND
    missing = np.isnan(np.diag(covariance))
    undetermined = any(m for m, n in zip(missing, names, strict=True) if n not in fixed)
    return FitStatus.SINGULAR if undetermined else FitStatus.OK


def _point_fit(
    cost: Objective,
    theta: FloatArray,
    covariance: FloatArray,
    status: FitStatus,
    result: lmfit.minimizer.MinimizerResult | None,
) -> PointFit:
    hypothesis, curve = cost.hypothesis, cost.curve
    names = hypothesis.names
    with np.errstate(invalid="ignore"):
        se = np.sqrt(np.diag(covariance))
    lower, upper = theta - _WALD * se, theta + _WALD * se
    x = cost.coordinates(_searched(cost, theta))
    slope = _slopes(cost, x)
    for i, name in enumerate(cost.names):
        place = names.index(name)
        if np.isfinite(se[place]) and slope[i] > 0:
            ends = np.tile(x, (2, 1))
            ends[:, i] += np.array([-1.0, 1.0]) * _WALD * se[place] / slope[i]
            lower[place], upper[place] = np.sort(cost.natural(ends)[:, i])
    return PointFit(
        hypothesis=hypothesis,
        curve_digest=curve.digest,
        names=names,
        theta=theta,
        se=se,
        lower=lower,
        upper=upper,
        covariance=covariance,
        log_likelihood=float(hypothesis.log_likelihood(theta[None], curve)[0]),
        n_obs=curve.n_obs,
        n_free=len(names),
        status=status,
        lmfit=result,
    )


def _unfitted(hypothesis: Hypothesis, curve: Curve, status: FitStatus) -> PointFit:
    p = len(hypothesis.names)
    nothing = np.full(p, np.nan)
    return PointFit(
        hypothesis=hypothesis,
        curve_digest=curve.digest,
        names=hypothesis.names,
        theta=nothing,
        se=nothing,
        lower=nothing,
        upper=nothing,
        covariance=np.full((p, p), np.nan),
        log_likelihood=float("nan"),
        n_obs=curve.n_obs,
        n_free=p,
        status=status,
    )
