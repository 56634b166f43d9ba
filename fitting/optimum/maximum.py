"""Maximum likelihood under any noise: a global search, then Newton on the likelihood itself.

Inside the support of the priors but without their density (`fitting.optimum.newton`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from fitting.fit import FitStatus, PointFit
from fitting.low_discrepancy import low_discrepancy, normal_points
from fitting.optimum.newton import derivatives, newton, spread_out
from fitting.optimum.objective import Objective, objective
from fitting.optimum.point_fit import inverse_information, record, status_of, unfitted
from theory.curve import Curve
from theory.hypothesis import Hypothesis

FloatArray = NDArray[np.float64]

# For each nonlinear parameter, shared between the settings of the noise.
_SEARCH_POINTS = 1024
_SEARCH_STARTS = 6
_SEARCH_OBS = 256


def maximum(hypothesis: Hypothesis, curve: Curve, starts: FloatArray | None = None) -> PointFit:
    """Fit one hypothesis to one curve with more points than parameters; see `fitting.point.fit`."""
    cost = objective(hypothesis, curve)
    begin = _search(cost) if starts is None else cost.space.of(_searched(cost, starts))
    x, value, converged = newton(cost, begin, cost.space.lower, cost.space.upper)
    best, theta = x[:1], cost.evaluate(x[:1])[1][0]
    if value[0] >= 1e11:
        return unfitted(hypothesis, curve, FitStatus.NO_SUPPORT)
    ended = (best[0] <= cost.space.lower + 1e-6) | (best[0] >= cost.space.upper - 1e-6)
    fixed = {name for name, end in zip(cost.space.names, ended, strict=True) if end}
    covariance = _covariance(cost, theta, fixed)
    status = status_of(bool(converged[0]), bool(fixed), covariance, hypothesis.names, fixed)
    log_likelihood = float(hypothesis.log_likelihood(theta[None], curve)[0])
    return record(hypothesis, curve, theta, covariance, log_likelihood, status)


def _search(cost: Objective) -> FloatArray:
    """Find starts (K, d): the best of a low-discrepancy set, well apart."""
    hypothesis = cost.hypothesis
    thin = _thinned(cost)
    m = len(hypothesis.noise.names)
    inner = thin.space.names[: len(thin.space.names) - m]
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
        x = thin.space.of(np.column_stack((values, np.tile(psi, (len(values), 1)))))
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
    tuned = cost.space.of(padded)[:, -m:]
    trial = np.repeat(x[:, None, :], len(psi), axis=1)
    trial[:, :, -m:] = tuned[None]
    costs = cost(trial.reshape(-1, x.shape[1])).reshape(len(x), -1)
    return np.asarray(trial[np.arange(len(x)), costs.argmin(axis=1)])


def _searched(cost: Objective, theta: FloatArray) -> FloatArray:
    columns = [cost.hypothesis.names.index(name) for name in cost.space.names]
    return np.array(np.atleast_2d(theta)[:, columns], dtype=np.float64)


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
        blocks.append((observed_information(cost, theta, names[p:]), names[p:]))
    else:
        blocks = [(observed_information(cost, theta, cost.space.names), cost.space.names)]
    for information, members in blocks:
        free = [i for i, name in enumerate(members) if name not in fixed]
        places = [names.index(members[i]) for i in free]
        covariance[np.ix_(places, places)] = inverse_information(information[np.ix_(free, free)])
    cross = np.isnan(covariance)
    known = np.isfinite(np.diag(covariance))
    return np.where(cross & known[:, None] & known[None, :], 0.0, covariance)


def _form_information(cost: Objective, theta: FloatArray) -> FloatArray:
    form, curve = cost.hypothesis.form, cost.curve
    p = len(form.names)
    jacobian = np.asarray(form.jacobian(curve.t, theta[:p]))
    white = cost.hypothesis.noise.whiten(jacobian.T[None], curve, theta[None, p:])[0][0]
    return np.asarray(white @ white.T)


def observed_information(cost: Objective, theta: FloatArray, names: tuple[str, ...]) -> FloatArray:
    """Observed information (k, k) of k searched parameters, in natural units."""
    if not names:
        return np.zeros((0, 0))
    x = cost.space.of(_searched(cost, theta))
    columns = [cost.space.names.index(name) for name in names]

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
    return np.asarray(cost.space.slopes(cost.space.natural(x))[0])
