"""Natural policy gradient of one skill: a replicator, whose plateau is only logarithmic."""

from __future__ import annotations

import sympy

from theory.implication import Implication, ImplicationKind
from theory.mechanism import Mechanism
from theory.mechanisms import one_skill as skill

SPEED = skill.RATE * skill.STEP * skill.REWARD

NATURAL_POLICY_GRADIENT = Mechanism(
    name="natural_policy_gradient",
    story="Steps are measured in the policy, not in its logits, so that a rare behavior grows in "
    "proportion to itself.",
    state=(skill.P,),
    dynamics=(SPEED * skill.P * (1 - skill.P),),
    start=(skill.START,),
    observables={"p_correct": skill.P},
    parameters=(skill.STEP_FACTOR,),
    conditions=(skill.INITIAL, skill.LEARNING_RATE, skill.SIZE),
    assumptions=(*skill.SHARED, "exact natural gradients: no chance in the updates"),
    implications=(
        Implication(
            ImplicationKind.FORM,
            "the curve is a logistic.",
            "exact",
            solution={"p": 1 / (1 + (1 - skill.START) / skill.START * sympy.exp(-SPEED * skill.T))},
            form="logistic",
            where={
                "floor": sympy.Integer(0),
                "gain": sympy.Integer(1),
                "rate": SPEED,
                "midpoint": sympy.log((1 - skill.START) / skill.START) / SPEED,
            },
            observable="p_correct",
        ),
        Implication(
            ImplicationKind.CONDITION,
            "the onset grows as the logarithm of 1/initial_probability: the exponent goes to 0.",
            "a limit; local slopes between 0.25 and 0.01 are near -0.45",
            exponent=sympy.Integer(0),
            condition="initial_probability",
        ),
    ),
    onset_observable="p_correct",
    reference="Kakade 2001, A natural policy gradient; Taylor and Jonker 1978 (replicator)",
    guards=(skill.RARE,),
)
