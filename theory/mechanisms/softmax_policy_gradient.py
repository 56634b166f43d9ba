"""Softmax policy gradient of one skill: reinforced in proportion to how often it is tried."""

from __future__ import annotations

import numpy as np
import sympy

from theory.curve import FloatArray
from theory.implication import Implication, ImplicationKind
from theory.mechanism import Mechanism, Values
from theory.mechanisms import one_skill as skill
from theory.onset_laws import Tails, sum_of_exponentials, tabulated

LONGEST_CHAIN = 3000
FEW = 40


def hits(log_t: FloatArray, values: Values) -> Tails:
    """Return the onset of a pure birth process: each rewarded episode lifts the logit.

    The k-th rewarded episode comes after a wait with rate batch · p_k and moves the logit by
    h (1 - p_k), with h = κ · step · reward / batch; the onset is when p passes one half. While
    p is small, T = Σ Exp(p0 e^(hk)), whose squared coefficient of variation is tanh(h/2).
    """
    step = skill.kappa(values) * values["learning_rate"] * values["step_factor"]
    jump, batch, start = (
        np.broadcast_to(np.asarray(v, dtype=np.float64), (len(log_t), 1))
        for v in (
            step * values["reward"] / values["batch_size"],
            values["batch_size"],
            values["initial_probability"],
        )
    )
    alike = np.ptp(batch) == 0 and np.ptp(start) == 0
    if len(log_t) <= FEW or not alike:
        return chain(log_t, jump, batch, start)

    def like_the_first(log_t: FloatArray, log_jump: FloatArray) -> Tails:
        rows = np.ones_like(log_jump)
        return chain(log_t, np.exp(log_jump), batch[0] * rows, start[0] * rows)

    def log_mean(log_jump: FloatArray) -> FloatArray:
        return np.asarray(-np.log(batch[0] * start[0] * -np.expm1(-np.exp(log_jump))))

    return tabulated(like_the_first, log_mean, log_t, np.log(jump))


def chain(log_t: FloatArray, jump: FloatArray, batch: FloatArray, start: FloatArray) -> Tails:
    """Return the waits for all rewarded episodes up to the onset; parameters are (N, 1)."""
    z = np.log(start / (1 - start))
    rates: list[FloatArray] = []
    while np.any(z < 0) and len(rates) < LONGEST_CHAIN:
        p = 1 / (1 + np.exp(-z))
        rates.append(np.where(z < 0, batch * p, np.inf))
        z = z + jump * (1 - p)
    if len(rates) < LONGEST_CHAIN:
        return sum_of_exponentials(log_t, np.hstack(rates))
    return skill.drifting_onsets(
        log_t,
        {"initial_probability": start},
        lambda p: batch * jump * p * (1 - p),
        lambda p: batch * jump**2 * p * (1 - p) ** 2,
    )


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
