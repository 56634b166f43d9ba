"""Comparisons of hypotheses on one curve: scores with their doubts, families, verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, final

import numpy as np

from fitting.criteria import aic, aicc, bic
from fitting.estimate import Estimate, estimate
from fitting.fit import FitStatus, PointFit, PosteriorFit
from fitting.forecast import Forecast
from fitting.runs.formation import Formation
from fitting.screening import LAPLACE
from fitting.stages import Stages
from fitting.verdict import Verdict
from theory.curve import Curve
from theory.family import Family
from theory.hypothesis import Hypothesis

if TYPE_CHECKING:
    from fitting.trials.license import License


@final
@dataclass(frozen=True, eq=False)
class Score:
    """One candidate, form x noise, with everything known about it.

    Attributes
    ----------
    hypothesis
        The candidate.
    point, posterior
        Its fits; None where not made.
    log_evidence, log_evidence_se
        Natural log of the prior predictive density of the curve, with its Monte-Carlo error; None
        where not computable.
    weight
        Posterior probability of this form and noise among all candidates, within the redundancy
        scheme of `fitting.families`: the sum over families of P(F | y) times the candidate's part
        in F.
    elpd_loo, elpd_forecast
        Predictive scores in nats, higher is better; None where not computed.
    family
        The shape that most posterior draws have on the observed window; None without draws.
    doubts
        Sentences: every reason for distrust, and for every missing number.
    """

    hypothesis: Hypothesis
    point: PointFit | None
    posterior: PosteriorFit | None
    log_evidence: float | None
    log_evidence_se: float | None
    weight: float
    elpd_loo: float | None = None
    elpd_forecast: float | None = None
    family: Family | None = None
    doubts: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """``form × noise``."""
        return self.hypothesis.name

    @property
    def form(self) -> str:
        """Name of the form."""
        return self.hypothesis.form.name

    @property
    def noise(self) -> str:
        """Name of the noise."""
        return self.hypothesis.noise.name

    @property
    def sampler(self) -> str:
        """What gave the log evidence; empty where there is none."""
        if self.posterior is None or self.log_evidence is None:
            return ""
        return self.posterior.sampler

    @property
    def expression(self) -> str:
        """The form as a Python expression."""
        return self.hypothesis.form.python

    @property
    def latex(self) -> str:
        """The form in LaTeX."""
        return self.hypothesis.form.latex

    @property
    def n_free(self) -> int:
        """Number of free parameters, noise included."""
        return len(self.hypothesis.names)

    @property
    def log_likelihood(self) -> float | None:
        """Maximum of the log likelihood, in nats; None where not fitted."""
        if self.point is None or not np.isfinite(self.point.log_likelihood):
            return None
        return self.point.log_likelihood

    @property
    def aic(self) -> float | None:
        """Akaike's criterion; None where not fitted."""
        return None if self.log_likelihood is None else aic(self.log_likelihood, self.n_free)

    @property
    def aicc(self) -> float | None:
        """Akaike's criterion with the small-sample term; None where undefined."""
        if self.point is None or self.log_likelihood is None:
            return None
        return aicc(self.log_likelihood, self.point.n_obs, self.n_free)

    @property
    def bic(self) -> float | None:
        """Schwarz's criterion; None where not fitted."""
        if self.point is None or self.log_likelihood is None:
            return None
        return bic(self.log_likelihood, self.point.n_obs, self.n_free)

    @property
    def status(self) -> str:
        """What went wrong with the draws or, failing those, the point fit; empty if nothing."""
        if self.posterior is not None and self.posterior.status != FitStatus.OK:
            return str(self.posterior.status)
        if self.point is not None and self.point.status in (
            FitStatus.TOO_FEW_POINTS,
            FitStatus.NOT_CONVERGED,
            FitStatus.NO_SUPPORT,
        ):
            return str(self.point.status)
        return ""

    @cached_property
    def parameters(self) -> Mapping[str, Estimate | None]:
        """Posterior median, standard deviation and 95 % interval of every parameter.

        From the posterior draws; where there are none, estimate, standard error and profile
        interval of the point fit (no interval, nan, where the evidence is Laplace's), and None
        where that does not determine the parameter.
        """
        names = self.hypothesis.names
        if self.posterior is None or len(self.posterior.draws) == 0:
            return MappingProxyType({name: self._pointed(i) for i, name in enumerate(names)})
        draws = self.posterior.draws
        return MappingProxyType({n: estimate(draws[:, i]) for i, n in enumerate(names)})

    def _pointed(self, i: int) -> Estimate | None:
        point = self.point
        if point is None or not np.isfinite(point.theta[i] + point.se[i]):
            return None
        value, se = float(point.theta[i]), float(point.se[i])
        if self.posterior is not None and self.posterior.sampler == LAPLACE:
            return Estimate(value, se, np.nan, np.nan)
        return Estimate(value, se, float(point.lower[i]), float(point.upper[i]))

    def __getstate__(self) -> dict[str, Any]:
        """Without cached tables, which are rebuilt."""
        return {k: v for k, v in self.__dict__.items() if k != "parameters"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the fields."""
        for key, value in state.items():
            object.__setattr__(self, key, value)


@final
@dataclass(frozen=True, eq=False)
class Comparison:
    """What one curve says about a set of hypotheses.

    Attributes
    ----------
    curve
        The data.
    scores
        Candidates, best first by log evidence, then AICc; empty if nothing could be fitted.
    family_probabilities
        P(F | y) for every family; empty if nothing could be compared.
    family_se
        Monte-Carlo standard error of each.
    sensitivity
        Family probabilities with the priors of floor, gain and slope 0.5 and 2 times as wide.
    stages
        Stages and peak of the model-averaged curve within the leading family; None if nothing fits.
    forecast
        Leave-future-out scores; None where not asked for or not possible.
    verdict
        What may be quoted.
    notes
        Sentences about the comparison as a whole.
    license
        How such verdicts came out on simulated curves of this design; None where not asked for.
    family_prior
        P(F): uniform over the families that some form can produce at all; empty likewise.
    formation
        Draws of the times at which the observable forms, over all shapes; None if nothing fits.
    """

    curve: Curve
    scores: tuple[Score, ...]
    family_probabilities: Mapping[Family, float]
    family_se: Mapping[Family, float]
    sensitivity: Mapping[float, Mapping[Family, float]]
    stages: Stages | None
    forecast: Forecast | None
    verdict: Verdict
    notes: tuple[str, ...] = field(default=())
    license: License | None = None
    family_prior: Mapping[Family, float] = field(default_factory=dict)
    formation: Formation | None = None

    def __post_init__(self) -> None:
        """Lock the mappings."""
        for name in ("family_probabilities", "family_prior", "family_se"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        band = {scale: MappingProxyType(dict(p)) for scale, p in self.sensitivity.items()}
        object.__setattr__(self, "sensitivity", MappingProxyType(band))

    @property
    def best(self) -> Score | None:
        """The candidate of largest log evidence; None if there is none."""
        return self.scores[0] if self.scores else None

    def score(self, form: str, noise: str | None = None) -> Score:
        """Return the best score of a form, optionally with a given noise.

        Raises
        ------
        ValueError
            If no candidate has these names.
        """
        for score in self.scores:
            if score.form == form and noise in (None, score.noise):
                return score
        known = sorted({score.name for score in self.scores})
        wanted = form if noise is None else f"{form} × {noise}"
        raise ValueError(f"no candidate is {wanted!r}; choose from {known}.")

    def __getstate__(self) -> dict[str, Any]:
        """Give mapping proxies as dicts, which pickle."""
        state = dict(self.__dict__)
        state["family_probabilities"] = dict(self.family_probabilities)
        state["family_prior"] = dict(self.family_prior)
        state["family_se"] = dict(self.family_se)
        state["sensitivity"] = {s: dict(p) for s, p in self.sensitivity.items()}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore and lock again."""
        for key, value in state.items():
            object.__setattr__(self, key, value)
        self.__post_init__()
