"""Compare mechanisms on onsets: which one generated a ladder of runs.

Each hypothesis predicts the median onset of every rung by integrating its own equations at the
rung's conditions. Around it, onsets are gamma-distributed with one free coefficient of
variation, the medians may be off by one clock factor and by a small discrepancy a rung, and
brackets and censored runs enter by their probability (`fitting.ladders.onset_evidence`).
A reference with free rung medians stands beside the mechanisms: when they all
lose to it, none of them is right.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import final

import numpy as np

from fitting.ladders.onset_evidence import RungTables, free_evidence, predicted_evidence, tabulate
from fitting.ladders.onset_law import Rung, onset_quantiles
from fitting.log_sum_exp import log_sum_exp
from theory.curve import Condition, Schedule
from theory.mechanism import NoOnset
from theory.onset import Onset

Predict = Callable[[Mapping[str, Condition]], float]

FREE_MEDIANS = "free medians"
POWER_LAW = "power law"
INTERACTIONS = "power law with interactions"
REFERENCES = (FREE_MEDIANS, POWER_LAW, INTERACTIONS)
"""What knows no mechanism: everyone losing to one of these means that none of them is right."""
KNOWN_CLOCK_SD = 0.1
UNKNOWN_CLOCK_SD = 3.0
DECISIVE = 3.0


@final
@dataclass(frozen=True)
class OnsetHypothesis:
    """A mechanism's claim about onsets.

    Attributes
    ----------
    name : str
    predict : callable
        From a run's conditions to its median onset; `NoOnset` where none is implied.
    clock_sd : float
        Prior standard deviation of the ln of the factor between predicted and actual time:
        `KNOWN_CLOCK_SD` where step sizes are known (it allows for mean field against sampled
        updates), `UNKNOWN_CLOCK_SD` where only ratios of onsets are predicted.
    """

    name: str
    predict: Predict
    clock_sd: float = KNOWN_CLOCK_SD

    def __post_init__(self) -> None:
        if not self.clock_sd > 0:
            raise ValueError(f"clock_sd must be positive; it is {self.clock_sd}.")


@final
@dataclass(frozen=True)
class OnsetScore:
    """How a hypothesis did.

    Attributes
    ----------
    name : str
    log_evidence, log_evidence_se : float or None
        The error is numerical: the change under halved grids. None when not computable.
    weight : float
        Posterior probability among all that could be computed, equal prior.
    medians : tuple of float
        Predicted median a rung; empty for the reference.
    clock, cv : float or None
        Posterior means of the factor on time and of the coefficient of variation.
    held_out : float or None
        ln probability of the rung that was held out, predicted from the others.
    doubts : tuple of str
    failed : bool
        Whether it could not be computed, which says nothing about the mechanism; a mechanism
        that implies no onset where there is one has been computed.
    """

    name: str
    log_evidence: float | None
    log_evidence_se: float | None
    weight: float
    medians: tuple[float, ...]
    clock: float | None
    cv: float | None
    doubts: tuple[str, ...] = ()
    failed: bool = False
    held_out: float | None = None


class OnsetVerdictKind(StrEnum):
    """What can be said about the mechanisms."""

    DECIDED = "decided"
    TIED = "tied"
    INCONCLUSIVE = "inconclusive"
    NONE_OF_THESE = "none of these"


@final
@dataclass(frozen=True)
class OnsetVerdict:
    """The verdict: its kind, the mechanisms it names, and why."""

    kind: OnsetVerdictKind
    mechanisms: tuple[str, ...]
    reason: str


@final
@dataclass(frozen=True)
class OnsetComparison:
    """Mechanisms compared on the onsets of a ladder.

    Attributes
    ----------
    ladder : tuple of str
        Conditions whose values make the rungs.
    rungs : tuple of Rung
    quantiles : tuple
        For each rung the brackets of the 25, 50 and 75 % onset, free of any distribution.
    scores : tuple of OnsetScore
        Best first; the reference is among them.
    verdict : OnsetVerdict
    """

    ladder: tuple[str, ...]
    rungs: tuple[Rung, ...]
    quantiles: tuple[tuple[tuple[float, float], ...], ...]
    scores: tuple[OnsetScore, ...]
    verdict: OnsetVerdict

    def score(self, name: str) -> OnsetScore:
        """Return the score of one hypothesis."""
        return next(score for score in self.scores if score.name == name)


def group_rungs(
    onsets: Sequence[Onset], ladder: Sequence[str], *, fewest: int = 2
) -> tuple[Rung, ...]:
    """Group onsets by the values of the ladder's conditions, sorted.

    Raises
    ------
    ValueError
        If there are fewer than so many rungs, or a run lacks a condition or lets it drift.
    """
    groups: dict[tuple[tuple[str, Condition], ...], list[Onset]] = {}
    for onset in onsets:
        for name in ladder:
            if name not in onset.conditions:
                known = ", ".join(sorted(onset.conditions)) or "none"
                raise ValueError(
                    f"run {onset.run!r} does not carry the condition {name!r}; it carries {known}."
                )
            if isinstance(onset.conditions[name], Schedule):
                raise ValueError(f"{name} of run {onset.run!r} drifts; a rung needs one value.")
        key = tuple((name, onset.conditions[name]) for name in ladder)
        groups.setdefault(key, []).append(onset)
    if len(groups) < fewest:
        raise ValueError(
            f"a ladder over {', '.join(ladder)} needs at least two rungs; there is {len(groups)}."
        )
    ordered = sorted(groups, key=lambda key: [(isinstance(v, str), v) for _, v in key])
    return tuple(Rung(key, tuple(groups[key])) for key in ordered)


def compare_onsets(
    onsets: Sequence[Onset], hypotheses: Sequence[OnsetHypothesis], *, ladder: Sequence[str]
) -> OnsetComparison:
    """Compare mechanisms, and the free-median reference, on the onsets of a ladder.

    Parameters
    ----------
    onsets : sequence of Onset
        One a run, bracketed between checkpoints or right-censored.
    hypotheses : sequence of OnsetHypothesis
        What to compare; the reference is added.
    ladder : sequence of str
        Names of the conditions that make the rungs.

    Raises
    ------
    ValueError
        If no mechanism is given, names repeat, the onsets make no ladder, or the runs of a
        rung differ in what is not on the ladder.
    """
    names = [hypothesis.name for hypothesis in hypotheses]
    if not names or len({*names, FREE_MEDIANS}) != len(names) + 1:
        raise ValueError(
            f"hypotheses need distinct names other than {FREE_MEDIANS!r}; got {names}."
        )
    rungs = group_rungs(onsets, ladder)
    shared = [shared_conditions(rung) for rung in rungs]
    tables = tabulate(rungs)
    free = free_evidence(rungs, tables)
    reference = OnsetScore(FREE_MEDIANS, free.log_evidence, free.se, 0.0, (), None, free.cv)
    scores = [reference, *(_score(h, rungs, shared, tables) for h in hypotheses)]
    scored = weighted(scores)
    quantiles = tuple(onset_quantiles(rung.onsets) for rung in rungs)
    return OnsetComparison(tuple(ladder), rungs, quantiles, scored, judge_onsets(scored))


def judge_onsets(scores: Sequence[OnsetScore]) -> OnsetVerdict:
    """Judge scored mechanisms.

    A mechanism is decided when its log evidence leads every other one, the reference included,
    by `DECISIVE` nats (20 to 1) and by twice the numerical error. Two may tie against the rest.
    """
    usable = [s for s in scores if s.log_evidence is not None and s.name not in REFERENCES]
    free = max(
        (s for s in scores if s.name in REFERENCES and s.log_evidence is not None),
        key=lambda s: s.log_evidence or -math.inf,
    )
    failed = [f"{s.name} could not be computed: {s.doubts[0]}" for s in scores if s.failed]
    if failed:
        return OnsetVerdict(OnsetVerdictKind.INCONCLUSIVE, (), " ".join(failed))
    out = [s.name for s in scores if s.log_evidence is None and s.name not in REFERENCES]
    aside = f" ({', '.join(sorted(out))}: out of the running, see the doubts)" if out else ""
    if not usable:
        reason = "no mechanism can be used at these conditions; the doubts say why."
        return OnsetVerdict(OnsetVerdictKind.INCONCLUSIVE, (), reason)
    usable.sort(key=lambda s: -(s.log_evidence or 0.0))
    best = usable[0]
    if _leads(free, best):
        return OnsetVerdict(
            OnsetVerdictKind.NONE_OF_THESE,
            (),
            f"the reference ({free.name}) leads the best mechanism, {best.name}, by "
            f"{_gap(free, best):.1f} nats{aside}.",
        )
    if not _leads(best, free):
        return OnsetVerdict(
            OnsetVerdictKind.INCONCLUSIVE,
            (),
            f"the best mechanism, {best.name}, and the reference ({free.name}) are "
            f"{abs(_gap(best, free)):.1f} nats apart.",
        )
    close = [s for s in usable if s is best or not _leads(best, s)]
    if len(close) == 1:
        rival = max(
            (s for s in scores if s is not best and s.log_evidence is not None),
            key=lambda s: s.log_evidence or -math.inf,
        )
        return OnsetVerdict(
            OnsetVerdictKind.DECIDED,
            (best.name,),
            f"{best.name} leads the next, {rival.name}, by {_gap(best, rival):.1f} nats{aside}.",
        )
    names = tuple(s.name for s in close)
    kind = OnsetVerdictKind.TIED if len(close) == 2 else OnsetVerdictKind.INCONCLUSIVE
    return OnsetVerdict(kind, names, f"{' and '.join(names)} are within {DECISIVE:g} nats.")


def _gap(first: OnsetScore, second: OnsetScore) -> float:
    return (first.log_evidence or 0.0) - (second.log_evidence or 0.0)


def _leads(first: OnsetScore, second: OnsetScore) -> bool:
    error = math.hypot(first.log_evidence_se or 0.0, second.log_evidence_se or 0.0)
    return _gap(first, second) > max(DECISIVE, 2 * error)


def weighted(scores: Sequence[OnsetScore]) -> tuple[OnsetScore, ...]:
    """Fill in posterior probabilities and sort, best first."""
    logs = np.array([-np.inf if s.log_evidence is None else s.log_evidence for s in scores])
    weights = np.exp(logs - log_sum_exp(logs))
    order = np.argsort(-logs, kind="stable")
    return tuple(replace(scores[i], weight=float(weights[i])) for i in order)


def _score(
    hypothesis: OnsetHypothesis,
    rungs: Sequence[Rung],
    shared: Sequence[Mapping[str, Condition]],
    tables: RungTables,
) -> OnsetScore:
    """Score a mechanism; one that implies no onset here is reported with the reason."""
    name = hypothesis.name
    try:
        medians = tuple(float(hypothesis.predict(conditions)) for conditions in shared)
    except NoOnset as none:
        return OnsetScore(name, None, None, 0.0, (), None, None, (str(none),))
    except ValueError as error:
        return OnsetScore(name, None, None, 0.0, (), None, None, (str(error),), failed=True)
    if not all(median > 0 for median in medians):
        doubt = f"predicted medians must be positive; they are {medians}."
        return OnsetScore(name, None, None, 0.0, medians, None, None, (doubt,), failed=True)
    for rung, median in zip(rungs, medians, strict=True):
        happened = len(rung.onsets) - rung.n_censored
        if math.isinf(median) and happened:
            at = ", ".join(f"{key} = {value}" for key, value in rung.conditions)
            doubt = f"{name} implies no onset at {at}, where {happened} runs have one."
            return OnsetScore(name, None, None, 0.0, medians, None, None, (doubt,))
    found = predicted_evidence(np.log(np.minimum(medians, 1e300)), hypothesis.clock_sd, tables)
    doubts = (f"numerical error of {found.se:.2g} nats",) if found.se > DECISIVE / 2 else ()
    return OnsetScore(
        name, found.log_evidence, found.se, 0.0, medians, found.clock, found.cv, doubts
    )


def shared_conditions(rung: Rung) -> Mapping[str, Condition]:
    """Return what the runs of a rung have in common, and refuse a rung that mixes settings."""
    first = dict(rung.onsets[0].conditions)
    for onset in rung.onsets[1:]:
        for name in sorted({*first, *onset.conditions} - {"seed"}):
            if onset.conditions.get(name) != first.get(name):
                at = ", ".join(f"{key} = {value}" for key, value in rung.conditions)
                raise ValueError(f"runs at {at} differ in {name}; add {name} to the ladder.")
    return first
