"""The first half of the study: cue-competition agents, and which mechanism timed their flips.

Agents learn by three update rules on a ladder of conflict probability × proxy salience. Each
arm's rule is known, so that the verdict drawn from its flip times can be checked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import final

import numpy as np

from empirics.cue_competition import (
    OBSERVABLES,
    CueCell,
    CueRun,
    UpdateRule,
    train_cue_agents,
)
from fitting.ladders.onsets import (
    UNKNOWN_CLOCK_SD,
    OnsetComparison,
    OnsetHypothesis,
    OnsetVerdictKind,
    Predict,
    compare_onsets,
)
from theory.curve import Condition, Curve, FloatArray, Origin
from theory.mechanism import Mechanism
from theory.mechanisms.cue_competition import CUE_COMPETITION

LADDER = ("alpha", "salience_ratio")
ALPHAS = (0.08, 0.04, 0.02, 0.01)
RATIOS = (1.2, 2.0)
LEARNING_RATES: Mapping[UpdateRule, float] = MappingProxyType(
    {
        UpdateRule.DELTA_RULE: 0.01,
        UpdateRule.POLICY_GRADIENT: 0.25,
        UpdateRule.NORMALIZED_CRITIC: 0.05,
    }
)
UPDATES = 6000


@final
@dataclass(frozen=True)
class CueRow:
    """One cell of an arm: flip times as observed and as each mechanism predicts them.

    Attributes
    ----------
    alpha, salience_ratio : float
    n_runs, n_censored : int
        Runs, and how many of them had not flipped when they ended.
    quartiles : tuple of (lower, upper)
        Brackets of the 25, 50 and 75 % flip time; upper is None beyond the end of the runs.
    predicted : mapping of str to float or None
        Median flip by mechanism; None where it implies none.
    """

    alpha: float
    salience_ratio: float
    n_runs: int
    n_censored: int
    quartiles: tuple[tuple[float, float | None], ...]
    predicted: Mapping[str, float | None]


@final
@dataclass(frozen=True)
class CueArm:
    """The runs of one update rule, and what their flip times say.

    Attributes
    ----------
    update_rule, truth : str
        The rule, and the mechanism that describes it.
    comparison : OnsetComparison
        With the step size known.
    clock_free : OnsetComparison
        With an unknown factor on time: only ratios of flip times count.
    rows : tuple of CueRow
    runs : tuple of CueRun
    predicted : tuple of Curve
        Mean-field curves of the true mechanism, one a cell and observable.
    """

    update_rule: str
    truth: str
    comparison: OnsetComparison
    clock_free: OnsetComparison
    rows: tuple[CueRow, ...]
    runs: tuple[CueRun, ...]
    predicted: tuple[Curve, ...]

    @property
    def outcome(self) -> str:
        """``"right"``, ``"wrong"`` or ``"undecided"``: the verdict against the truth."""
        return outcome(self.comparison, self.truth)

    @property
    def n_censored(self) -> int:
        """Number of runs that had not flipped when they ended."""
        return sum(row.n_censored for row in self.rows)


@final
@dataclass(frozen=True)
class CueHalf:
    """The result of the first half of the study.

    Attributes
    ----------
    arms : tuple of CueArm
    settings : mapping
        What was run: seeds, ladder, length, step sizes.
    """

    arms: tuple[CueArm, ...]
    settings: Mapping[str, object]


def outcome(comparison: OnsetComparison, truth: str) -> str:
    """Return whether a verdict is right, wrong, or undecided, given the true mechanism.

    A tie that names the truth and "inconclusive" are undecided; "none of these" is wrong.
    """
    verdict = comparison.verdict
    if verdict.kind is OnsetVerdictKind.DECIDED:
        return "right" if verdict.mechanisms == (truth,) else "wrong"
    if verdict.kind is OnsetVerdictKind.NONE_OF_THESE:
        return "wrong"
    tied_without = verdict.kind is OnsetVerdictKind.TIED and truth not in verdict.mechanisms
    return "wrong" if tied_without else "undecided"


def run_cue_half(
    *,
    seed: int,
    n_seeds: int = 8,
    alphas: Sequence[float] = ALPHAS,
    ratios: Sequence[float] = RATIOS,
    updates: int = UPDATES,
    batch_size: int = 64,
) -> CueHalf:
    """Train all arms and ask, of each, which mechanism timed its flips.

    Parameters
    ----------
    seed : int
        Fixes everything.
    n_seeds : int
        Runs a cell.
    alphas, ratios : sequences of float
        The ladder.
    updates, batch_size : int
        Length of a run and levels an update.
    """
    seeds = [int(word) for word in np.random.SeedSequence(seed).generate_state(n_seeds)]
    arms = []
    for rule, rate in LEARNING_RATES.items():
        cells = [CueCell(a, r, rule, rate, batch_size) for r in ratios for a in alphas]
        arms.append(analyze_arm(train_cue_agents(cells, seeds, updates=updates)))
    settings = {
        "seed": seed,
        "seeds": tuple(seeds),
        "alphas": tuple(alphas),
        "salience_ratios": tuple(ratios),
        "updates": updates,
        "batch_size": batch_size,
        "learning_rates": {str(rule): rate for rule, rate in LEARNING_RATES.items()},
    }
    return CueHalf(tuple(arms), MappingProxyType(settings))


def analyze_arm(runs: Sequence[CueRun]) -> CueArm:
    """Compare the mechanisms on the runs of one update rule."""
    rule = runs[0].cell.update_rule
    onsets = [run.onset for run in runs]
    known = [OnsetHypothesis(m.name, _remembered(m.onset)) for m in CUE_COMPETITION.values()]
    unknown = [replace(hypothesis, clock_sd=UNKNOWN_CLOCK_SD) for hypothesis in known]
    comparison = compare_onsets(onsets, known, ladder=LADDER)
    truth = f"cue_{rule}"
    by_cell = {run.cell: run for run in runs}
    return CueArm(
        str(rule),
        truth,
        comparison,
        compare_onsets(onsets, unknown, ladder=LADDER),
        tuple(_row(comparison, index) for index in range(len(comparison.rungs))),
        tuple(runs),
        tuple(
            curve
            for run in by_cell.values()
            for curve in predicted_curves(
                CUE_COMPETITION[truth], run.curves[0].conditions, run.curves[0].t
            )
        ),
    )


def _remembered(predict: Predict) -> Predict:
    """Integrate once at each set of conditions, however often it is asked."""
    found: dict[frozenset[tuple[str, Condition]], float] = {}

    def predicted(conditions: Mapping[str, Condition]) -> float:
        key = frozenset(conditions.items())
        if key not in found:
            found[key] = predict(conditions)
        return found[key]

    return predicted


def _row(comparison: OnsetComparison, index: int) -> CueRow:
    rung = comparison.rungs[index]
    values = {name: float(str(value)) for name, value in rung.conditions}
    quartiles = tuple(
        (lower, None if math.isinf(upper) else upper)
        for lower, upper in comparison.quantiles[index]
    )
    predicted = {
        score.name: score.medians[index] if score.medians else None
        for score in comparison.scores
        if score.name in CUE_COMPETITION
    }
    return CueRow(
        values["alpha"],
        values["salience_ratio"],
        len(rung.onsets),
        rung.n_censored,
        quartiles,
        MappingProxyType({name: predicted[name] for name in CUE_COMPETITION}),
    )


def predicted_curves(
    mechanism: Mechanism,
    conditions: Mapping[str, Condition],
    t: FloatArray,
    observables: Sequence[str] = OBSERVABLES,
) -> tuple[Curve, ...]:
    """Return a mechanism's mean-field curves at the conditions of a run."""
    states, _ = mechanism.integrate(conditions, t)
    values = mechanism.values(conditions)
    ledger = {name: value for name, value in conditions.items() if name != "seed"}
    return tuple(
        Curve(
            observable,
            t,
            mechanism.observe(observable, states, values),
            progress=mechanism.progress,
            run=f"{mechanism.name}, mean field",
            conditions={**ledger, "mechanism": mechanism.name},
            origin=Origin.SIMULATED,
        )
        for observable in observables
    )
