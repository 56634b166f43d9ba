"""Fits: what one curve says about the parameters of one hypothesis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from theory.curve import Curve
from theory.hypothesis import Hypothesis

if TYPE_CHECKING:
    from fitting.optimum.intervals import Intervals

Array = NDArray[np.float64]

_MADE_AGAIN = ("lmfit", "intervals", "unfixed")


class FitStatus(StrEnum):
    """How a fit went, as a sentence; the empty sentence means well."""

    OK = ""
    NOT_CONVERGED = "The optimizer stopped before it converged; the estimate may not be the best."
    AT_BOUND = "A parameter ended at the edge of its prior range; its value is not determined."
    SINGULAR = "The curve does not determine every parameter; standard errors are missing."
    TOO_FEW_POINTS = "The curve has too few points for the number of parameters."
    CONSTANT = "The curve does not vary; there is nothing to fit."
    FEW_EFFECTIVE_DRAWS = (
        "Importance sampling kept too few effective draws; the evidence is a rough estimate."
    )
    HEAVY_WEIGHTS = (
        "Importance weights are heavy-tailed (Pareto k above 0.7); "
        "the evidence may lie further off than its standard error says."
    )
    NO_SUPPORT = "No parameter value tried gives the curve a positive likelihood."
    NOT_SAMPLED = "The sampler failed; there are no draws."
    DIVERGED = (
        "More than 1 % of the sampler's trajectories diverged; draws may miss part of the "
        "posterior."
    )
    NOT_MIXED = "The chains did not mix; the draws are not to be trusted."
    RUNS_DISAGREE = (
        "Two runs of the sampler disagree about the evidence by more than their errors allow."
    )
    MISSED_MASS = "The chains missed much of the posterior that importance sampling found."


@final
@dataclass(frozen=True, eq=False)
class PointFit:
    """The best parameters of a hypothesis on a curve.

    Attributes
    ----------
    hypothesis : Hypothesis
    curve : Curve
    names : tuple of str
        The form's parameters, then the noise's.
    theta, se : ndarray, shape (p,)
        Estimate and standard error; nan where not determined, as ``status`` says.
    covariance : ndarray, shape (p, p)
    log_likelihood : float
    n_obs, n_free : int
        Points, and free parameters (noise included).
    status : FitStatus
    """

    hypothesis: Hypothesis
    curve: Curve
    names: tuple[str, ...]
    theta: Array
    se: Array
    covariance: Array
    log_likelihood: float
    n_obs: int
    n_free: int
    status: FitStatus = FitStatus.OK

    def __post_init__(self) -> None:
        p = len(self.names)
        for name in ("theta", "se"):
            _lock(self, name, (p,))
        _lock(self, "covariance", (p, p))

    @property
    def curve_digest(self) -> str:
        """Digest of the curve."""
        return self.curve.digest

    @cached_property
    def intervals(self) -> Intervals:
        """The 95 % profile-likelihood intervals, computed when first asked for.

        Those of many fits come faster from `fitting.optimum.intervals.intervals`. Under correlated
        noise they cover less than 95 % on short curves (benchmarks/interval_coverage.md); the
        posterior's do not.
        """
        from fitting.optimum.intervals import intervals

        return intervals([self])[0]

    @property
    def lower(self) -> Array:
        """Lower ends (p,) of the intervals; nan where the data set no limit."""
        return self.intervals.lower

    @property
    def upper(self) -> Array:
        """Upper ends (p,) of the intervals; nan where the data set no limit."""
        return self.intervals.upper

    @cached_property
    def unfixed(self) -> tuple[str, ...]:
        """What the data do not fix, as sentences: see `fitting.optimum.identifiability`."""
        from fitting.optimum.identifiability import unfixed

        return unfixed(self)

    @cached_property
    def lmfit(self) -> Any:
        """The `lmfit.minimizer.MinimizerResult` of least squares from this optimum.

        Of the form's parameters on whitened residuals, the noise as it was fitted. None where the
        noise is not Gaussian or nothing was fitted.
        """
        from fitting.optimum.lmfit_result import lmfit_result

        return lmfit_result(self)

    def report(self) -> str:
        """Return lmfit's own report of the fit; empty where there is none."""
        import lmfit

        return "" if self.lmfit is None else str(lmfit.fit_report(self.lmfit))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in _MADE_AGAIN}

    def __setstate__(self, state: dict[str, Any]) -> None:
        _restore(self, state)


@final
@dataclass(frozen=True, eq=False)
class PosteriorFit:
    """Posterior draws of a hypothesis on a curve, with the evidence.

    Attributes
    ----------
    hypothesis : Hypothesis
    curve_digest : str
    names : tuple of str
        The form's parameters, then the noise's.
    draws : ndarray, shape (S, p)
        Equally weighted, in natural units.
    log_evidence, log_evidence_se : float or None
        Natural log of the prior predictive density of the curve; None where not estimated.
    scaled_log_evidence : mapping of float to float
        The same with the priors of the linear parameters (floor, gain, slope) widened by a
        factor about the same mean: the sensitivity band. Empty where not estimated.
    ess : float
        Effective number of draws behind the evidence.
    pareto_k : float
        Tail index of the importance weights; above 0.7 the evidence is not reliable.
    sampler : str
        What gave draws and evidence.
    log_likelihood_max : float
        Largest log likelihood among the draws.
    status : FitStatus
    remark : str
        A sentence on attempts to do better; empty if there were none.
    """

    hypothesis: Hypothesis
    curve_digest: str
    names: tuple[str, ...]
    draws: Array
    log_evidence: float | None
    log_evidence_se: float | None
    ess: float
    pareto_k: float
    sampler: str
    log_likelihood_max: float
    status: FitStatus = FitStatus.OK
    scaled_log_evidence: Mapping[float, float] = field(default_factory=dict)
    remark: str = ""

    def __post_init__(self) -> None:
        _lock(self, "draws", (len(self.draws), len(self.names)))
        scaled = MappingProxyType(dict(self.scaled_log_evidence))
        object.__setattr__(self, "scaled_log_evidence", scaled)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "scaled_log_evidence": dict(self.scaled_log_evidence)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        scaled = MappingProxyType(state["scaled_log_evidence"])
        _restore(self, {**state, "scaled_log_evidence": scaled})


def _lock(fit: object, name: str, shape: tuple[int, ...]) -> None:
    array = np.array(getattr(fit, name), dtype=np.float64)
    if array.shape != shape:
        raise ValueError(f"{name} must have shape {shape}; its shape is {array.shape}.")
    array.setflags(write=False)
    object.__setattr__(fit, name, array)


def _restore(fit: object, state: Mapping[str, Any]) -> None:
    for name, value in state.items():
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
        object.__setattr__(fit, name, value)
