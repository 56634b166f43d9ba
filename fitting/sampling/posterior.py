"""Posterior draws by Hamiltonian Monte Carlo (PyMC's NUTS): the cross-check of importance sampling.

The model is written in the same standard normal deviates as everywhere else, with the form as a
PyTensor graph and correlated noise as a dense multivariate normal. PyMC is imported only when it
samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from fitting.fit import FitStatus, PosteriorFit
from fitting.point import fit
from fitting.sampling.compiler import prefer_numba
from fitting.sampling.nuts import draw
from theory.curve import Curve
from theory.hypothesis import Hypothesis
from theory.noise import (
    NOISES,
    AR1White,
    BetaBinomial,
    Binomial,
    KnownSE,
    MeanLinked,
    MovingAverage,
    Noise,
    OUWhite,
    StudentT,
    White,
)
from theory.noises.binomial import counts
from theory.noises.mean_linked import ends_of
from theory.prior import LogNormal, LogUniform, Prior, TimeLocation, Uniform

FloatArray = NDArray[np.float64]


def sample(
    hypothesis: Hypothesis,
    curve: Curve,
    *,
    rng: np.random.Generator,
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    target_accept: float = 0.9,
) -> PosteriorFit:
    """Draw from the posterior with NUTS (Hoffman and Gelman 2014).

    Parameters
    ----------
    hypothesis, curve
        What is fitted to what. Without a posterior mode far from the optimum, chains start there.
    rng
        Gives every chain its seed.
    draws, tune, chains
        Kept and warm-up draws of each chain.
    target_accept
        Acceptance rate that the warm-up aims for.

    Returns
    -------
    PosteriorFit
        Without an evidence. The status is NOT_MIXED if a largest R-hat is above 1.01 or a smallest
        bulk effective size below 100 a chain; `ess` is that smallest size. DIVERGED if more than
        1 % of the trajectories did; NOT_SAMPLED if the sampler could not start.
    """
    prefer_numba()
    import pymc as pm

    with pm.Model() as model:
        parameters = _parameters(hypothesis)
        _likelihood(hypothesis, curve, parameters)
    names = [f"value_{name}" for name in hypothesis.names]
    chain = draw(
        model,
        names,
        rng=rng,
        draws=draws,
        tune=tune,
        chains=chains,
        target_accept=target_accept,
        starts=_start(hypothesis, curve),
    )
    empty = np.zeros(0)
    table = np.stack([chain.values.get(name, empty) for name in names], axis=-1)
    return _posterior(hypothesis, curve, table, chain.ess, chain.status)


def _posterior(
    hypothesis: Hypothesis, curve: Curve, draws: FloatArray, ess: float, status: FitStatus
) -> PosteriorFit:
    best = -np.inf
    if len(draws):
        best = float(np.nanmax(hypothesis.log_likelihood(draws, curve)))
    return PosteriorFit(
        hypothesis=hypothesis,
        curve_digest=curve.digest,
        names=hypothesis.names,
        draws=draws,
        log_evidence=None,
        log_evidence_se=None,
        ess=ess,
        pareto_k=float("nan"),
        sampler="PyMC NUTS",
        log_likelihood_max=best,
        status=status,
    )


def _parameters(hypothesis: Hypothesis) -> dict[str, Any]:
    """Every parameter as a tensor; their priors enter the current model."""
    import pymc as pm

    values: dict[str, Any] = {}
    grouped = {name for group in hypothesis.form.ordered for name in group}
    for name in hypothesis.names:
        if name not in grouped:
            values[name] = _parameter(name, hypothesis.priors[name])
    for group in hypothesis.form.ordered:
        survival = _ordered_survival(group)
        for i, name in enumerate(group):
            values[name] = _from_unit(hypothesis.priors[name], 1.0 - survival[i])
    return {name: pm.Deterministic(f"value_{name}", value) for name, value in values.items()}


def _parameter(name: str, prior: Prior) -> Any:
    import pymc as pm

    if prior.gaussians:
        # In units of the widest component, so that every free variable is of order one.
        weights, means, sds = (np.array(column) for column in zip(*prior.gaussians, strict=True))
        widest = float(sds.max())
        free = pm.NormalMixture(f"z_{name}", w=weights, mu=means * 0.0, sigma=sds / widest)
        return float(means[0]) + widest * free
    z = pm.Normal(f"z_{name}")
    if isinstance(prior, LogNormal):
        return pm.math.exp(prior.mean + prior.sd * z)
    return _from_unit(prior, _normal_cdf(z))


def _ordered_survival(group: tuple[str, ...]) -> list[Any]:
    """Survival functions of increasing order statistics, from one deviate each.

    Given those before, the survival of the i-th of k is that of the smallest of k - i draws.
    """
    import pymc as pm
    import pytensor.tensor as pt

    survival: list[Any] = []
    log_survival: Any = 0.0
    for i, name in enumerate(group):
        z = pm.Normal(f"z_{name}")
        log_survival = log_survival + pt.log(_normal_cdf(-z)) / (len(group) - i)
        survival.append(pt.exp(log_survival))
    return survival


def _normal_cdf(z: Any) -> Any:
    import pytensor.tensor as pt

    return 0.5 * pt.erfc(-z / np.sqrt(2.0))


def _from_unit(prior: Prior, u: Any) -> Any:
    """Quantile of a prior at probability u."""
    import pytensor.tensor as pt

    if isinstance(prior, Uniform):
        return prior.lower + (prior.upper - prior.lower) * u
    if isinstance(prior, LogUniform):
        return prior.lower * pt.exp(np.log(prior.upper / prior.lower) * u)
    if isinstance(prior, TimeLocation):
        return _place(prior, u)
    known = sorted(["LogNormal", "LogUniform", "Normal", "ScaleMixture", "TimeLocation", "Uniform"])
    raise ValueError(f"NUTS has no graph for a {type(prior).__name__} prior; choose from {known}.")


def _place(prior: TimeLocation, u: Any) -> Any:
    """Quantile of a place in time: straight between sampled times, exponential outside."""
    import pytensor.tensor as pt

    knots = np.asarray(prior.times, dtype=np.float64)
    tail = 0.5 * (1.0 - prior.inside)
    cells = knots.size - 1
    position = pt.clip((u - tail) / prior.inside * cells, 0.0, cells)
    cell = pt.clip(pt.cast(pt.floor(position), "int64"), 0, cells - 1)
    left = pt.constant(knots)[cell]
    middle = left + pt.constant(np.diff(knots))[cell] * (position - cell)
    early = knots[0] * pt.exp(np.log(prior.before) * pt.minimum(u / tail - 1.0, 0.0))
    late = knots[-1] * pt.exp(np.log(prior.after) * pt.maximum((u - 1.0 + tail) / tail, 0.0))
    return pt.switch(pt.lt(u, tail), early, pt.switch(pt.gt(u, 1.0 - tail), late, middle))


def _likelihood(hypothesis: Hypothesis, curve: Curve, parameters: Mapping[str, Any]) -> None:
    """Add the observed curve to the current model."""
    import pymc as pm

    from fitting.sampling.graph import graph

    form, noise = hypothesis.form, hypothesis.noise
    y_hat = graph(form, curve.t, {name: parameters[name] for name in form.names})
    if isinstance(noise, Binomial | BetaBinomial):
        _counts(noise, curve, parameters, y_hat)
        return
    known = np.zeros(curve.n_obs) if curve.y_se is None else np.asarray(curve.y_se)
    if isinstance(noise, KnownSE):
        pm.Normal("y", y_hat, known, observed=curve.y)
    elif isinstance(noise, White):
        sd = pm.math.sqrt(parameters["sd_white"] ** 2 + known**2)
        pm.Normal("y", y_hat, sd, observed=curve.y)
    elif isinstance(noise, StudentT):
        scale = pm.math.sqrt(parameters["sd_white"] ** 2 + known**2)
        pm.StudentT("y", nu=parameters["freedom"], mu=y_hat, sigma=scale, observed=curve.y)
    elif isinstance(noise, MeanLinked):
        sd = pm.math.sqrt(_linked(noise, curve, parameters, y_hat) ** 2 + known**2)
        pm.Normal("y", y_hat, sd, observed=curve.y)
    elif isinstance(noise, OUWhite | AR1White | MovingAverage):
        pm.MvNormal("y", y_hat, cov=_covariance(noise, curve, parameters, known), observed=curve.y)
    else:
        raise ValueError(f"NUTS has no graph for {noise.name} noise; choose from {sorted(NOISES)}.")


def _covariance(
    noise: Noise, curve: Curve, parameters: Mapping[str, Any], known: FloatArray
) -> Any:
    import pytensor.tensor as pt

    places = np.arange(curve.n_obs, dtype=np.float64) if isinstance(noise, AR1White) else curve.t
    apart = np.abs(places[:, None] - places[None, :])
    if isinstance(noise, MovingAverage):
        shared = pt.maximum(1.0 - apart / parameters["window"], 0.0)
    else:
        shared = pt.exp(-apart / parameters["correlation_time"])
    white = parameters["sd_white"] ** 2 + known**2
    return parameters["sd_wander"] ** 2 * shared + pt.diag(white)


def _linked(noise: MeanLinked, curve: Curve, parameters: Mapping[str, Any], y_hat: Any) -> Any:
    """Return standard deviations that follow the mean, (n,)."""
    import pytensor.tensor as pt

    low, high = noise.ends or ends_of(curve)
    place = pt.clip((y_hat - low) / (high - low), 0.0, 1.0)
    return parameters["sd_low"] ** (1.0 - place) * parameters["sd_high"] ** place


def _counts(
    noise: Binomial | BetaBinomial, curve: Curve, parameters: Mapping[str, Any], y_hat: Any
) -> None:
    import pymc as pm
    import pytensor.tensor as pt

    successes, trials = (count.astype(np.int64) for count in counts(curve, noise.name))
    outside = pt.any(pt.or_(pt.lt(y_hat, 0.0), pt.gt(y_hat, 1.0)))
    pm.Potential("support", pt.switch(outside, -np.inf, 0.0))
    p = pt.clip(y_hat, 1e-12, 1.0 - 1e-12)
    if isinstance(noise, Binomial):
        pm.Binomial("y", trials, p, observed=successes)
    else:
        size = 1.0 / parameters["overdispersion"] - 1.0
        pm.BetaBinomial("y", n=trials, alpha=p * size, beta=(1.0 - p) * size, observed=successes)


def _start(hypothesis: Hypothesis, curve: Curve) -> dict[str, float] | None:
    """Free variables at the likelihood's optimum, kept away from the ends of the priors."""
    theta = fit(hypothesis, curve).theta
    if not np.all(np.isfinite(theta)):
        return None
    z = hypothesis.standard(theta)
    for places in hypothesis.places():
        z[list(places)] = _conditional(z[list(places)])
    z = np.clip(z, -2.0, 2.0)
    start = {}
    for name, deviate, value in zip(hypothesis.names, z, theta, strict=True):
        parts = hypothesis.priors[name].gaussians
        if parts:
            widest = max(sd for _, _, sd in parts)
            start[f"z_{name}"] = float((value - parts[0][1]) / widest)
        else:
            start[f"z_{name}"] = float(deviate)
    return start


def _conditional(z: FloatArray) -> FloatArray:
    """Turn deviates of increasing places (k,) into those of `_ordered_survival`."""
    survival = ndtr(-z)
    before = np.concatenate(([1.0], survival[:-1]))
    remaining = np.arange(len(z), 0, -1)
    return np.asarray(-ndtri(np.clip((survival / before) ** remaining, 1e-12, 1 - 1e-12)))
