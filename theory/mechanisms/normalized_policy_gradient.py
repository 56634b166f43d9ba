"""Policy gradient with advantages divided by their spread over the batch (GRPO without a KL term).

In a batch of B episodes of which j are rewarded, the advantages (r - j/B)/sqrt(j/B (1 - j/B)) move
the logit by κ · step · sqrt(j/B (1 - j/B)) on average over the arms: the more evenly rewards fall,
the larger the step. Where rewards are rare, B p < 1, most batches hold none, and the law of large
batches no longer holds: the plateau grows as 1/p0 instead of p0^(-1/2).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import sympy

from theory.curve import FloatArray
from theory.implication import Implication, ImplicationKind, Quantity
from theory.mechanism import Mechanism, Values
from theory.mechanisms import one_skill as skill
from theory.native import native
from theory.onset_laws import Tails

COUNTED = 100.0
"""Expected rewards of a batch up to which they are summed over; above, the expansion in 1/B is
exact."""


def mean_spread(p: Any, batch: Any) -> FloatArray:
    """Return E[sqrt(j/B (1 - j/B))] over binomial j, for a batch of any size (inf included)."""
    p, batch = np.broadcast_arrays(np.asarray(p, dtype=float), np.asarray(batch, dtype=float))
    rarer = np.minimum(p, 1 - p)
    root = np.sqrt(rarer * (1 - rarer))
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.asarray(root - 1 / (8 * batch * root))
    few = rarer * batch < COUNTED
    counted = np.empty(int(few.sum()))
    _sum_over_rewards(rarer[few], batch[few], counted)
    spread[few] = counted
    return spread


@native
def _sum_over_rewards(p: FloatArray, batch: FloatArray, spread: FloatArray) -> None:
    """Put E[sqrt(j/B (1 - j/B))] into `spread`, (n,) each, by the recurrence of the binomial."""
    for i in range(len(p)):
        chance, odds, total, j = (1 - p[i]) ** batch[i], p[i] / (1 - p[i]), 0.0, 1.0
        while j < batch[i]:
            chance *= odds * (batch[i] - j + 1) / j
            term = chance * math.sqrt(j / batch[i] * (1 - j / batch[i]))
            total += term
            if term < 1e-18 * total and j > p[i] * batch[i]:
                break
            j += 1
        spread[i] = total


def sampled_drift(state: FloatArray, values: Values) -> FloatArray:
    """Return the exact mean update for a batch of any size."""
    p = np.clip(state[0], 1e-300, 1 - 1e-16)
    speed = skill.kappa(values) * values["learning_rate"] * values["step_factor"]
    return np.asarray([speed * mean_spread(p, values["batch_size"]) * p * (1 - p)])


def scattered(log_t: FloatArray, values: Values) -> Tails:
    """Return onsets with the mean and variance that batches of finite size imply."""
    speed = skill.kappa(values) * values["learning_rate"] * values["step_factor"]
    batch = values["batch_size"]

    def variance(p: FloatArray) -> FloatArray:
        square = p * (1 - p) * (1 - 1 / batch) - mean_spread(p, batch) ** 2
        return np.asarray(speed**2 * np.maximum(square, 1e-12))

    return skill.drifting_onsets(log_t, values, lambda p: speed * mean_spread(p, batch), variance)


ODDS = (2 * skill.START - 1) / sympy.sqrt(skill.START * (1 - skill.START))

NORMALIZED_POLICY_GRADIENT = Mechanism(
    name="normalized_policy_gradient",
    story="Advantages are divided by their spread, so that a rare reward counts for more.",
    state=(skill.P,),
    dynamics=(skill.SPEED * (skill.P * (1 - skill.P)) ** sympy.Rational(3, 2),),
    start=(skill.START,),
    observables={"p_correct": skill.P},
    parameters=(skill.STEP_FACTOR,),
    conditions=(
        skill.INITIAL,
        skill.LEARNING_RATE,
        skill.N_ARMS,
        Quantity("batch_size", "episodes in an update", "", 4096.0, 2.0),
    ),
    assumptions=(*skill.SHARED, "advantages over the standard deviation in their batch"),
    implications=(
        Implication(
            ImplicationKind.FORM,
            "the curve is the normalized policy gradient's: its tail falls as t^-2.",
            "infinite batches; initial_probability · batch_size >> 1",
            case={"batch_size": sympy.oo},
            form="normalized_policy_gradient",
            where={
                "floor": sympy.Integer(0),
                "gain": sympy.Integer(1),
                "rate": skill.SPEED / 2,
                "midpoint": -2 * ODDS / skill.SPEED,
            },
            observable="p_correct",
        ),
        Implication(
            ImplicationKind.ONSET,
            "onsets scatter as many small random steps do, with mean ∫ dz/a, variance ∫ b/a³ dz.",
            "small steps: the chain of updates is long",
        ),
        Implication(
            ImplicationKind.CONDITION,
            "the onset grows as initial_probability^(-1/2) where batches hold rewards, and as "
            "initial_probability^-1 where they do not.",
            "a limit of initial_probability · batch_size >> 1; local slopes between 0.25 and 0.01 "
            "are near -0.67",
            exponent=sympy.Rational(-1, 2),
            condition="initial_probability",
        ),
    ),
    onset_observable="p_correct",
    reference="Shao et al. 2024, DeepSeekMath (arXiv 2402.03300), sec. 4.1; the laws are derived "
    "here",
    guards=(skill.RARE,),
    drift=sampled_drift,
    onset_law=scattered,
)
