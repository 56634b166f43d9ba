"""First hit: nothing happens until the reward is found once, and then everything does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy

from theory.curve import FloatArray
from theory.implication import Implication, ImplicationKind
from theory.mechanism import Mechanism, Values
from theory.mechanisms import one_skill as skill
from theory.onset_laws import Tails, exponential

SEARCH = skill.BATCH * skill.START * skill.STEP
FOUND = sympy.Symbol("found", nonnegative=True)


def first(log_t: FloatArray, values: Values) -> Tails:
    """Return the wait for the first of the episodes that find the reward by chance."""
    rate = values["batch_size"] * values["initial_probability"] * values["step_factor"]
    return exponential(log_t, np.asarray(rate, dtype=np.float64))


def sample_steps(
    values: Mapping[str, Any], t: FloatArray, *, rng: np.random.Generator, n_runs: int
) -> FloatArray:
    """Draw runs that have found the reward (1) or not yet (0), (n_runs, n, 1)."""
    rate = values["batch_size"] * values["initial_probability"] * values["step_factor"]
    onsets = rng.exponential(1 / rate, n_runs)
    return np.asarray(t >= onsets[:, None], dtype=np.float64)[:, :, None]


FIRST_HIT = Mechanism(
    name="first_hit",
    story="The agent searches blindly until it finds the reward, and one success is enough.",
    state=(FOUND,),
    dynamics=(SEARCH * (1 - FOUND),),
    start=(sympy.Integer(0),),
    observables={"p_correct": FOUND},
    parameters=(skill.STEP_FACTOR,),
    conditions=(skill.INITIAL, skill.BATCH_SIZE),
    assumptions=("search does not improve before the first reward", "one reward teaches it all"),
    implications=(
        Implication(
            ImplicationKind.FORM,
            "a single run is a step; the mean over runs is an exponential approach.",
            "exact; the mean over runs is the mean field, no run looks like it",
            solution={"found": 1 - sympy.exp(-SEARCH * skill.T)},
            form="exponential_approach",
            where={"floor": sympy.Integer(0), "gain": sympy.Integer(1), "rate": SEARCH},
            observable="p_correct",
        ),
        Implication(
            ImplicationKind.ONSET,
            "the onset is exponentially distributed: coefficient of variation 1, skewness 2.",
            "exact",
        ),
        Implication(
            ImplicationKind.CONDITION,
            "the onset grows as initial_probability^-1 and as batch_size^-1.",
            "exact",
            exponent=sympy.Integer(-1),
            condition="initial_probability",
        ),
    ),
    onset_observable="p_correct",
    reference="the memoryless search of every exploration bound; Zhao et al. 2025 (arXiv "
    "2502.17356) for steps in runs under a smooth mean",
    guards=(skill.RARE,),
    sampler=sample_steps,
    onset_law=first,
)
