"""Composition: a behavior that needs several sub-skills at once emerges late and steeply.

Each sub-skill is practiced on its own and grows as a replicator; the behavior needs all of them.
Its success J is their product, so that its residual ln J - Σ ln p_k is zero all along.
"""

from __future__ import annotations

import numpy as np
import sympy

from theory.implication import Implication, ImplicationKind, Quantity
from theory.mechanism import Guard, Mechanism
from theory.mechanisms import one_skill as skill

LAST, OTHER = sympy.symbols("p_last p_other", positive=True)
PARTS, RATIO = sympy.symbols("n_subskills frequency_ratio", positive=True)
SPEED = skill.RATE * skill.STEP * skill.FREQUENCY
ODDS = (1 - skill.START) / skill.START
WHOLE = LAST * OTHER ** (PARTS - 1)


def grown(speed: sympy.Expr) -> sympy.Expr:
    """Return a logistic in t from the initial probability."""
    return 1 / (1 + ODDS * sympy.exp(-speed * skill.T))


HALF = (sympy.log(ODDS) - sympy.log(2 ** (1 / PARTS) - 1)) / SPEED

COMPOSITION = Mechanism(
    name="composition",
    story="Sub-skills grow smoothly, but a behavior that needs all of them waits for the last.",
    state=(LAST, OTHER),
    dynamics=(RATIO * SPEED * LAST * (1 - LAST), SPEED * OTHER * (1 - OTHER)),
    start=(skill.START, skill.START),
    observables={"p_correct": WHOLE, "p_last": LAST, "p_other": OTHER},
    parameters=(skill.STEP_FACTOR,),
    conditions=(
        skill.INITIAL,
        skill.LEARNING_RATE,
        skill.SKILL_FREQUENCY,
        Quantity("n_subskills", "sub-skills that the behavior needs", "", 4.0, 1.0),
        Quantity("frequency_ratio", "how often the last is met over the others", "", 1.0, 0.0),
    ),
    assumptions=(
        "sub-skills are practiced alone and are independent",
        "each grows as a replicator (natural policy gradient)",
    ),
    implications=(
        Implication(
            ImplicationKind.FORM,
            "the log of the whole is the sum of the logs of its sub-skills: no residual.",
            "exact",
            vanishing=(
                sympy.log(WHOLE)
                - sympy.log(grown(RATIO * SPEED))
                - (PARTS - 1) * sympy.log(grown(SPEED)),
            ),
            solution={"p_last": grown(RATIO * SPEED), "p_other": grown(SPEED)},
        ),
        Implication(
            ImplicationKind.FORM,
            "equal sub-skills give Richards' curve, of exponent 1/n_subskills.",
            "exact at frequency_ratio = 1",
            case={"frequency_ratio": sympy.Integer(1)},
            form="richards",
            where={
                "floor": sympy.Integer(0),
                "gain": sympy.Integer(1),
                "rate": 2 * PARTS * (1 - 2 ** (-1 / PARTS)) * SPEED,
                "midpoint": HALF,
                "exponent": 1 / PARTS,
            },
            observable="p_correct",
        ),
        Implication(
            ImplicationKind.ONSET,
            "of equal sub-skills each doubling of their number delays the onset by "
            "ln 2/(step size), in the limit of many.",
            "the onset is exact at frequency_ratio = 1",
            case={"frequency_ratio": sympy.Integer(1)},
            where={"onset": HALF},
        ),
        Implication(
            ImplicationKind.CONDITION,
            "the onset grows as 1/frequency_ratio: the rarest sub-skill sets it.",
            "a limit of frequency_ratio << 1",
            exponent=sympy.Integer(-1),
            condition="frequency_ratio",
        ),
    ),
    onset_observable="p_correct",
    reference="Okawa, Lubana, Dick and Tanaka 2023 (NeurIPS) for the product; the curve is "
    "derived here",
    guards=(
        Guard(
            lambda v: bool(np.all(np.asarray(v["initial_probability"]) ** v["n_subskills"] < 0.5)),
            "the behavior succeeds in half of all tries from the start.",
        ),
    ),
)
