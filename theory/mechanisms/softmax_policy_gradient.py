"""Softmax policy gradient of one skill: reinforced in proportion to how often it is tried."""

from __future__ import annotations

import sympy

from theory.curve import FloatArray
from theory.implication import Implication, ImplicationKind
from theory.mechanism import Mechanism, Values
from theory.mechanisms import one_skill as skill
from theory.onset_laws import Tails


def hits(log_t: FloatArray, values: Values) -> Tails:
    """Return the onset of a pure birth process, with jumps of h = κ · step · reward / batch.

    While p is small, T = Σ Exp(p0 e^(hk)), whose squared coefficient of variation is tanh(h/2).
    """
    speed = skill.kappa(values) * values["learning_rate"] * values["step_factor"]
    return skill.births(log_t, values, speed * values["reward"] / values["batch_size"])


SPEED = skill.SPEED * skill.REWARD
LOG_ODDS = 2 * sympy.log(skill.START / (1 - skill.START))
BEHIND = 1 / skill.START - 1 / (1 - skill.START) - LOG_ODDS

SOFTMAX_POLICY_GRADIENT = Mechanism(
    name="softmax_policy_gradient",
    story="A rewarded behavior is reinforced in proportion to how often it is tried, so that a "
    "rare one waits and a sure one creeps.",
    state=(skill.P,),
    dynamics=(SPEED * skill.P**2 * (1 - skill.P) ** 2,),
    start=(skill.START,),
    observables={"p_correct": skill.P},
    parameters=(skill.STEP_FACTOR,),
    conditions=(
        skill.INITIAL,
        skill.LEARNING_RATE,
        skill.SIZE,
        skill.N_ARMS,
        skill.BATCH_SIZE,
    ),
    assumptions=(*skill.SHARED, "REINFORCE without baseline or entropy bonus, plain steps"),
    implications=(
        Implication(
            ImplicationKind.FORM,
            "the curve is the softmax policy gradient's: an algebraic plateau and tail.",
            "exact for the mean field",
            vanishing=(
                1 / (1 - skill.P)
                - 1 / skill.P
                + 2 * sympy.log(skill.P / (1 - skill.P))
                + BEHIND
                - SPEED * skill.T,
            ),
            form="softmax_policy_gradient",
            where={
                "floor": sympy.Integer(0),
                "gain": sympy.Integer(1),
                "rate": SPEED / 4,
                "midpoint": BEHIND / SPEED,
            },
            observable="p_correct",
        ),
        Implication(
            ImplicationKind.ONSET,
            "the logit is a pure birth process; while p is small the squared coefficient of "
            "variation of the onset is tanh(h/2), with h = κ · step size · reward / batch size.",
            "exact for batches of one episode and small initial_probability · batch_size",
        ),
        Implication(
            ImplicationKind.CONDITION,
            "the onset grows as initial_probability^-1.",
            "a limit; local slopes between 0.25 and 0.01 are near -0.96",
            exponent=sympy.Integer(-1),
            condition="initial_probability",
        ),
    ),
    onset_observable="p_correct",
    reference="Williams 1992; Mei, Xiao, Szepesvari and Schuurmans 2020 (arXiv 2005.06392); the "
    "law of the onset is derived here",
    guards=(skill.RARE,),
    onset_law=hits,
)
