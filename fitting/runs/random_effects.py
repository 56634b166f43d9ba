"""Random-effects comparison over runs: how often each model is the one that generated a run.

Runs may differ in the model that generated them (`fitting.runs.frequencies`). The free energy
against that of equally frequent models says whether frequencies differ at all, and protects the
exceedance probabilities (Rigoux, Stephan, Friston and Daunizeau 2014, Bayesian model selection for
group studies revisited, eq. 7). Families of models get prior frequencies that are uniform over
families (Penny, Stephan, Daunizeau, Rosa, Friston, Schofield and Leff 2010, Comparing families of
dynamic causal models); where families are equally frequent, models within each need not be.

The free energy of free frequencies is a lower bound, so the omnibus risk of models errs on the high
side. The approximation takes assignments as independent given the data: where runs do not name a
model on their own, its intervals are too narrow.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, expit, gammaln

from fitting.runs.evidence_table import evidence_table
from fitting.runs.exceedance import exceedance
from fitting.runs.frequencies import STEPS, assigned, frequencies
from fitting.verdict import THRESHOLD
from theory.curve import relock

Array = NDArray[np.float64]

RISKY = 0.25
"""Omnibus risk above which equal frequencies are named as a doubt."""

CLEAR = 0.9
"""Probability, with even odds, from which a run names its model on its own."""

_EQUAL = 1e-6
_NOT_SETTLED = f"The variational iteration did not settle in {STEPS} steps."


@final
@dataclass(frozen=True, eq=False)
class RandomEffects:
    """How frequent each of K models is among the runs that N runs stand for.

    Attributes
    ----------
    models
        Names of the models, or of the families.
    runs
        Names of the runs.
    prior, concentrations
        Shape (K,): Dirichlet concentrations before and after the runs were seen.
    frequencies, lower, upper
        Shape (K,): posterior expectation and central 95 % interval of each frequency.
    assignments
        Shape (N, K): posterior probability that each model generated each run.
    exceedance
        Shape (K,): probability that the model is the most frequent one.
    omnibus_risk
        Probability that all are equally frequent, with even prior odds.
    protected
        Shape (K,): exceedance probabilities, with 1/K in case all are equally frequent.
    free_energy, null_free_energy
        Log evidence, in nats, of free frequencies (a lower bound) and of equal ones (for models
        exact; for families a lower bound, models within each family being free).
    noun
        What is compared: model, family, shape or form.
    status
        What went wrong; empty if nothing.
    doubts
        Sentences.
    families
        The same for families of models; None where none were given.
    """

    models: tuple[str, ...]
    runs: tuple[str, ...]
    prior: Array
    concentrations: Array
    frequencies: Array
    lower: Array
    upper: Array
    assignments: Array
    exceedance: Array
    omnibus_risk: float
    protected: Array
    free_energy: float
    null_free_energy: float
    noun: str = "model"
    status: str = ""
    doubts: tuple[str, ...] = ()
    families: RandomEffects | None = None

    def __post_init__(self) -> None:
        """Lock the arrays."""
        for name, value in list(vars(self).items()):
            if isinstance(value, np.ndarray):
                copy = np.array(value, dtype=np.float64)
                copy.setflags(write=False)
                object.__setattr__(self, name, copy)

    def __setstate__(self, state: dict[str, Any]) -> None:
        relock(self, state)

    @property
    def n_runs(self) -> int:
        """Number of runs."""
        return len(self.runs)

    def n_assigned(self, model: str) -> int:
        """Count the runs that this model generated with a probability above one half."""
        return int(np.sum(self.assignments[:, self.models.index(model)] > 0.5))

    @property
    def leaders(self) -> tuple[str, ...]:
        """The model of largest protected exceedance probability; several if equal."""
        close = self.protected >= self.protected.max() - _EQUAL
        return tuple(name for name, near in zip(self.models, close, strict=True) if near)

    @property
    def sentence(self) -> str:
        """What the runs support, in words."""
        first = self.leaders[0]
        if len(self.models) == 1:
            return f"Only {first} was compared; nothing is decided."
        best = int(np.argmax(self.protected))
        counted = f"{self.n_assigned(first)} of {self.n_runs} runs assigned to it"
        if self.protected[best] >= THRESHOLD and not self.status:
            return (
                f"{first} generated more runs than any other {self.noun} with protected exceedance "
                f"probability {_said(self.protected[best])} ({counted}; expected frequency "
                f"{self.frequencies[best]:.2f}, 95 % interval {self.lower[best]:.2f} to "
                f"{self.upper[best]:.2f})."
            )
        if self.protected[best] >= THRESHOLD:
            return f"Inconclusive: {self.status}"
        lead = f"{first} comes closest with {_said(self.protected[best])} ({counted})"
        if len(self.leaders) > 1:
            lead = f"{', '.join(self.leaders)} share the lead with {_said(self.protected[best])}"
        return (
            f"Inconclusive: no {self.noun} generated more runs than every other with protected "
            f"exceedance probability {THRESHOLD}; {lead}. All are equally frequent with "
            f"probability {_said(self.omnibus_risk)}."
        )


def random_effects(
    log_evidence: Sequence[Sequence[float | None]] | Array,
    models: Sequence[str],
    *,
    runs: Sequence[str] | None = None,
    families: Mapping[str, str] | None = None,
    concentration: float = 1.0,
    noun: str = "model",
) -> RandomEffects:
    """Estimate how frequent each model is among runs.

    Parameters
    ----------
    log_evidence
        Shape (N, K): natural log evidence of each model on each run, comparable within a run. -inf
        says that a model is impossible on a run.
    models
        Names of the K models.
    runs
        Names of the N runs; by default their numbers from 0.
    families
        The family of each model. Families are compared with prior concentration 1 each, shared
        evenly by the family's models.
    concentration
        Prior concentration of each model; 1 is uniform over frequencies.
    noun
        What a model is called in sentences.

    Returns
    -------
    RandomEffects

    Raises
    ------
    ValueError
        If a log evidence is missing (None or NaN) or +inf, or all of a run's are -inf; if there is
        no run or no model, a name occurs twice, names and evidences differ in number, the families
        are not those of the models, or the concentration is not positive.
    """
    names = tuple(models)
    table, run_names = evidence_table(log_evidence, names, runs)
    if not (math.isfinite(concentration) and concentration > 0.0):
        raise ValueError(f"concentration must be positive and finite; it is {concentration}.")
    prior = np.full(len(names), float(concentration))
    among = None if families is None else _of_families(table, names, run_names, families)
    return _compared(table, prior, np.eye(len(names)), names, run_names, noun, among)


def _of_families(
    table: Array, models: tuple[str, ...], runs: tuple[str, ...], families: Mapping[str, str]
) -> RandomEffects:
    if set(families) != set(models):
        raise ValueError(
            f"families must name the family of every model and no other: models are "
            f"{sorted(models)}, families are given for {sorted(families)}."
        )
    names = tuple(dict.fromkeys(families[model] for model in models))
    member = np.array([[families[model] == name for name in names] for model in models], float)
    prior = 1.0 / (member @ member.sum(axis=0))
    return _compared(table, prior, member, names, runs, "family", None)


def _compared(
    table: Array,
    prior: Array,
    member: Array,
    names: tuple[str, ...],
    runs: tuple[str, ...],
    noun: str,
    families: RandomEffects | None,
) -> RandomEffects:
    """Compare groups of models; `member` (models, groups) says which belongs to which."""
    free = frequencies(table, prior, np.ones((len(prior), 1)))
    equal = frequencies(table, prior, member)
    risk = float(expit(equal.free_energy - free.free_energy))
    alpha, alpha_0 = free.concentrations @ member, prior @ member
    # What each run says by itself: the frequencies that are learned make all runs look clear.
    alone = assigned(table + np.log(prior / prior.sum())) @ member
    first = exceedance(alpha)
    lower, upper = _interval(alpha)
    status = "" if free.settled and equal.settled else _NOT_SETTLED
    return RandomEffects(
        models=names,
        runs=runs,
        prior=alpha_0,
        concentrations=alpha,
        frequencies=alpha / alpha.sum(),
        lower=lower,
        upper=upper,
        assignments=free.assignments @ member,
        exceedance=first,
        omnibus_risk=risk,
        protected=first * (1.0 - risk) + risk / len(names),
        free_energy=free.free_energy,
        null_free_energy=equal.free_energy,
        noun=noun,
        status=status,
        doubts=_doubts(alpha_0, alone, risk, noun, status),
        families=families,
    )


def _interval(alpha: Array) -> tuple[Array, Array]:
    """Central 95 % interval of each frequency, whose marginal is a beta distribution."""
    if alpha.size == 1:
        return np.ones(1), np.ones(1)
    rest = alpha.sum() - alpha
    return betaincinv(alpha, rest, 0.025), betaincinv(alpha, rest, 0.975)


def _doubts(prior: Array, alone: Array, risk: float, noun: str, status: str) -> tuple[str, ...]:
    """Doubts; `alone` (N, K) are the probabilities by each run's own evidence."""
    found = [status] if status else []
    n, k = alone.shape
    if k == 1:
        return (*found, f"There is only one {noun}.")
    if _unanimous(prior, n) < THRESHOLD:
        fewest = next(m for m in itertools.count(n + 1) if _unanimous(prior, m) >= THRESHOLD)
        found.append(
            f"With {n} runs no {noun} could reach a protected exceedance probability of "
            f"{THRESHOLD}, even if all runs agreed; that takes {fewest}."
        )
    if risk > RISKY:
        found.append(
            f"The frequencies may all be equal (probability {_said(risk)}): differences between "
            "them are then chance."
        )
    unclear = int(np.sum(alone.max(axis=1) < CLEAR))
    if unclear:
        found.append(
            f"{unclear} of {n} runs do not name a {noun} on their own (none has probability "
            f"{CLEAR} with even odds); the intervals of the frequencies are too narrow."
        )
    return tuple(found)


def _unanimous(prior: Array, n: int) -> float:
    """Protected exceedance probability of the first after n runs that are clearly its own."""
    k = prior.size
    alpha = prior + n * (np.arange(k) == 0)
    risk = expit(_log_beta(prior) - _log_beta(alpha) - n * math.log(k))
    return float(exceedance(alpha)[0] * (1.0 - risk) + risk / k)


def _log_beta(alpha: Array) -> float:
    return float(gammaln(alpha).sum() - gammaln(alpha.sum()))


def _said(probability: float) -> str:
    """Write a probability rounded down, so that rounding neither decides nor makes certain."""
    if probability > 0.999:
        return ">0.999"
    return f"{math.floor(1000 * probability) / 1000:.3f}" if probability >= 0.001 else "<0.001"
