"""Partial pooling: the runs of one rung as draws from a population of curves.

Run i has the curve y = form(t; θ_i) + white noise of its own size, and

    θ_ij ~ Normal(center_j, spread_j)   in y's units for floor and gain, in ln for time and rate.

What one run leaves open, the others fill in: its parameters shrink towards the center, the more so
the less its own curve says (Gelman and Hill 2007, Data analysis using regression and
multilevel/hierarchical models, chapter 12). Curves are never averaged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from fitting.doubts import residual_test
from fitting.estimate import Estimate, estimate
from fitting.fit import FitStatus, PointFit
from fitting.point import fit
from fitting.runs.pooled_model import pooled_model, scale_of, start
from fitting.runs.population import Population, check_kinds, noise_prior, populations
from fitting.runs.run_names import run_names
from fitting.sampling.nuts import Chains, Progress, draw
from theory.curve import Curve, relock
from theory.form import Form
from theory.hypothesis import default_hypothesis
from theory.noise import White

FloatArray = NDArray[np.float64]
Table = Mapping[str, Estimate | None]

FEWEST_RUNS = 3
NOISE = "sd_white"
_P_VALUE = 0.01


@final
@dataclass(frozen=True, eq=False)
class PooledFit:
    """What R runs of one rung say together about p parameters of a form.

    Attributes
    ----------
    form
        The form of every run.
    runs
        Names of the runs.
    curve_digests
        Which curves were fitted.
    priors
        Of the population, one for each parameter.
    unpooled
        The maximum-likelihood fit of each run by itself.
    centers, spreads
        Shape (S, p): draws of the population's medians, in the parameters' units, and of its
        standard deviations (of ln for times and rates).
    draws
        Shape (S, R, p + 1): draws of each run's parameters and of its noise.
    rhat, ess, divergent
        Largest R-hat, smallest bulk effective size, and share of divergent trajectories.
    status
        What went wrong with the draws.
    doubts
        Sentences.
    """

    form: Form
    runs: tuple[str, ...]
    curve_digests: tuple[str, ...]
    priors: tuple[Population, ...]
    unpooled: tuple[PointFit, ...]
    centers: FloatArray
    spreads: FloatArray
    draws: FloatArray
    rhat: float
    ess: float
    divergent: float
    status: FitStatus
    doubts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Lock the arrays."""
        for name in ("centers", "spreads", "draws"):
            copy = np.array(getattr(self, name), dtype=np.float64)
            copy.setflags(write=False)
            object.__setattr__(self, name, copy)

    def __setstate__(self, state: dict[str, Any]) -> None:
        relock(self, state)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of a run's parameters: the form's, then the noise's."""
        return (*self.form.names, NOISE)

    @property
    def population(self) -> Table:
        """Median of the population in each parameter, in its unit; None without draws."""
        return _table(self.form.names, self.centers)

    @property
    def population_sd(self) -> Table:
        """Spread of the population, of ln for times and rates; None without draws."""
        return _table(self.form.names, self.spreads)

    def run(self, name: str) -> Table:
        """Parameters of one run, shrunk towards the population; None without draws.

        Raises
        ------
        ValueError
            If there is no such run.
        """
        if name not in self.runs:
            raise ValueError(f"no run is {name!r}; choose from {sorted(self.runs)}.")
        return _table(self.names, self.draws[:, self.runs.index(name)])


def _table(names: tuple[str, ...], draws: FloatArray) -> Table:
    if not len(draws):
        return dict.fromkeys(names)
    return {name: estimate(draws[:, i]) for i, name in enumerate(names)}


def pool(
    form: Form,
    curves: Sequence[Curve],
    *,
    rng: np.random.Generator,
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    target_accept: float = 0.95,
    progress: Progress | None = None,
) -> PooledFit:
    """Fit a form to the runs of one rung together.

    Parameters
    ----------
    form
        With one floor, one gain, one midpoint and one rate or timescale.
    curves
        At least three runs of one observable.
    rng
        Gives every chain its start and its seed.
    draws, tune, chains
        Kept and warm-up draws of each chain.
    target_accept
        Acceptance rate that the warm-up aims for; high, for small spreads make narrow posteriors.
    progress
        Told (done, total) draws, warm-up included.

    Returns
    -------
    PooledFit

    Raises
    ------
    ValueError
        If the form has other parameters, there are fewer than three runs, they differ in
        observable, unit or progress, or one cannot be fitted by itself: it does not vary, or has
        fewer than 3 points.
    """
    check_kinds(form)
    runs = _names(curves)
    unpooled = tuple(_unpooled(form, curve, run) for run, curve in zip(runs, curves, strict=True))
    priors = populations(form, curves)
    scale = scale_of(priors, unpooled)
    model = pooled_model(form, curves, priors, scale)
    noise = noise_prior(curves)
    starts = [start(scale, unpooled, noise, rng) for _ in range(chains)]
    found = draw(
        model,
        ("centers", "spreads", "runs"),
        rng=rng,
        draws=draws,
        tune=tune,
        chains=chains,
        target_accept=target_accept,
        starts=starts,
        progress=progress,
    )
    return _pooled(form, runs, curves, priors, unpooled, found)


def _names(curves: Sequence[Curve]) -> tuple[str, ...]:
    """Check that the curves are runs of one thing, and name them."""
    if len(curves) < FEWEST_RUNS:
        raise ValueError(
            f"a population needs at least {FEWEST_RUNS} runs to be estimated; got {len(curves)}."
        )
    return run_names(curves)


def _unpooled(form: Form, curve: Curve, run: str) -> PointFit:
    try:
        hypothesis = default_hypothesis(form, White(), curve)
    except ValueError as error:
        raise ValueError(f"{run}: {error}") from None
    return fit(hypothesis, curve)


def _pooled(
    form: Form,
    runs: tuple[str, ...],
    curves: Sequence[Curve],
    priors: tuple[Population, ...],
    unpooled: tuple[PointFit, ...],
    found: Chains,
) -> PooledFit:
    p = len(priors)
    empty = {"centers": (0, p), "spreads": (0, p), "runs": (0, len(runs), p + 1)}
    values = {name: found.values.get(name, np.zeros(shape)) for name, shape in empty.items()}
    return PooledFit(
        form=form,
        runs=runs,
        curve_digests=tuple(curve.digest for curve in curves),
        priors=priors,
        unpooled=unpooled,
        centers=values["centers"],
        spreads=values["spreads"],
        draws=values["runs"],
        rhat=found.rhat,
        ess=found.ess,
        divergent=found.divergent,
        status=found.status,
        doubts=_doubts(found.status, runs, curves, unpooled),
    )


def _doubts(
    status: FitStatus,
    runs: tuple[str, ...],
    curves: Sequence[Curve],
    unpooled: Sequence[PointFit],
) -> tuple[str, ...]:
    found = [str(status)] if status else []
    tests = [residual_test(curve, point) for curve, point in zip(curves, unpooled, strict=True)]
    rough = [r for r, test in zip(runs, tests, strict=True) if test and test.p_value < _P_VALUE]
    if rough:
        found.append(
            f"Residual autocorrelation remains in {len(rough)} of {len(runs)} runs "
            f"({', '.join(rough)}); white noise makes their intervals too narrow."
        )
    averaged = [run for run, curve in zip(runs, curves, strict=True) if (curve.window or 1) > 1]
    if averaged:
        found.append(
            f"{len(averaged)} of {len(runs)} runs were logged as moving averages, which white "
            "noise does not describe."
        )
    alone = [r for r, one in zip(runs, unpooled, strict=True) if one.status != FitStatus.OK]
    if alone:
        found.append(
            f"By themselves {len(alone)} of {len(runs)} runs do not determine every parameter "
            f"({', '.join(alone)}): there the population speaks."
        )
    return tuple(found)
