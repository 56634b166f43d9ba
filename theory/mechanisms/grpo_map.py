"""GRPO with a KL term, solved exactly at every update: a map, which jumps at once or never.

An update maximizes the mean advantage minus kl_weight · KL(policy, reference). Its solution tilts
the reference by e^(advantage/kl_weight); a reward and a failure differ in their advantages by
1/sqrt(p (1 - p) + smoothing), so that

    odds(p') = odds(reference) · exp(1/(kl_weight · sqrt(p (1 - p) + smoothing))).

The right-hand side falls in p up to one half. From the reference, the first update is therefore
the largest of all while p stays below one half: what it does not reach is never reached.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy

from theory.implication import Implication, ImplicationKind, Quantity
from theory.mechanism import Guard, Mechanism, Values
from theory.mechanisms import one_skill as skill

WEIGHT, SMOOTHING = sympy.symbols("kl_weight smoothing", positive=True)


def tilted(p: sympy.Expr) -> sympy.Expr:
    """Return the success after an update in which it was p, from the reference."""
    lift = skill.STEP / (WEIGHT * sympy.sqrt(p * (1 - p) + SMOOTHING))
    return 1 / (1 + (1 - skill.START) / skill.START * sympy.exp(-lift))


def jumps(values: Values) -> bool:
    """Return whether the first update passes one half."""
    p: Any = np.asarray(values["initial_probability"], dtype=np.float64)
    spread = np.sqrt(p * (1 - p) + values["smoothing"])
    lift = values["step_factor"] / (values["kl_weight"] * spread)
    return bool(np.all(np.log(p / (1 - p)) + lift > 0))


GRPO_MAP = Mechanism(
    name="grpo_map",
    story="Every update starts from the reference and goes as far as the KL term lets it, so that "
    "a behavior emerges at once or not at all.",
    state=(skill.P,),
    dynamics=(tilted(skill.P),),
    start=(skill.START,),
    observables={"p_correct": skill.P},
    parameters=(skill.STEP_FACTOR,),
    conditions=(
        skill.INITIAL,
        Quantity("kl_weight", "weight of the KL divergence from the reference", "", 1.0, 0.0),
        Quantity("smoothing", "added to the variance of the reward", "", 1e-4, 0.0),
    ),
    assumptions=(
        "reward 0 or 1; initial_probability is the reference's success",
        "advantages over their standard deviation, of infinite groups",
        "every update is solved exactly, with the KL divergence from the fixed reference",
    ),
    implications=(
        Implication(
            ImplicationKind.FORM,
            "success after an update is a map of success before; every fixed point, and every "
            "value after the first update, lies above the reference.",
            "exact; the map is given as `next`",
            where={"next": tilted(skill.P)},
            observable="p_correct",
        ),
        Implication(
            ImplicationKind.ONSET,
            "the first update passes one half, or none does.",
            "exact for a reference below one half; it passes if 1/(kl_weight · "
            "sqrt(initial_probability (1 - initial_probability) + smoothing)) > "
            "ln(1/initial_probability - 1)",
            where={"onset": sympy.Integer(1)},
        ),
    ),
    onset_observable="p_correct",
    reference="Mroueh 2025 (arXiv 2503.06639) for the map; the dichotomy is derived here",
    guards=(
        skill.RARE,
        Guard(jumps, "the KL term holds success below one half at all updates."),
    ),
    is_map=True,
)
