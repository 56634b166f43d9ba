"""Competing cues: when trained agents turn to the goal, as predicted and as seen (T9, T10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.prediction_rows import SHARE, SLOPE, Row, middle, resampled, slope
from empirics.cue_competition import CueCell, UpdateRule, train_cue_agents
from theory.implication import ImplicationKind
from theory.mechanism import Mechanism
from theory.mechanisms import MECHANISMS

FloatArray = NDArray[np.float64]
ALPHAS = (0.05, 0.02, 0.01, 0.005)
RATIOS = (1.2, 1.35, 1.5)
RATES: Mapping[UpdateRule, float] = {
    UpdateRule.DELTA_RULE: 0.01,
    UpdateRule.POLICY_GRADIENT: 0.25,
    UpdateRule.NORMALIZED_CRITIC: 0.05,
}


def flips(cell: CueCell, expected: float, seeds: int) -> FloatArray:
    """Return when runs turn to the goal; those that take three times as long are censored."""
    runs = train_cue_agents(
        [cell], range(seeds), updates=int(3 * expected), checkpoints=2000, observables=()
    )
    return np.array([middle(run.curves[0]) for run in runs])


def limit_of(mechanism: Mechanism, ratio: float) -> float:
    """Return the exponent in alpha that a mechanism states for alpha to 0."""
    law = next(
        implied
        for implied in mechanism.implications
        if implied.kind is ImplicationKind.CONDITION and implied.condition == "alpha"
    )
    return float(law.exponent.subs("salience_ratio", ratio))


def t9_ladder_of_conflicts(seeds: int) -> Iterator[Row]:
    """T9: the exponent of the flip in alpha, and how it grows with the salience of the proxy."""
    for rule, rate in RATES.items():
        mechanism = MECHANISMS[f"cue_{rule}"]
        for ratio in RATIOS:
            cells = [CueCell(alpha, ratio, rule, rate) for alpha in ALPHAS]
            predicted = [mechanism.onset(cell.conditions(0)) for cell in cells]
            onsets = [flips(*each, seeds) for each in zip(cells, predicted, strict=True)]
            yield Row(
                "T9",
                f"{rule}, ratio {ratio}",
                f"slope of ln flip on ln alpha (limit {limit_of(mechanism, ratio):.2f})",
                float(slope(ALPHAS, np.array(predicted))),
                *resampled(onsets, lambda s: slope(ALPHAS, np.median(s, axis=1))),
                SLOPE,
            )


def t9_proxy_bump(seeds: int) -> Iterator[Row]:
    """T9: when the weight of an equally salient proxy peaks under the delta rule."""
    mechanism = MECHANISMS["cue_delta_rule"]
    bump = next(i for i in mechanism.implications if i.form == "bump")
    for alpha in (0.1, 0.05, 0.02):
        cell = CueCell(alpha, 1.0, UpdateRule.DELTA_RULE, RATES[UpdateRule.DELTA_RULE])
        values = mechanism.values(cell.conditions(0))
        closed = float(bump.where["peak"].subs(values))
        runs = train_cue_agents(
            [cell],
            range(seeds),
            updates=int(10 * closed),
            checkpoints=400,
            observables=["w_proxy"],
        )
        t = runs[0].curves[0].t
        states, _ = mechanism.integrate(cell.conditions(0), t)
        found = np.array([peak(t, run.curve("w_proxy").y) for run in runs])
        expected = peak(t, states[:, 1])
        yield Row(
            "T9",
            f"delta_rule, ratio 1, alpha {alpha}",
            f"peak of the proxy's weight (closed form {closed:.1f})",
            expected,
            *resampled([found], lambda s: np.median(s[0])),
            SHARE * expected,
        )


def peak(t: FloatArray, y: FloatArray) -> float:
    """Return the top of a parabola in ln t through the points within a tenth of the highest."""
    high = (y > 0.9 * y.max()) & (t > 0)
    a, b, _ = np.polyfit(np.log(t[high]), y[high], 2)
    return float(np.exp(-b / (2 * a)))


def t10_blocking(seeds: int) -> Iterator[Row]:
    """T10: what the proxy learned without conflicts delays the goal, unless learners are Bayesian.

    Both count updates with conflict levels. A Bayesian learner weighs them the same whatever
    came before: their ratio is 1.
    """
    for rule, rate in RATES.items():
        mechanism = MECHANISMS[f"cue_{rule}"]
        plain = CueCell(0.02, 1.5, rule, rate)
        alone = mechanism.onset(plain.conditions(0))
        mixed = flips(plain, alone, seeds)
        for first in (500, 2000):
            cell = replace(plain, pretrained_updates=first)
            onset = mechanism.onset(cell.conditions(0))
            expected = (onset - first) / alone
            found = resampled(
                [flips(cell, onset, seeds) - first, mixed],
                lambda s: np.median(s[0]) / np.median(s[1]),
            )
            arm = f"{rule}, {first} updates of pretraining"
            number = "conflict updates to the flip over those without pretraining"
            yield Row("T10", arm, number, expected, *found, SHARE * expected)
            said = "expected to fail" if abs(expected - 1) > SHARE else "cannot tell here"
            yield Row("T10", f"Bayes ({said}): {arm}", number, 1.0, *found, SHARE)
