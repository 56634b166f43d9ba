"""Softmax policy gradient with an entropy bonus: a policy that stays undecided on purpose.

The gradient of E[reward] + bonus · entropy moves the logit z of the rewarded arm by

    dz/dt = κ · step · p (1 - p) (reward - bonus · ln(p/q)),     q = (1 - p)/(K - 1)

(derived here for equal bad arms), which is linear in z but for the factor p (1 - p): z goes to z*,
where ln(p/q) = reward/bonus, at the rate κ · step · bonus · p (1 - p).
"""

from __future__ import annotations

import numpy as np
import sympy

from theory.curve import FloatArray
from theory.implication import Implication, ImplicationKind, Quantity
from theory.mechanism import Guard, Mechanism, Values
from theory.mechanisms import one_skill as skill
from theory.onset_laws import Tails

BONUS = sympy.Symbol("entropy_bonus", positive=True)
FIXED_POINT = 1 / (1 + (skill.ARMS - 1) * sympy.exp(-skill.REWARD / BONUS))
PUSH = skill.REWARD - BONUS * sympy.log((skill.ARMS - 1) * skill.P / (1 - skill.P))
TARGET = skill.REWARD / BONUS - sympy.log(skill.ARMS - 1)


def elapsed(gap: sympy.Expr) -> sympy.Expr:
    """Return ∫ (2 + 2 cosh z) / (z* - z) dz at z = z* - gap, up to a constant."""
    grown, faded = sympy.exp(TARGET), sympy.exp(-TARGET)
    return grown * sympy.expint(1, gap) - faded * sympy.Ei(gap) - 2 * sympy.log(gap)


BEFORE = TARGET - sympy.log(skill.START / (1 - skill.START))
ONSET = (elapsed(TARGET) - elapsed(BEFORE)) / (skill.SPEED * BONUS)


def scattered(log_t: FloatArray, values: Values) -> Tails:
    """Return onsets with the mean and variance of sampled rewards and the exact entropy term."""
    speed = skill.kappa(values) * values["learning_rate"] * values["step_factor"]
    reward, bonus, arms = (values[name] for name in ("reward", "entropy_bonus", "n_arms"))

    def mean(p: FloatArray) -> FloatArray:
        push = reward - bonus * np.log((arms - 1) * p / (1 - p))
        return np.asarray(speed * p * (1 - p) * push)

    def variance(p: FloatArray) -> FloatArray:
        return np.asarray((speed * reward) ** 2 * p * (1 - p) ** 3 / values["batch_size"])

    return skill.drifting_onsets(log_t, values, mean, variance)


ENTROPY_BONUS = Mechanism(
    name="entropy_bonus",
    story="A bonus for staying undecided lifts a very rare behavior and keeps a good one from "
    "becoming sure.",
    state=(skill.P,),
    dynamics=(skill.SPEED * skill.P**2 * (1 - skill.P) ** 2 * PUSH,),
    start=(skill.START,),
    observables={"p_correct": skill.P},
    parameters=(skill.STEP_FACTOR,),
    conditions=(
        skill.INITIAL,
        skill.LEARNING_RATE,
        skill.SIZE,
        skill.N_ARMS,
        skill.BATCH_SIZE,
        Quantity("entropy_bonus", "weight of the entropy of the policy", "", 0.1, 0.0),
    ),
    assumptions=(*skill.SHARED, "no baseline; the gradient of the entropy is exact"),
    implications=(
        Implication(
            ImplicationKind.FORM,
            f"the curve ends at {FIXED_POINT}, short of 1, and reaches it exponentially, where "
            "without a bonus it would creep on as 1/t.",
            "exact for the mean field: at p the log odds approach their end at the given rate "
            "times p (1 - p) over its value at the end",
            where={
                "fixed_point": FIXED_POINT,
                "rate": skill.SPEED * BONUS * FIXED_POINT * (1 - FIXED_POINT),
            },
            observable="p_correct",
        ),
        Implication(
            ImplicationKind.ONSET,
            "the onset has a closed form in exponential integrals; it comes sooner than without a "
            "bonus if the behavior starts far below an even choice, 1/n_arms.",
            "exact for the mean field",
            where={"onset": ONSET},
        ),
        Implication(
            ImplicationKind.ONSET,
            "onsets scatter as many small random steps do, with mean ∫ dz/a, variance ∫ b/a³ dz.",
            "small steps: κ · step size · reward / batch size << 1",
        ),
        Implication(
            ImplicationKind.CONDITION,
            "the onset grows as 1/(initial_probability · (reward + entropy_bonus · "
            "ln(1/((n_arms - 1) · initial_probability)))): the exponent goes to -1.",
            "a limit, reached logarithmically",
            exponent=sympy.Integer(-1),
            condition="initial_probability",
        ),
    ),
    onset_observable="p_correct",
    reference="Mei, Xiao, Szepesvari and Schuurmans 2020 (arXiv 2005.06392) for the exponential "
    "approach; the closed forms are derived here",
    guards=(
        skill.RARE,
        Guard(
            lambda v: bool(np.all(v["reward"] > v["entropy_bonus"] * np.log(v["n_arms"] - 1))),
            "the bonus holds the policy below one half: entropy_bonus · ln(n_arms - 1) >= reward.",
        ),
    ),
    onset_law=scattered,
)
