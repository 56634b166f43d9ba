"""What a hypothesis says of a ladder: the law of the onset at every rung, given a few unknowns."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from scipy.interpolate import CubicSpline

from fitting.ladders.onset_evidence import CV_RANGE
from theory.curve import Condition, FloatArray
from theory.mechanism import Mechanism, NoOnset, OnsetLaw
from theory.onset_laws import Tails, gamma
from theory.prior import LogNormal, LogUniform, Prior

Draws = Mapping[str, FloatArray]
"""Every unknown by name, (N, 1)."""
Law = Callable[[FloatArray, Draws], Tails]
"""From ln t (N, M) and draws of the unknowns to ln of P(onset <= t) and P(onset > t)."""
Medians = Callable[[Draws], FloatArray]
"""From draws of the unknowns to ln of the median onset, (N, 1)."""

SPREAD = "spread"
UNKNOWN_STEP_SD = 3.0
STEP_NODES = 17
LOG_TIMES, HALVINGS = (-30.0, 60.0), 60


@final
@dataclass(frozen=True)
class LadderHypothesis:
    """A law of onsets at every rung, with what is unknown about it.

    Attributes
    ----------
    name : str
    unknowns : mapping of str to Prior
        Shared by all rungs.
    laws : tuple of callables
        One a rung.
    """

    name: str
    unknowns: Mapping[str, Prior]
    laws: tuple[Law, ...]


def of_mechanism(
    mechanism: Mechanism, shared: Sequence[Mapping[str, Condition]], *, known_steps: bool = True
) -> LadderHypothesis:
    """Return what a mechanism says of rungs under the given conditions.

    Its own law of the onset where it has one, at the actual conditions; otherwise gamma onsets
    about the mean field's, with a free coefficient of variation.

    Parameters
    ----------
    mechanism : Mechanism
    shared : sequence of mappings
        What the runs of each rung have in common.
    known_steps : bool
        Whether the sizes of steps are what the conditions say, up to the prior of the
        mechanism's first parameter; else it is free within orders of magnitude.

    Raises
    ------
    NoOnset
        If a guard says that there is none at some rung.
    ValueError
        If a condition is missing or out of bounds.
    """
    unknowns: dict[str, Prior] = {
        q.name: LogNormal(math.log(q.suggested), q.log_sd) for q in mechanism.parameters if q.log_sd
    }
    if not known_steps and unknowns:
        first = next(q for q in mechanism.parameters if q.log_sd)
        unknowns[first.name] = LogNormal(math.log(first.suggested), UNKNOWN_STEP_SD)
    laws: list[Law] = []
    for conditions in shared:
        broken = mechanism.broken(conditions)
        if broken:
            raise NoOnset(f"{mechanism.name} implies no onset here: {' '.join(broken)}")
        values = mechanism.values(conditions)
        if mechanism.onset_law is None:
            laws.append(_gamma_about(_mean_field(mechanism, values, unknowns)))
        else:
            laws.append(_own_law(mechanism.onset_law, values))
    if mechanism.onset_law is None:
        unknowns[SPREAD] = LogUniform(*CV_RANGE)
    return LadderHypothesis(mechanism.name, unknowns, tuple(laws))


def _own_law(onset_law: OnsetLaw, values: Mapping[str, Any]) -> Law:
    def law(log_t: FloatArray, draws: Draws) -> Tails:
        given = {
            name: draws.get(name, np.full((len(log_t), 1), value)) for name, value in values.items()
        }
        return onset_law(log_t, given)

    return law


def _gamma_about(median: Medians) -> Law:
    return lambda log_t, draws: gamma(log_t, median(draws), draws[SPREAD])


def _mean_field(
    mechanism: Mechanism, values: Mapping[str, Any], unknowns: Mapping[str, Prior]
) -> Medians:
    """Return ln of the mean-field onset as a function of the unknowns.

    Of one unknown it is a spline through integrations over all that its prior allows.
    """
    names = [name for name in unknowns if name != SPREAD]

    def integrated(draws: Draws) -> FloatArray:
        given = {**values, **{name: draws[name][:, 0] for name in names}}
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(mechanism.onsets(given)))[:, None]

    if len(names) != 1:
        return integrated
    [name] = names
    nodes = np.linspace(-6, 6, STEP_NODES)
    at = unknowns[name].transport(nodes)
    logs = integrated({name: at[:, None]})[:, 0]
    if not np.all(np.isfinite(logs)):
        return integrated
    spline = CubicSpline(np.log(at), logs)
    return lambda draws: np.asarray(spline(np.log(draws[name])))


def log_quantiles(law: Law, at: Draws, log_chance: FloatArray) -> FloatArray:
    """Return ln t where a law reaches each chance, (N, n), by bisection.

    Parameters
    ----------
    law : callable
    at : mapping of str to (N, 1) array
        Draws of the unknowns.
    log_chance : (n,) array

    Returns
    -------
    (N, n) array
        Infinite where a chance is not reached by e^60.
    """
    size = max((len(draws) for draws in at.values()), default=1), log_chance.size
    low, high = (np.full(size, bound) for bound in LOG_TIMES)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        reached = law(middle, at)[0] >= log_chance
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    return np.where(high < LOG_TIMES[1], high, np.inf)


def law_median(law: Law, at: Draws) -> float:
    """Return the median of a law at one draw of the unknowns; infinite where it has none."""
    return float(np.exp(log_quantiles(law, at, np.log([0.5])))[0, 0])
