"""Chains of a PyMC model by Hamiltonian Monte Carlo, with the diagnostics that say if they mixed.

PyMC is imported only when it samples.
"""

from __future__ import annotations

import itertools
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from fitting.fit import FitStatus

FloatArray = NDArray[np.float64]
Start = Mapping[str, Any]
Progress = Callable[[int, int], None]
"""Told (done, total) draws of all chains, warm-up included."""

# Vehtari, Gelman, Simpson, Carpenter and Buerkner 2021, section 4: R-hat below 1.01 and an
# effective size above 100 a chain.
LARGEST_RHAT = 1.01
ENOUGH_EACH = 100.0
MOST_DIVERGENT = 0.01  # share of draws


@final
@dataclass(frozen=True, eq=False)
class Chains:
    """Draws of named variables with their diagnostics.

    Attributes
    ----------
    values
        For each name, shape (S, ...): the draws of all chains, one chain after the other. Empty if
        the sampler could not start.
    rhat
        Largest R-hat of all numbers in all variables; nan without draws.
    ess
        Smallest bulk effective size; 0 without draws.
    divergent
        Share of the trajectories that diverged.
    status
        NOT_MIXED if R-hat is above 1.01 or the effective size below 100 a chain, DIVERGED if more
        than 1 % of the trajectories did, NOT_SAMPLED if the sampler could not start.
    """

    values: Mapping[str, FloatArray]
    rhat: float
    ess: float
    divergent: float
    status: FitStatus


def draw(
    model: Any,
    names: Sequence[str],
    *,
    rng: np.random.Generator,
    draws: int,
    tune: int,
    chains: int,
    target_accept: float,
    starts: Start | Sequence[Start] | None = None,
    progress: Progress | None = None,
) -> Chains:
    """Draw from a PyMC model with NUTS (Hoffman and Gelman 2014), chain after chain.

    Parameters
    ----------
    model
        A `pymc.Model`.
    names
        Variables to keep, deterministic ones among them.
    rng
        Gives every chain its seed.
    draws, tune, chains
        Kept and warm-up draws of each chain.
    target_accept
        Acceptance rate that the warm-up aims for.
    starts
        Initial values of free variables: one for each chain, taken as they are, or one for all,
        which PyMC scatters; by default its own.
    progress
        Told how far it is.
    """
    import pymc as pm

    scattered = starts is None or isinstance(starts, Mapping)

    seeds = [int(seed) for seed in rng.integers(2**31 - 1, size=chains)]
    with _quiet():
        try:
            trace = pm.sample(
                draws=draws,
                tune=tune,
                chains=chains,
                cores=1,
                model=model,
                random_seed=seeds,
                initvals=starts,
                init="jitter+adapt_diag" if scattered else "adapt_diag",
                target_accept=target_accept,
                progressbar=False,
                compute_convergence_checks=False,
                callback=_counter(progress, chains * (tune + draws)),
            )
        except pm.exceptions.SamplingError:
            return Chains({}, float("nan"), 0.0, 0.0, FitStatus.NOT_SAMPLED)
    tables = {name: np.asarray(trace.posterior[name].values) for name in names}
    rhat, ess = diagnostics(list(tables.values()))
    divergent = float(trace.sample_stats["diverging"].mean())
    status = said(rhat, ess, divergent, chains)
    flat = {name: table.reshape(-1, *table.shape[2:]) for name, table in tables.items()}
    return Chains(flat, rhat, ess, divergent, status)


def _counter(progress: Progress | None, total: int) -> Callable[..., None] | None:
    """Return what PyMC calls after every draw."""
    if progress is None:
        return None
    count = itertools.count(1)
    return lambda trace, draw: progress(next(count), total)


def said(rhat: float, ess: float, divergent: float, chains: int) -> FitStatus:
    """Say how chains went, by the thresholds of `Chains.status`."""
    if not (rhat <= LARGEST_RHAT and ess >= ENOUGH_EACH * chains):
        return FitStatus.NOT_MIXED
    return FitStatus.DIVERGED if divergent > MOST_DIVERGENT else FitStatus.OK


@contextmanager
def _quiet() -> Iterator[None]:
    """Hold back progress messages, and deprecations inside the samplers' own stack."""
    logger = logging.getLogger("pymc")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def diagnostics(tables: Sequence[FloatArray]) -> tuple[float, float]:
    """Largest R-hat and smallest bulk effective size over tables (chains, draws, ...)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import arviz

        columns = [
            column
            for table in tables
            for column in np.moveaxis(table.reshape(*table.shape[:2], -1), -1, 0)
        ]
        rhat = max(float(arviz.rhat(column)) for column in columns)
        ess = min(float(arviz.ess(column)) for column in columns)
    return rhat, ess
