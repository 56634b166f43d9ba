"""Which mechanism generated a ladder of runs: evidence, references, and a rung foretold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from fitting.fit import FitStatus
from fitting.ladders.evidence import LadderPosterior, ladder_evidence
from fitting.ladders.hypothesis import SPREAD, LadderHypothesis, of_mechanism
from fitting.ladders.next_rung import NextRung, menu, next_rungs
from fitting.ladders.onset_evidence import free_evidence, tabulate
from fitting.ladders.onset_law import Rung, onset_quantiles
from fitting.ladders.onsets import (
    DECISIVE,
    FREE_MEDIANS,
    OnsetComparison,
    OnsetScore,
    group_rungs,
    judge_onsets,
    shared_conditions,
    weighted,
)
from fitting.ladders.regression import power_law, varying
from fitting.ladders.signatures import Signature, signatures
from theory.curve import Condition
from theory.ladder import Value
from theory.mechanism import Mechanism, NoOnset
from theory.onset import Onset

FEW_RUNS = 5


@final
@dataclass(frozen=True)
class MechanismTest:
    """Mechanisms tested on a ladder of runs.

    Attributes
    ----------
    comparison : OnsetComparison
        On all rungs; each score carries the log probability of the rung held out, if any.
    held_out : Value or None
        The value of the first condition whose runs were predicted from the others.
    posteriors : tuple of LadderPosterior
        What the ladder says of each hypothesis that could be computed.
    notes : tuple of str
        What the design leaves open.
    next_rungs : tuple of NextRung
        Rungs that would separate the mechanisms that are left, most informative first.
    signatures : tuple of Signature
        Exponents and scatter, seen and foretold.
    """

    comparison: OnsetComparison
    held_out: Value | None
    posteriors: tuple[LadderPosterior, ...]
    notes: tuple[str, ...]
    next_rungs: tuple[NextRung, ...]
    signatures: tuple[Signature, ...]


def compare_mechanisms(
    onsets: Sequence[Onset],
    mechanisms: Sequence[Mechanism],
    *,
    ladder: Sequence[str],
    seed: int = 0,
    hold_out: Value | None = None,
    known_steps: bool = True,
    look_ahead: bool = True,
) -> MechanismTest:
    """Compare mechanisms by the exact laws of the onset that they imply.

    Parameters
    ----------
    onsets : sequence of Onset
        One a run; runs that ended without one are censored.
    mechanisms : sequence of Mechanism
    ladder : sequence of str
        Conditions whose values make the rungs, the most interesting first.
    seed : int
    hold_out : value, optional
        A value of the first condition: the runs there are predicted from the others, and each
        score says how well. They count in the evidence all the same.
    known_steps : bool
        Whether step sizes are what the conditions say.
    look_ahead : bool
        Whether to ask which further rung would tell most, and to set exponents and scatter beside
        what each hypothesis foretells.

    Raises
    ------
    ValueError
        If no mechanism is given, names repeat, no run has the value held out, or the runs of a
        rung differ in what is not on the ladder.
    """
    names = [mechanism.name for mechanism in mechanisms]
    if not names or len(set(names)) != len(names):
        raise ValueError(f"mechanisms need distinct names; got {', '.join(names) or 'none'}.")
    rungs = group_rungs(onsets, ladder, fewest=1)
    kept = _without(rungs, ladder[0], hold_out)
    shared = [shared_conditions(rung) for rung in rungs]
    scores = [_free(rungs, kept)]
    posteriors: list[LadderPosterior] = []
    hypotheses: list[LadderHypothesis] = _regressions(ladder, rungs)
    for mechanism in mechanisms:
        try:
            hypotheses.append(of_mechanism(mechanism, shared, known_steps=known_steps))
        except (NoOnset, ValueError) as error:
            none = OnsetScore(mechanism.name, None, None, 0.0, (), None, None, (str(error),))
            scores.append(none)
    for hypothesis in hypotheses:
        # Its own stream: what is said of one does not depend on who stands beside it.
        rng = np.random.default_rng([seed, *hypothesis.name.encode()])
        posterior, score = _tried(hypothesis, rungs, kept, rng)
        posteriors.append(posterior)
        scores.append(score)
    comparison = OnsetComparison(
        tuple(ladder),
        rungs,
        tuple(onset_quantiles(rung.onsets) for rung in rungs),
        scored := weighted(scores),
        judge_onsets(scored),
    )
    found = MechanismTest(
        comparison, hold_out, tuple(posteriors), _notes(rungs, ladder), next_rungs=(), signatures=()
    )
    if not look_ahead:
        return found
    usable = {p.hypothesis.name: p for p in posteriors if np.isfinite(p.log_evidence)}
    rng = np.random.default_rng([seed, len(names) + 2])
    return replace(
        found,
        next_rungs=_next(mechanisms, usable, rungs, shared, ladder[0], known_steps, seed),
        signatures=signatures(rungs, ladder[0], tuple(usable.values()), rng=rng),
    )


def _regressions(ladder: Sequence[str], rungs: Sequence[Rung]) -> list[LadderHypothesis]:
    """Return the regressions that know no mechanism; interactions only where some could show."""
    acting = varying(ladder, rungs)
    found = [power_law(acting, rungs)]
    if len(acting) > 1 and len(rungs) > 1 + len(acting):
        found.append(power_law(acting, rungs, interactions=True))
    return found


def _next(
    mechanisms: Sequence[Mechanism],
    posteriors: Mapping[str, LadderPosterior],
    rungs: Sequence[Rung],
    shared: Sequence[Mapping[str, Condition]],
    condition: str,
    known_steps: bool,
    seed: int,
) -> tuple[NextRung, ...]:
    """Return further rungs of the first condition; of what is no number there are none."""
    values = [dict(rung.conditions)[condition] for rung in rungs]
    numbers = [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) < len(values):
        return ()
    left = [m for m in mechanisms if m.name in posteriors]
    return next_rungs(
        left,
        [posteriors[m.name] for m in left],
        shared[0],
        condition,
        menu(numbers),
        n_runs=max(len(rung.onsets) for rung in rungs),
        known_steps=known_steps,
        rng=np.random.default_rng([seed, len(mechanisms) + 1]),
    )


def _without(rungs: Sequence[Rung], condition: str, value: Value | None) -> tuple[Rung, ...]:
    """Return the rungs that are not held out."""
    if value is None:
        return tuple(rungs)
    kept = tuple(rung for rung in rungs if dict(rung.conditions)[condition] != value)
    if not 0 < len(kept) < len(rungs):
        values = ", ".join(sorted({str(dict(rung.conditions)[condition]) for rung in rungs}))
        raise ValueError(
            f"no rung, or every one, has {condition} = {value}; choose one from {values}."
        )
    return kept


def _on(
    hypothesis: LadderHypothesis, rungs: Sequence[Rung], kept: Sequence[Rung]
) -> LadderHypothesis:
    """Return the hypothesis on some of the rungs."""
    places = [rungs.index(rung) for rung in kept]
    return replace(hypothesis, laws=tuple(hypothesis.laws[i] for i in places))


def _free(rungs: Sequence[Rung], kept: Sequence[Rung]) -> OnsetScore:
    """Score free medians; what they foretell of a rung is their prior."""
    tables = tabulate(rungs)
    free = free_evidence(rungs, tables)
    score = OnsetScore(FREE_MEDIANS, free.log_evidence, free.se, 0.0, (), None, free.cv)
    if len(kept) == len(rungs):
        return score
    places = [rungs.index(rung) for rung in kept]
    fewer = replace(tables, values=tuple(tables.values[i] for i in places))
    return replace(score, held_out=free.log_evidence - free_evidence(rungs, fewer).log_evidence)


def _tried(
    hypothesis: LadderHypothesis,
    rungs: Sequence[Rung],
    kept: Sequence[Rung],
    rng: np.random.Generator,
) -> tuple[LadderPosterior, OnsetScore]:
    """Return what all rungs say of a hypothesis, and its score."""
    posterior = ladder_evidence(hypothesis, rungs, rng=rng)
    before = None
    if len(kept) < len(rungs):
        before = ladder_evidence(_on(hypothesis, rungs, kept), kept, rng=rng)
    return posterior, _score(posterior, before)


def _score(posterior: LadderPosterior, before: LadderPosterior | None) -> OnsetScore:
    """Turn a posterior into a score; a law that excludes the runs is a reason, not a failure."""
    hypothesis = posterior.hypothesis
    if posterior.status is FitStatus.NO_SUPPORT:
        doubt = f"{hypothesis.name} implies no onsets like these at any value of its unknowns."
        return OnsetScore(hypothesis.name, None, None, 0.0, (), None, None, (doubt,))
    doubts = [] if posterior.status is FitStatus.OK else [str(posterior.status)]
    held_out = None
    if before is not None and before.status is not FitStatus.NO_SUPPORT:
        held_out = posterior.log_evidence - before.log_evidence
    return OnsetScore(
        hypothesis.name,
        posterior.log_evidence,
        posterior.log_evidence_se,
        0.0,
        posterior.medians,
        None,
        posterior.mean(SPREAD) if SPREAD in posterior.draws else None,
        tuple(doubts),
        failed=posterior.status is not FitStatus.OK and posterior.log_evidence_se > DECISIVE / 2,
        held_out=held_out,
    )


def _notes(rungs: Sequence[Rung], ladder: Sequence[str]) -> tuple[str, ...]:
    """Say what the design leaves open."""
    found = []
    if len(rungs) == 1:
        found.append(
            f"all runs share one setting of {', '.join(ladder)}: how onsets depend on conditions "
            "cannot be used; only their distribution over seeds speaks."
        )
    few = [rung for rung in rungs if len(rung.onsets) < FEW_RUNS]
    if few:
        found.append(
            f"{len(few)} of {len(rungs)} rungs have fewer than {FEW_RUNS} runs: the distribution "
            "over seeds says little there."
        )
    silent = [rung for rung in rungs if rung.n_censored == len(rung.onsets)]
    if silent:
        at = "; ".join(_at(rung.conditions) for rung in silent)
        found.append(f"no run reached its onset at {at}: those rungs bound it from below alone.")
    return tuple(found)


def _at(conditions: Sequence[tuple[str, Condition]]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in conditions)
