"""Ray interference: two skills on shared parameters, of which the better one takes the data.

With z_k = w_k·x the logits of two skills, unit vectors w with cosine rho, and gradient ascent on
q (J_1 + J_2), J = 1/(1 + e^(-z)), either being needed in a share q of the episodes:
dz_k/dt = step · q (f_k + rho f_j) with f = J (1 - J), so that

    dJ_k/dt = step · q f_k (f_k + rho f_j).
"""

from __future__ import annotations

import numpy as np
import sympy

from theory.implication import Implication, ImplicationKind, Quantity
from theory.mechanism import Guard, Mechanism
from theory.mechanisms import one_skill as skill

FIRST, SECOND = sympy.symbols("z_first z_second", real=True)
FIRST_START, SECOND_START, COSINE = sympy.symbols(
    "initial_first initial_second gradient_cosine", real=True
)
SPEED = skill.RATE * skill.STEP * skill.FREQUENCY


def success(z: sympy.Expr) -> sympy.Expr:
    """Return the logistic J of a logit, in its stable form."""
    return (1 + sympy.tanh(z / 2)) / 2


def change(z: sympy.Expr) -> sympy.Expr:
    """Return f = J (1 - J) of a logit."""
    return 1 / (4 * sympy.cosh(z / 2) ** 2)


def log_odds(p: sympy.Expr) -> sympy.Expr:
    """Return ln(J/(1 - J))."""
    return sympy.log(p / (1 - p))


ALONE = 1 / SECOND_START - 1 / (1 - SECOND_START) - 2 * log_odds(SECOND_START)

RAY_INTERFERENCE = Mechanism(
    name="ray_interference",
    story="Two skills share parameters; learning the better one spoils the other, which can "
    "recover only when the first is done.",
    state=(FIRST, SECOND),
    dynamics=tuple(
        SPEED * (change(own) + COSINE * change(other))
        for own, other in ((FIRST, SECOND), (SECOND, FIRST))
    ),
    start=(log_odds(FIRST_START), log_odds(SECOND_START)),
    observables={
        "p_first": success(FIRST),
        "p_second": success(SECOND),
        "p_mean": (success(FIRST) + success(SECOND)) / 2,
    },
    parameters=(skill.STEP_FACTOR,),
    conditions=(
        Quantity("initial_first", "success of the first skill before training", "", 0.2, 0.0, 1.0),
        Quantity("initial_second", "success of the second", "", 0.1, 0.0, 1.0),
        Quantity("gradient_cosine", "cosine between the skills' gradients", "", -0.6, -1.0, 1.0),
        skill.LEARNING_RATE,
        skill.SKILL_FREQUENCY,
    ),
    assumptions=(
        "both skills are needed as often",
        "success is a logistic of a linear logit",
        "plain gradient ascent on the sum",
    ),
    implications=(
        Implication(
            ImplicationKind.FORM,
            "without interference each skill follows the softmax policy gradient's curve.",
            "exact at gradient_cosine = 0",
            case={"gradient_cosine": sympy.Integer(0)},
            form="softmax_policy_gradient",
            where={
                "floor": sympy.Integer(0),
                "gain": sympy.Integer(1),
                "rate": SPEED / 4,
                "midpoint": ALONE / SPEED,
            },
            observable="p_second",
        ),
        Implication(
            ImplicationKind.FORM,
            "opposite gradients only trade one skill for the other: the sum of log odds stays.",
            "exact at gradient_cosine = -1",
            case={"gradient_cosine": sympy.Integer(-1)},
            vanishing=(FIRST + SECOND - log_odds(FIRST_START) - log_odds(SECOND_START),),
        ),
        Implication(
            ImplicationKind.FORM,
            "the second skill first falls if f_second < -gradient_cosine · f_first, f = J (1 - J): "
            "from 0.1 to 0.024 at cosine -0.6 beside a first skill that starts at 0.2.",
            "exact; gradient_cosine < 0",
            observable="p_second",
        ),
        Implication(
            ImplicationKind.ONSET,
            "the second skill's onset, against the first's, is later by a factor of 2 without "
            "interference and of 16 at cosine -0.6; at -0.9 it is not seen, 1e6 times as late.",
            "starts of 0.2 and 0.1",
        ),
        Implication(
            ImplicationKind.CONDITION,
            "the second onset grows as initial_second^(-1/(1 + gradient_cosine)).",
            "a limit at fixed initial_first and -1 < gradient_cosine < 1: of a first skill that "
            "is learned, f falls as 1/t, so the second gains J² - |cosine| J/t",
            exponent=-1 / (1 + COSINE),
            condition="initial_second",
        ),
    ),
    onset_observable="p_second",
    reference="Schaul, Borsa, Modayil and Pascanu 2019 (arXiv 1904.11455); the exponent is "
    "derived here",
    guards=(
        Guard(
            lambda v: bool(np.all(np.asarray(v["initial_second"]) < 0.5)),
            "initial_second is above one half from the start.",
        ),
        Guard(
            lambda v: bool(
                np.all(
                    np.where(
                        np.asarray(v["gradient_cosine"]) == -1,
                        v["initial_second"] > np.asarray(v["initial_first"]),
                        True,
                    )
                )
            ),
            "with opposite gradients only the better skill is learned.",
        ),
    ),
)
