"""The model of runs as draws from a population, as PyMC samples it.

Partly non-centered: θ = center + spread^(1 - w) (ζ - w center) with ζ ~ Normal(w center, spread^w)
is Normal(center, spread) whatever w is. Non-centered, w = 0, a run that says little is sampled
well; centered, w = 1, one that says all. The other way round the posterior has a funnel, or is a
thin sheet (Papaspiliopoulos, Roberts and Skold 2007, A general framework for the parametrization of
hierarchical models; Gorinova, Moore and Hoffman 2020, Automatic reparameterisation of probabilistic
programs). So w is taken from the standard errors of the runs' own fits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from fitting.fit import PointFit
from fitting.runs.population import Population, noise_prior
from fitting.sampling.compiler import prefer_numba
from theory.curve import Curve
from theory.form import Form
from theory.prior import LogNormal

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class Scale:
    """Units and origins in which parameters are sampled, and where runs start.

    Attributes
    ----------
    origin, unit
        Shape (p,): of each parameter, of its ln where the population is normal in that.
    starts, errors
        Shape (R, p), in those units: unpooled estimates with standard errors; 0 and inf where
        a run by itself says less of the parameter than the prior does.
    weights
        Shape (R, p), 0 to 1: how much each run's parameters are sampled centered.
    """

    origin: FloatArray
    unit: FloatArray
    starts: FloatArray
    errors: FloatArray
    weights: FloatArray


def scale_of(priors: Sequence[Population], unpooled: Sequence[PointFit]) -> Scale:
    """Choose units from the fits of single runs; they change the sampling, not the posterior."""
    values = np.array([one.theta[: len(priors)] for one in unpooled])
    errors = np.array([one.se[: len(priors)] for one in unpooled])
    logs = np.array([prior.log for prior in priors])
    with np.errstate(all="ignore"):
        errors = np.where(logs, errors / values, errors)
        values = np.where(logs, np.log(values), values)
    # A gain of 1e14 ± 1e15, as of a run cut off early, is not known: chains that start there stay.
    reach = np.array([math.hypot(prior.sd, prior.spread) for prior in priors])
    known = np.isfinite(values) & (errors < reach)
    columns = zip(priors, values.T, errors.T, known.T, strict=True)
    origin, unit, spread = np.array([_unit(*column) for column in columns]).T
    starts = np.where(known, (values - origin) / unit, 0.0)
    errors = np.where(known, errors, np.inf)
    # Errors doubled: a run must tell its place from the others' well before centering pays.
    weights = spread**2 / (spread**2 + (2.0 * errors) ** 2)
    return Scale(origin, unit, starts, errors / unit, weights)


def _unit(
    prior: Population, values: FloatArray, errors: FloatArray, known: NDArray[np.bool_]
) -> tuple[float, float, float]:
    """Origin and unit of one parameter, and the spread of the runs that is not their errors'."""
    least = 1e-3 * prior.spread
    if not known.any():
        return prior.mean, prior.spread, least
    origin, error = float(np.median(values[known])), float(np.median(errors[known]))
    # Robust, as some runs may be far off: 1.5 times the median deviation is the sd of a normal.
    apart = 1.5 * float(np.median(np.abs(values[known] - origin)))
    return origin, max(apart, error, least), math.sqrt(max(apart**2 - error**2, least**2))


def pooled_model(
    form: Form, curves: Sequence[Curve], priors: Sequence[Population], scale: Scale
) -> Any:
    """Make the `pymc.Model` of R runs under a form with p parameters.

    Its deterministic variables are ``centers`` and ``spreads``, shape (p,), and ``runs``, shape
    (R, p + 1), the noise last.
    """
    prefer_numba()
    import pymc as pm
    import pytensor.tensor as pt

    from fitting.sampling.graph import graph

    t, y, known, present = _rectangular(curves)
    mean, sd, spread = (np.array([getattr(p, n) for p in priors]) for n in ("mean", "sd", "spread"))
    logs = np.array([prior.log for prior in priors])
    noise, w = noise_prior(curves), scale.weights
    with pm.Model() as model:
        # In vectors over parameters: a small graph, which compiles and samples faster.
        center = pm.Normal("center", (mean - scale.origin) / scale.unit, sd / scale.unit)
        apart = pm.HalfNormal("apart", spread / scale.unit)
        free = pm.Normal("zeta", w * center, apart**w)
        runs = _natural(center + apart ** (1.0 - w) * (free - w * center), scale, logs)
        z_noise = pm.Normal("z_noise", shape=(len(curves), 1))
        runs = pt.concatenate([runs, pt.exp(noise.mean + noise.sd * z_noise)], axis=1)
        pm.Deterministic("runs", runs)
        pm.Deterministic("centers", _natural(center, scale, logs))
        pm.Deterministic("spreads", scale.unit * apart)
        y_hat = graph(form, t, {p.name: runs[:, i, None] for i, p in enumerate(priors)})
        density = pm.logp(pm.Normal.dist(y_hat, pt.sqrt(runs[:, -1:] ** 2 + known**2)), y)
        pm.Potential("likelihood", pt.sum(present * density))
    return model


def _rectangular(curves: Sequence[Curve]) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Fill runs up to equal length: times, values, known errors, and presence, each (R, n).

    Taking single points out of arrays would be slower by far where gradients go back.
    """
    n = max(curve.n_obs for curve in curves)

    def filled(rows: list[FloatArray]) -> FloatArray:
        return np.array([np.append(row, np.repeat(row[-1], n - row.size)) for row in rows])

    known = [np.zeros(c.n_obs) if c.y_se is None else c.y_se for c in curves]
    present = np.array([np.arange(n) < curve.n_obs for curve in curves], dtype=np.float64)
    return filled([c.t for c in curves]), filled([c.y for c in curves]), filled(known), present


def _natural(x: Any, scale: Scale, logs: NDArray[np.bool_]) -> Any:
    """Parameters (..., p) in their own units."""
    import pytensor.tensor as pt

    values = scale.origin + scale.unit * x
    return pt.switch(logs, pt.exp(pt.switch(logs, values, 0.0)), values)


def start(
    scale: Scale, unpooled: Sequence[PointFit], noise: LogNormal, rng: np.random.Generator
) -> dict[str, FloatArray]:
    """Free variables of one chain: the unpooled estimates, off by twice their standard errors."""
    off = 2.0 * np.minimum(scale.errors, 1.0) * rng.standard_normal(scale.errors.shape)
    x, w = scale.starts + off, scale.weights
    center, apart = np.median(x, axis=0), np.exp(0.5 * rng.standard_normal(x.shape[1]))
    sd = np.array([[one.theta[-1]] for one in unpooled])
    z = noise.standard(sd) + 0.1 * rng.standard_normal(sd.shape)
    return {
        "center": center,
        "apart": apart,
        "zeta": w * center + (x - center) / apart ** (1.0 - w),
        "z_noise": np.where(np.isfinite(z), z, 0.0),
    }
