"""How fast one run rises against the mean over runs: at its own time, or spread over seeds.

A run that rises in a small part of the time in which the mean rises waited for something; where
all rise together, the mean shows the rise itself. For display, as `fitting.ladders.signatures`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from fitting.ladders.evidence import LadderPosterior
from fitting.ladders.hypothesis import Law, log_quantiles
from fitting.ladders.onset_law import Rung
from fitting.ladders.onsets import shared_conditions
from fitting.ladders.signatures import LEAST_RUNS, Interval, Signature, interval
from theory.curve import Condition, Curve, FloatArray
from theory.mean_field import along
from theory.mechanism import Mechanism

QUANTITY = "rise of a run over the rise of the mean over runs"
RESAMPLES, RUNS, GRID = 200, 200, 4000
NOISY = 0.02
LATEST = 0.995


def width_ratios(
    curves: Sequence[Curve],
    rungs: Sequence[Rung],
    level: float,
    mechanisms: Sequence[Mechanism],
    posteriors: Sequence[LadderPosterior],
    *,
    rng: np.random.Generator,
) -> tuple[Signature, ...]:
    """Return, for every rung, the median rise of its runs over the rise of their mean.

    A rise goes from a fifth of the level to as much from 1 as a fifth of what is left above it:
    from 0.1 to 0.9 at a level of one half.

    Parameters
    ----------
    curves : sequence of Curve
        Of one observable between 0 and 1, one a run.
    rungs : sequence of Rung
        Onsets of these runs, which they name.
    level : float
        What dates an onset.
    mechanisms, posteriors
        What foretells: at the mean of its unknowns, and therefore without an interval, from runs
        that a mechanism samples exactly, or from its mean field, moved by its law of the onset.
    rng : numpy.random.Generator
    """
    own = {curve.run: curve for curve in curves}
    laws = {p.hypothesis.name: p for p in posteriors}
    found = []
    for i, rung in enumerate(rungs):
        if len(own) == len(curves):
            seen, why_not = _seen([own[onset.run] for onset in rung.onsets], level, rng)
        else:
            seen, why_not = None, "runs share labels, so that curves and onsets cannot be matched"
        foretold = {
            m.name: _foretold(m, laws[m.name], i, shared_conditions(rung), rng)
            for m in mechanisms
            if m.name in laws
        }
        found.append(Signature(QUANTITY, rung.conditions, seen, why_not, foretold))
    return tuple(found)


def ends(level: float) -> tuple[float, float]:
    """Return where a rise begins and ends."""
    return level / 5, 1 - (1 - level) / 5


def rise(t: FloatArray, y: FloatArray, level: float) -> float:
    """Return how long a curve takes from one end to the other; infinite if it ends before."""
    times = []
    for end in ends(level):
        above = np.flatnonzero(y >= end)
        if not above.size:
            return math.inf
        k = int(above[0])
        if k == 0:
            times.append(float(t[0]))
            continue
        share = (end - y[k - 1]) / (y[k] - y[k - 1])
        times.append(float(t[k - 1] + share * (t[k] - t[k - 1])))
    return times[1] - times[0]


def _seen(
    curves: Sequence[Curve], level: float, rng: np.random.Generator
) -> tuple[Interval | None, str]:
    """Return the ratio and its interval over resampled runs, or why it is unknown."""
    if len(curves) < LEAST_RUNS:
        return None, f"fewer than {LEAST_RUNS} runs"
    if max(float(np.median(np.abs(np.diff(c.y)))) / 0.954 for c in curves) > NOISY:
        return None, "the curves are too noisy for a rise to be read off one"
    t = np.unique(np.concatenate([curve.t for curve in curves]))
    t = t[t <= min(curve.t[-1] for curve in curves)]
    y = np.array([np.interp(t, curve.t, curve.y) for curve in curves])
    single = np.array([rise(curve.t, curve.y, level) for curve in curves])
    ratios = np.empty(RESAMPLES)
    for b in range(RESAMPLES):
        which = rng.integers(len(y), size=len(y))
        whole = rise(t, y[which].mean(axis=0), level)
        ratios[b] = np.median(single[which]) / whole if math.isfinite(whole) else math.nan
    found = interval(ratios)
    if math.isfinite(found.value):
        return found, ""
    return None, "too many runs ended before they had risen"


def _foretold(
    mechanism: Mechanism,
    posterior: LadderPosterior,
    place: int,
    given: Mapping[str, Condition],
    rng: np.random.Generator,
) -> Interval:
    """Return what a mechanism says of one rung; not a number where its mean never rises so far."""
    means = {name: posterior.mean(name) for name in posterior.draws}
    conditions = {**given, **{q.name: means[q.name] for q in mechanism.parameters
                              if q.name in means}}  # fmt: skip
    at = {name: np.array([[value]]) for name, value in means.items()}
    value = _ratio(mechanism, posterior.hypothesis.laws[place], at, conditions, rng)
    return Interval(value, value, value)


def _ratio(
    mechanism: Mechanism,
    law: Law,
    at: Mapping[str, FloatArray],
    given: Mapping[str, Condition],
    rng: np.random.Generator,
) -> float:
    chances = np.append((np.arange(RUNS) + 0.5) / RUNS, LATEST)
    *onsets, latest = np.exp(log_quantiles(law, at, np.log(chances))[0])
    if not (math.isfinite(latest) and 0 < mechanism.onset_level < 1):
        return math.nan
    t = np.linspace(0.0, 3 * latest, GRID)
    if mechanism.sampler is None:
        single, mean = _moved(mechanism, given, t, onsets)
    else:
        t = np.unique(np.rint(t))
        single, mean = _sampled(mechanism, given, t, rng)
    whole = rise(t, mean, mechanism.onset_level)
    return single / whole if math.isfinite(whole) and whole > 0 else math.nan


def _moved(
    mechanism: Mechanism, given: Mapping[str, Condition], t: FloatArray, onsets: Sequence[float]
) -> tuple[float, FloatArray]:
    """Return the rise of the mean field, and the mean (n,) of its curve moved to each onset."""
    own = mechanism.onset(given)
    fine = np.union1d(t, own * np.linspace(0.0, 3.0, GRID))
    states, _ = mechanism.integrate(given, fine)
    values = along(mechanism.values(given), fine)
    y = mechanism.observe(mechanism.onset_observable, states, values)
    mean = np.mean([np.interp(t - onset + own, fine, y) for onset in onsets], axis=0)
    return rise(fine, y, mechanism.onset_level), mean


def _sampled(
    mechanism: Mechanism, given: Mapping[str, Condition], t: FloatArray, rng: np.random.Generator
) -> tuple[float, FloatArray]:
    """Return the median rise of runs that are drawn exactly, and their mean (n,)."""
    assert mechanism.sampler is not None
    values = mechanism.values(given)
    states = mechanism.sampler(values, t, rng=rng, n_runs=RUNS)
    y = mechanism.observe(mechanism.onset_observable, states, along(values, t))
    single = [rise(t, run, mechanism.onset_level) for run in y]
    return float(np.median(single)), y.mean(axis=0)
