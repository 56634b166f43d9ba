"""A lock with process rewards: a share of the reward comes piece by piece, for each right choice.

At each of H steps, a policy of its own picks the right one of K arms with probability p. Each right
choice earns f · reward/H, whatever the others are, and all of them together (1 - f) · reward with
the last. Undiscounted, all steps are alike: a step's logit is moved by its own piece and by the
common reward, so that with κ = K/(K - 1)

    dp/dt = κ · step · reward · [f/H + (1 - f) gamma^(H - 1) p^(H - 1)] p² (1 - p)²,

which is `theory.mechanisms.lock` at f = 0 and a bandit a step at f = 1. Shaping by a potential adds
nothing (Ng, Harada and Russell 1999): what follows a step sums to a number that its choice does not
change.
"""

from __future__ import annotations

import numpy as np
import sympy

from theory.implication import Implication, ImplicationKind, Quantity
from theory.mechanism import Guard, Mechanism
from theory.mechanisms import one_skill as skill
from theory.mechanisms.lock import GAMMA, HORIZON, LOCK, elapsed
from theory.mechanisms.softmax_policy_gradient import BEHIND

FRACTION = sympy.Symbol("process_fraction", nonnegative=True)
SPEED = skill.SPEED * skill.REWARD
PIECE = FRACTION / HORIZON
WHOLE = (1 - FRACTION) * (GAMMA * skill.P) ** (HORIZON - 1)
SHOWN = sympy.Integer(4)

PROCESS_LOCK = Mechanism(
    name="process_lock",
    story="Pieces of the reward for each right choice spare a chain the wait for the whole.",
    state=(skill.P,),
    dynamics=(SPEED * (PIECE + WHOLE) * skill.P**2 * (1 - skill.P) ** 2,),
    start=(skill.START,),
    observables={"p_correct": skill.P**HORIZON, "p_step": skill.P},
    parameters=LOCK.parameters,
    conditions=(
        *LOCK.conditions,
        Quantity("process_fraction", "share given piece by piece", "", 0.5, 0.0, 1.0),
    ),
    assumptions=(
        "a softmax policy with logits of its own at every step; all steps are alike",
        "REINFORCE of the discounted return, without baseline or entropy bonus, plain steps",
        "undiscounted, unless nothing is given piece by piece",
        "small steps: the mean update is followed",
    ),
    implications=(
        Implication(
            ImplicationKind.FORM,
            "with process rewards alone every step is a bandit of its own, with the horizon-th "
            "part of the reward.",
            "exact for the mean field at process_fraction = 1",
            case={"process_fraction": sympy.Integer(1)},
            vanishing=(
                1 / (1 - skill.P)
                - 1 / skill.P
                + 2 * sympy.log(skill.P / (1 - skill.P))
                + BEHIND
                - SPEED / HORIZON * skill.T,
            ),
        ),
        Implication(
            ImplicationKind.FORM,
            "without them it is the lock.",
            f"exact for the mean field at process_fraction = 0; shown for {SHOWN} steps",
            case={"process_fraction": sympy.Integer(0), "horizon": SHOWN},
            vanishing=(
                elapsed(skill.P, SHOWN)
                - elapsed(skill.START, SHOWN)
                - SPEED * GAMMA ** (SHOWN - 1) * skill.T,
            ),
        ),
        Implication(
            ImplicationKind.CONDITION,
            "the onset grows as 1/process_fraction.",
            "a limit of small initial_probability, the sooner the longer the chain: "
            "process_fraction >> horizon · initial_probability^(horizon - 1)",
            exponent=sympy.Integer(-1),
            condition="process_fraction",
        ),
        Implication(
            ImplicationKind.CONDITION,
            "the onset grows as initial_probability^-1, whatever the horizon.",
            "a limit of small initial_probability at positive process_fraction",
            exponent=sympy.Integer(-1),
            condition="initial_probability",
        ),
    ),
    onset_observable="p_correct",
    reference="Ng, Harada and Russell 1999 (ICML) for what shaping leaves unchanged; the equations "
    "are derived here",
    guards=(
        *LOCK.guards,
        Guard(
            lambda v: bool(
                np.all((np.asarray(v["gamma"]) == 1) | (np.asarray(v["process_fraction"]) == 0))
            ),
            "with a discount, process rewards are worth less at later steps, so that steps part.",
        ),
    ),
)
