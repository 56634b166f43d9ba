"""Skills that are met at different rates: the multilinear model, a logistic for every skill.

A skill's strength is a product R = a b, fitted to a target S by gradient descent on
frequency · (S - R)²/2: from a = b, dR/dt = 2 · step · frequency · R (S - R).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import sympy

from theory.implication import Implication, ImplicationKind, Quantity
from theory.mechanism import Guard, Mechanism
from theory.mechanisms import one_skill as skill

STRENGTH = sympy.Symbol("strength", positive=True)
TARGET, START = sympy.symbols("target_strength initial_strength", positive=True)
SPEED = 2 * skill.RATE * skill.STEP * skill.FREQUENCY

SKILL_FREQUENCIES = Mechanism(
    name="skill_frequencies",
    story="Skills are alike but for how often they are met, and are learned in that order.",
    state=(STRENGTH,),
    dynamics=(SPEED * STRENGTH * (TARGET - STRENGTH),),
    start=(START,),
    observables={"share_learned": STRENGTH / TARGET, "strength": STRENGTH},
    parameters=(skill.STEP_FACTOR,),
    conditions=(
        replace(skill.SKILL_FREQUENCY, suggested=0.1),
        Quantity("target_strength", "strength at which the skill is learned", "", 1.0, 0.0),
        Quantity("initial_strength", "strength before training", "", 0.01, 0.0),
        skill.LEARNING_RATE,
    ),
    assumptions=(
        "skills do not interact",
        "the two factors of a strength start equal",
        "the data are the same all along: they do not depend on the policy",
    ),
    implications=(
        Implication(
            ImplicationKind.FORM,
            "the curve of a skill is a logistic.",
            "exact",
            solution={
                "strength": TARGET
                / (1 + (TARGET / START - 1) * sympy.exp(-SPEED * TARGET * skill.T))
            },
            form="logistic",
            where={
                "floor": sympy.Integer(0),
                "gain": TARGET,
                "rate": SPEED * TARGET,
                "midpoint": sympy.log(TARGET / START - 1) / (SPEED * TARGET),
            },
            observable="strength",
        ),
        Implication(
            ImplicationKind.CONDITION,
            "the onset falls as 1/skill_frequency.",
            "exact",
            exponent=sympy.Integer(-1),
            condition="skill_frequency",
        ),
        Implication(
            ImplicationKind.FORM,
            "the loss over many skills whose frequencies fall as rank^-(a + 1) falls as "
            "t^(-a/(a + 1)).",
            "a limit, between the onsets of the most and the least frequent skill",
        ),
    ),
    onset_observable="share_learned",
    reference="Nam, Fonseca, Lee, Mingard and Louis 2024 (arXiv 2404.17563); rederived here",
    guards=(
        Guard(
            lambda v: bool(np.all(2 * np.asarray(v["initial_strength"]) < v["target_strength"])),
            "initial_strength is above half of target_strength from the start.",
        ),
    ),
)
