"""Other methods for the log evidence, each called as its documentation says.

All but our own bridge integrate over all parameters, none by hand; priors are N(0, I) in the
deviates.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

FloatArray = NDArray[np.float64]
Estimate = tuple[float | None, str]

WELL = "no status"
MOST_CALLS = 300_000  # after which nested sampling is stopped, without an estimate
STOPPED = f"stopped after {MOST_CALLS:,} calls of the likelihood"


class NotInstalled(Exception):
    """A peer is not there; says how to get it."""


def _missing(name: str) -> NotInstalled:
    return NotInstalled(f"{name} is not installed (`pip install --group bench`)")


def chains_and_bridge(case: Any, seed: int) -> Estimate:
    """Run our fallback: Hamiltonian chains of the collapsed density, twice, and bridge sampling."""
    from fitting.sampling.cross_check import bridge_evidence

    found = bridge_evidence(case.hypothesis, case.curve, rng=np.random.default_rng(seed))
    return found.log_evidence, str(found.status) or WELL


def smc(case: Any, seed: int) -> Estimate:
    """`pm.sample_smc` with its defaults; the mean of the chains' estimates."""
    import pymc as pm

    from fitting.sampling.posterior import _likelihood, _parameters

    logging.getLogger("pymc").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pm.Model():
            _likelihood(case.hypothesis, case.curve, _parameters(case.hypothesis))
            trace = pm.sample_smc(random_seed=seed, progressbar=False, cores=1)
    stages = trace.sample_stats["log_marginal_likelihood"].values
    chains = [_last(chain) for chain in np.asarray(stages)]
    return float(np.mean(chains)), WELL


def _last(stages: Any) -> float:
    """Last finite number of one chain, however it is nested."""
    flat = np.concatenate([np.atleast_1d(np.asarray(x, dtype=float)) for x in np.ravel(stages)])
    return float(flat[np.isfinite(flat)][-1])


def _log_likelihood(case: Any) -> Callable[[FloatArray], FloatArray]:
    """Log likelihood of points in the unit cube; quantiles of mixtures come from a fine table."""
    hypothesis = case.hypothesis
    grid = np.linspace(-8.3, 8.3, 40_001)
    tables = {
        i: hypothesis.priors[name].transport(grid)
        for i, name in enumerate(hypothesis.names)
        if hypothesis.priors[name].gaussians
    }
    others = tuple(n for i, n in enumerate(hypothesis.names) if i not in tables)
    places = [hypothesis.names.index(name) for name in others]

    def value(unit: FloatArray) -> FloatArray:
        z = ndtri(np.clip(unit, 1e-16, 1 - 1e-16))
        theta = np.empty_like(z)
        theta[:, places] = hypothesis.transport(z[:, places], others)
        for i, table in tables.items():
            theta[:, i] = np.interp(z[:, i], grid, table)
        with np.errstate(all="ignore"):
            found = hypothesis.log_likelihood(theta, case.curve)
        return np.where(np.isfinite(found), found, -1e300)

    return value


def by_dynesty(case: Any, seed: int) -> Estimate:
    """Run dynesty's static sampler with 500 live points and random walks.

    Its default, uniform draws in ellipsoids, was not done after 60,000 calls (1 to 7 minutes).
    """
    try:
        import dynesty
    except ImportError as error:
        raise _missing("dynesty") from error
    value = _log_likelihood(case)
    sampler = dynesty.NestedSampler(
        lambda u: float(value(u[None])[0]),
        lambda u: u,
        len(case.hypothesis.names),
        sample="rwalk",
        rstate=np.random.default_rng(seed),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sampler.run_nested(print_progress=False, maxcall=MOST_CALLS)
    calls = int(np.sum(sampler.results.ncall))
    if calls >= MOST_CALLS:
        return None, STOPPED
    return float(sampler.results.logz[-1]), WELL


def by_nautilus(case: Any, seed: int) -> Estimate:
    """Run nautilus with 500 live points and without networks."""
    try:
        from nautilus import Sampler
    except ImportError as error:
        raise _missing("nautilus-sampler") from error
    sampler = Sampler(
        lambda u: u,
        _log_likelihood(case),
        n_dim=len(case.hypothesis.names),
        n_live=500,
        n_networks=0,
        vectorized=True,
        pass_dict=False,
        seed=seed,
    )
    done = sampler.run(verbose=False, n_like_max=MOST_CALLS)
    return (float(sampler.log_z), WELL) if done else (None, STOPPED)


PEERS: Mapping[str, Callable[[Any, int], Estimate]] = MappingProxyType(
    {
        "Hamiltonian chains and bridge (ours, twice)": chains_and_bridge,
        "pm.sample_smc": smc,
        "dynesty (rwalk)": by_dynesty,
        "nautilus (no networks)": by_nautilus,
    }
)
