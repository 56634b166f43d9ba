"""A lock: one reward after a chain of right choices, of which a single wrong one loses it.

At each of H steps, a policy of its own picks the right one of K arms with probability p; the
reward comes with the last step, so that the return is gamma^(H - 1) times it. By symmetry all
steps share p: the gradient of gamma^(H - 1) p^H moves every logit by κ · step times that and by
(1 - p), so

    dp/dt = κ · step · reward · gamma^(H - 1) p^(H + 1) (1 - p)².
"""

from __future__ import annotations

import numpy as np
import sympy

from theory.curve import FloatArray
from theory.implication import Implication, ImplicationKind, Quantity
from theory.mechanism import Guard, Mechanism, Values
from theory.mechanisms import one_skill as skill
from theory.onset_laws import Tails

HORIZON, GAMMA = sympy.symbols("horizon gamma", positive=True)
SHOWN = sympy.Integer(4)
SPEED = skill.SPEED * skill.REWARD * GAMMA ** (HORIZON - 1)


def elapsed(p: sympy.Expr, horizon: sympy.Expr) -> sympy.Expr:
    """Return ∫ dp / (p^(H + 1) (1 - p)²), up to a constant."""
    k = sympy.Symbol("k", integer=True)
    waits = sympy.Sum((horizon + 1 - k) / (k * p**k), (k, 1, horizon))
    if horizon.is_Integer:  # a sum over an unknown number of terms takes sympy seconds
        waits = waits.doit()
    return 1 / (1 - p) + (horizon + 1) * sympy.log(p / (1 - p)) - waits


def hits(log_t: FloatArray, values: Values) -> Tails:
    """Return the onset of a pure birth process: a reward lifts the logits of all steps."""
    horizon = values["horizon"]
    speed = skill.kappa(values) * values["learning_rate"] * values["step_factor"]
    jump = speed * values["reward"] * values["gamma"] ** (horizon - 1) / values["batch_size"]
    return skill.births(log_t, values, jump, horizon)


ESCAPE = 1 / (SPEED * HORIZON * skill.START**HORIZON)
ONSET = (elapsed(2 ** (-1 / HORIZON), HORIZON) - elapsed(skill.START, HORIZON)) / SPEED

LOCK = Mechanism(
    name="lock",
    story="Only a whole chain of right choices is rewarded, so that a longer chain waits "
    "exponentially longer.",
    state=(skill.P,),
    dynamics=(SPEED * skill.P ** (HORIZON + 1) * (1 - skill.P) ** 2,),
    start=(skill.START,),
    observables={"p_correct": skill.P**HORIZON, "p_step": skill.P},
    parameters=(skill.STEP_FACTOR,),
    conditions=(
        Quantity(
            "initial_probability", "chance of the right arm of a step, untrained", "", 0.2, 0.0, 1.0
        ),
        skill.LEARNING_RATE,
        skill.SIZE,
        skill.N_ARMS,
        skill.BATCH_SIZE,
        Quantity("horizon", "steps of the chain", "", float(SHOWN), 1.0),
        Quantity("gamma", "discount of the reward a step", "", 1.0, 0.0, 1.0),
    ),
    assumptions=(
        "a softmax policy with logits of its own at every step; all steps are alike",
        "REINFORCE of the discounted return, without baseline or entropy bonus, plain steps",
        "a wrong choice loses the reward",
    ),
    implications=(
        Implication(
            ImplicationKind.FORM,
            "the chance of a right choice has an algebraic plateau and tail.",
            f"exact for the mean field; shown for {SHOWN} steps",
            case={"horizon": SHOWN},
            vanishing=(
                elapsed(skill.P, SHOWN)
                - elapsed(skill.START, SHOWN)
                - SPEED.subs(HORIZON, SHOWN) * skill.T,
            ),
        ),
        Implication(
            ImplicationKind.ONSET,
            "half of all tries succeed after the given onset; the escape is its limit.",
            "exact for the mean field and whole horizons; the limit is of small "
            "initial_probability, and at 0.1 and 6 steps too early by a factor of 1.3",
            where={"onset": ONSET, "escape": ESCAPE},
        ),
        Implication(
            ImplicationKind.ONSET,
            "the logit is a pure birth process; while p is small the squared coefficient of "
            "variation of the onset is tanh(horizon · h/2), h = κ · step size · reward · "
            "gamma^(horizon - 1) / batch size.",
            "exact for batches of one episode and small initial_probability",
        ),
        Implication(
            ImplicationKind.CONDITION,
            "the onset grows as initial_probability^-horizon, so that one more step multiplies it "
            "by about 1/(gamma · initial_probability) · horizon/(horizon + 1).",
            "a limit of small initial_probability",
            exponent=-HORIZON,
            condition="initial_probability",
        ),
        Implication(
            ImplicationKind.CONDITION,
            "the onset grows as gamma^-(horizon - 1).",
            "exact",
            exponent=1 - HORIZON,
            condition="gamma",
        ),
    ),
    onset_observable="p_correct",
    reference="Osband, Blundell, Pritzel and Van Roy 2016 (arXiv 1602.04621) for chains that take "
    "undirected search exponentially long; the equations are derived here",
    guards=(
        Guard(
            lambda v: bool(
                np.all(np.asarray(v["initial_probability"]) ** np.asarray(v["horizon"]) < 0.5)
            ),
            "half of all tries succeed from the start.",
        ),
    ),
    onset_law=hits,
)
