"""How frequent each shape, and each form, is among runs: comparisons of single runs taken together.

The log evidence of a family on a run is ln P(F | y) - ln P(F) up to a constant of the run, with the
probabilities of `fitting.families`, which do not depend on how many near-duplicate forms compete.
That of a form is its evidence, averaged over the noises, which are alternatives of equal prior
probability. Both go to `fitting.runs.random_effects`.

A run of which nothing may be concluded says nothing about frequencies: it is left out and named. A
run whose verdict is tied or inconclusive only because its probabilities are even counts by them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from fitting.comparison import Comparison
from fitting.log_sum_exp import log_sum_exp
from fitting.runs.random_effects import RandomEffects, random_effects
from fitting.runs.run_names import run_names
from fitting.verdict import THRESHOLD, VerdictKind
from theory.curve import Curve
from theory.family import Family

FEWEST_RUNS = 2
NO_FORMS = "Forms are not compared: fewer than two have an evidence on every run that counts."


@final
@dataclass(frozen=True, eq=False)
class OverRuns:
    """What comparisons of two or more runs of one observable say together.

    Attributes
    ----------
    runs
        Names of the runs that count.
    undecided
        Those of them whose own verdict is not decided.
    left_out
        Pairs (run, reason): runs of which nothing may be concluded.
    families, forms
        Frequencies of shapes and of forms; None where `reason` says why, and of forms also where
        fewer than two have an evidence on every run, which a doubt says.
    reason
        Why there are no frequencies; empty if there are.
    doubts
        Sentences about the runs; those about frequencies stand with them.
    """

    runs: tuple[str, ...]
    undecided: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    families: RandomEffects | None
    forms: RandomEffects | None
    reason: str
    doubts: tuple[str, ...]


def over_runs(comparisons: Sequence[Comparison]) -> OverRuns:
    """Estimate how frequent shapes and forms are among the runs that these stand for.

    Parameters
    ----------
    comparisons
        Of two or more runs of one observable.

    Raises
    ------
    ValueError
        If there are fewer than two, or they differ in observable, unit or progress.
    """
    if len(comparisons) < FEWEST_RUNS:
        raise ValueError(
            f"frequencies among runs need at least {FEWEST_RUNS} runs; got {len(comparisons)}."
        )
    names = run_names([comparison.curve for comparison in comparisons])
    named = dict(zip(names, comparisons, strict=True))
    counted = {name: one for name, one in named.items() if _concludes(one)}
    left_out = {name: one.verdict.reason for name, one in named.items() if name not in counted}
    undecided = [n for n, one in counted.items() if one.verdict.kind is not VerdictKind.DECIDED]
    enough = len(counted) >= FEWEST_RUNS
    families, forms = (_families(counted), _forms(counted)) if enough else (None, None)
    reason = (
        f"Of {len(counted)} of {len(named)} runs something may be concluded; frequencies among "
        f"runs need at least {FEWEST_RUNS}."
    )
    no_forms = (NO_FORMS,) if enough and forms is None else ()
    return OverRuns(
        runs=tuple(counted),
        undecided=tuple(undecided),
        left_out=tuple(left_out.items()),
        families=families,
        forms=forms,
        reason="" if enough else reason,
        doubts=(*_doubts(named, undecided, list(left_out)), *no_forms),
    )


def _concludes(comparison: Comparison) -> bool:
    """Whether the probabilities mean what they say."""
    return bool(comparison.family_probabilities) and comparison.verdict.lowest is not None


def _families(counted: Mapping[str, Comparison]) -> RandomEffects:
    """Compare the families; decided only if it stays so under narrower and wider priors."""
    found = _effects(counted, [one.family_probabilities for one in counted.values()])
    scales = set.intersection(*(set(one.sensitivity) for one in counted.values()))
    for scale in sorted(scales):
        other = _effects(counted, [one.sensitivity[scale] for one in counted.values()])
        if _decided_on(found) and _decided_on(other) != _decided_on(found):
            status = (
                f"The lead of {found.leaders[0]} among the runs depends on the width of the priors "
                "(half to twice as wide)."
            )
            return replace(found, status=status, doubts=(status, *found.doubts))
    return found


def _decided_on(effects: RandomEffects) -> str:
    """Return the family that leads beyond the threshold; empty if none does."""
    return effects.leaders[0] if effects.protected.max() >= THRESHOLD else ""


def _effects(
    counted: Mapping[str, Comparison], probabilities: Sequence[Mapping[Family, float]]
) -> RandomEffects:
    """Compare families that are in the running on some run, by their probabilities on each."""
    priors = [one.family_prior for one in counted.values()]
    # Priors of another width can bring a family into the running.
    families = [f for f in Family if any(p[f] > 0.0 for p in (*priors, *probabilities))]
    # A shape that no posterior draw has counts as impossible: it has less than about 0.3 %.
    table = [
        [_log_odds(p[family], prior[family] or max(prior.values())) for family in families]
        for p, prior in zip(probabilities, priors, strict=True)
    ]
    return random_effects(table, list(map(str, families)), runs=list(counted), noun="shape")


def _log_odds(probability: float, prior: float) -> float:
    return math.log(probability / prior) if probability > 0.0 else -math.inf


def _forms(counted: Mapping[str, Comparison]) -> RandomEffects | None:
    """Compare the forms that have an evidence on every run; None if there are fewer than two."""
    evidences = [_evidences(one) for one in counted.values()]
    every = list(dict.fromkeys(form for one in evidences for form in one))
    shared = [form for form in every if all(form in one for one in evidences)]
    if len(shared) < 2:
        return None
    table = [[one[form] for form in shared] for one in evidences]
    found = random_effects(table, shared, runs=list(counted), noun="form")
    missing = [form for form in every if form not in shared]
    if not missing:
        return found
    doubt = f"Without an evidence on every run, and hence not compared: {', '.join(missing)}."
    return replace(found, doubts=(*found.doubts, doubt))


def _evidences(comparison: Comparison) -> dict[str, float]:
    """Log evidence of each form: the mean over its noises that have one."""
    logs: dict[str, list[float]] = {}
    for score in comparison.scores:
        if score.log_evidence is not None and math.isfinite(score.log_evidence):
            logs.setdefault(score.form, []).append(score.log_evidence)
    return {
        form: float(log_sum_exp(np.array(values), axis=0)) - math.log(len(values))
        for form, values in logs.items()
    }


def _doubts(
    named: Mapping[str, Comparison], undecided: Sequence[str], left_out: Sequence[str]
) -> tuple[str, ...]:
    found, number = [], len(named)
    if left_out:
        found.append(
            f"Left out, as nothing may be concluded of them: {len(left_out)} of {number} runs "
            f"({', '.join(left_out)}). What is said holds for all runs only if these are like the "
            "others."
        )
    if undecided:
        found.append(
            f"Without a decided shape of their own: {len(undecided)} of {number} runs "
            f"({', '.join(undecided)}); they count by their probabilities."
        )
    if differ := _differing([one.curve for one in named.values()]):
        found.append(
            f"The runs differ in {', '.join(differ)}: frequencies are those of this mix of runs."
        )
    return tuple(found)


def _differing(curves: Sequence[Curve]) -> list[str]:
    """Names of the conditions, other than the seed, in which runs differ."""
    first, *others = (curve.conditions for curve in curves)
    names = {name for one in (first, *others) for name in one} - {"seed"}
    return sorted(n for n in names if any(one.get(n) != first.get(n) for one in others))
