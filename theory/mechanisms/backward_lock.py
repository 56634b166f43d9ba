"""A lock learned from its end: a backward curriculum, whose start moves back with success.

Episodes start k steps before the end of a lock of H steps, as if all before had been done right; k
begins at 1 and grows by one when the last k steps succeed with a chance q of at least the
threshold. What rewarded episodes have moved is one number, the practice s: with κ = K/(K - 1)

    ds/dt = κ · step · reward · gamma^(k - 1) q(s),

k and q being functions of s alone, so that s is a quadrature: the work w = ∫ gamma^(1 - k) ds/q
grows evenly (`theory.mechanisms.backward_stages`). A new step is rare among steps that are nearly
sure, so that each waits like a lock of one step, and the whole H times as long, instead of
exponentially long.
"""

from __future__ import annotations

import numpy as np
import sympy

from theory.implication import Implication, ImplicationKind, Quantity
from theory.mechanism import Guard, Mechanism
from theory.mechanisms import one_skill as skill
from theory.mechanisms.backward_births import hits
from theory.mechanisms.backward_stages import present, stage, whole
from theory.mechanisms.lock import GAMMA, HORIZON, LOCK, elapsed

WORK, THRESHOLD = sympy.symbols("work curriculum_threshold", nonnegative=True)
SETTING = (skill.START, THRESHOLD, HORIZON)
SPEED = skill.SPEED * skill.REWARD
SHOWN = sympy.Integer(4)
K = sympy.Symbol("k", integer=True, positive=True)


ONSET = sympy.Sum(GAMMA ** (1 - K) * stage(K, *SETTING), (K, 1, HORIZON)) / SPEED
ESCAPE = sympy.Sum(GAMMA ** (1 - K), (K, 1, HORIZON)) / (SPEED * skill.START)

BACKWARD_LOCK = Mechanism(
    name="backward_lock",
    story="A chain that is learned from its end waits for one new step at a time, so that a longer "
    "one waits longer about in proportion.",
    state=(WORK,),
    dynamics=(SPEED,),
    start=(sympy.Integer(0),),
    observables={
        "p_correct": whole(WORK, *SETTING, GAMMA),
        "p_present": present(WORK, *SETTING, GAMMA),
    },
    parameters=LOCK.parameters,
    conditions=(
        *LOCK.conditions,
        Quantity(
            "curriculum_threshold",
            "chance of success at which the start moves a step back; none where 0",
            "",
            0.8,
            0.0,
            1.0,
        ),
    ),
    assumptions=(
        *LOCK.assumptions,
        "episodes start ever earlier, steps before their start are as if done right",
        "the reward is discounted from the start of the episode on",
    ),
    implications=(
        Implication(
            ImplicationKind.FORM,
            "without a threshold it is the lock.",
            "exact for the mean field, at thresholds of at most initial_probability^(horizon - 1); "
            f"shown for {SHOWN} steps",
            case={"curriculum_threshold": sympy.Integer(0), "horizon": SHOWN},
            vanishing=(
                elapsed(whole(WORK, *SETTING, GAMMA) ** (1 / SHOWN), SHOWN)
                - elapsed(skill.START, SHOWN)
                - SPEED * GAMMA ** (SHOWN - 1) * skill.T,
            ),
        ),
        Implication(
            ImplicationKind.ONSET,
            "the onset is a sum over stages, each the integral of 1/q over its practice. The "
            "escape is that of one lock of one step after the other, of small "
            "initial_probability: the onset tends to between one and 1/threshold times it.",
            "the sum is exact for the mean field and whole horizons; the limit is of "
            "initial_probability << 1 - curriculum_threshold",
            where={"onset": ONSET, "escape": ESCAPE},
        ),
        Implication(
            ImplicationKind.ONSET,
            "the logits are a chain of births: all runs are moved alike by the n-th rewarded "
            "episode, the wait for which is geometric.",
            "exact for batches of one episode but for the rounding of waits to whole updates, of "
            "which the mean is kept; after 800 rewards a gamma law of small steps stands in",
        ),
        Implication(
            ImplicationKind.CONDITION,
            "the onset grows in proportion to the horizon.",
            "undiscounted, to a factor between one and 1/threshold: the limit of small "
            "initial_probability first and then of a threshold near one. In the other order, "
            "1 - curriculum_threshold << initial_probability, the slow ends of the stages take "
            "the time, each longer than the one before, and the onset grows faster",
            exponent=sympy.Integer(1),
            condition="horizon",
        ),
        Implication(
            ImplicationKind.CONDITION,
            "the onset grows as initial_probability^-1, whatever the horizon.",
            "a limit of small initial_probability at a threshold above it: "
            "initial_probability << curriculum_threshold, 1 - curriculum_threshold",
            exponent=sympy.Integer(-1),
            condition="initial_probability",
        ),
    ),
    onset_observable="p_correct",
    reference="Florensa, Held, Wulfmeier, Zhang and Abbeel 2017 (arXiv 1707.05300) for starts that "
    "move back from the goal; the equations are derived here",
    guards=(
        *LOCK.guards,
        Guard(
            lambda v: bool(np.all(np.asarray(v["curriculum_threshold"]) < 1)),
            "the start never moves back at a threshold of one.",
        ),
        Guard(
            lambda v: bool(np.all(np.asarray(v["horizon"]) % 1 == 0)),
            "horizon must be whole, for stages to be counted.",
        ),
    ),
    onset_law=hits,
)
