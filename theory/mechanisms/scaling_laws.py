"""Empirical laws of reinforcement learning at scale, with the resource spent as a clock.

- Performance against compute C: R0 + (A - R0)/(1 + (C_mid/C)^B), a logistic in ln C whose ceiling A
  is set by the algorithm and whose B and C_mid by its efficiency (Khatri et al. 2025).
- True reward against the distance d = sqrt(KL) from where a policy started, while a proxy reward is
  optimized by reinforcement learning: d (α - β ln d), which peaks at d = exp(α/β - 1) (Gao,
  Schulman and Hilton 2023). Best-of-n sampling has d (α - β d) instead.
- Performance against the entropy H of the policy: b - a exp(H), so that b - a is the most that is
  reached when all entropy is spent (Cui et al. 2025): `performance_at_entropy`.

They describe curves and explain none; what they imply is what follows from the formula.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy

from theory.implication import Implication, ImplicationKind, Quantity
from theory.mechanism import Mechanism

T = sympy.Symbol("t", real=True)
COMPUTE, DISTANCE = sympy.symbols("compute distance", positive=True)
CLOCK, SPENT, MIDDLE, EXPONENT, FLOOR, CEILING = sympy.symbols(
    "clock compute_per_update midpoint_compute exponent floor ceiling", positive=True
)
PACE, GAIN, DECLINE = sympy.symbols("distance_per_update first_gain decline", positive=True)

NEAR = sympy.Rational(1, 10**9)
"""Distance at the start, whose logarithm must be a number."""
SHARE = COMPUTE**EXPONENT / (COMPUTE**EXPONENT + MIDDLE**EXPONENT)
TRUE_REWARD = DISTANCE * (GAIN - DECLINE * sympy.log(DISTANCE))
PEAK_DISTANCE = sympy.exp(GAIN / DECLINE - 1)
CLOCK_FACTOR = Quantity("clock", "factor on what an update spends", "", 1.0, 0.0, log_sd=0.1)


def performance_at_entropy(entropy: Any, cost: float, intercept: float) -> Any:
    """Return intercept - cost · exp(entropy)."""
    return intercept - cost * np.exp(entropy)


COMPUTE_SCALING = Mechanism(
    name="compute_scaling",
    story="Each doubling of compute multiplies the odds of the performance by the same factor.",
    state=(COMPUTE,),
    dynamics=(CLOCK * SPENT,),
    start=(sympy.Integer(0),),
    observables={"performance": FLOOR + (CEILING - FLOOR) * SHARE, "share": SHARE},
    parameters=(
        CLOCK_FACTOR,
        Quantity("midpoint_compute", "compute at half of the gain", "", 100.0, 0.0, log_sd=1.0),
        Quantity("exponent", "steepness in ln compute; the onset is free of it", "", 2.0, 0.0),
        Quantity("floor", "performance before training", "", 0.2),
        Quantity("ceiling", "performance with all compute", "", 0.6),
    ),
    conditions=(Quantity("compute_per_update", "compute that an update takes", "", 1.0, 0.0),),
    assumptions=("an empirical law, fitted beyond the first part of training",),
    implications=(
        Implication(
            ImplicationKind.FORM,
            "the curve is a Hill function: a logistic in the logarithm of compute.",
            "a constant compute_per_update",
            solution={"compute": CLOCK * SPENT * T},
            form="hill",
            where={
                "floor": FLOOR,
                "gain": CEILING - FLOOR,
                "midpoint": MIDDLE / (CLOCK * SPENT),
                "exponent": EXPONENT,
            },
            observable="performance",
        ),
        Implication(
            ImplicationKind.CONDITION,
            "the onset is proportional to 1/compute_per_update.",
            "exact",
            exponent=sympy.Integer(-1),
            condition="compute_per_update",
        ),
    ),
    onset_observable="share",
    reference="Khatri et al. 2025, The art of scaling reinforcement learning compute for LLMs "
    "(arXiv 2510.13786)",
)

OVEROPTIMIZATION = Mechanism(
    name="overoptimization",
    story="The further a policy moves to please a proxy, the less of its gain is real, until it "
    "loses.",
    state=(DISTANCE,),
    dynamics=(CLOCK * PACE,),
    start=(NEAR,),
    observables={
        "true_reward": TRUE_REWARD,
        "share": TRUE_REWARD / (DECLINE * PEAK_DISTANCE),
    },
    parameters=(
        CLOCK_FACTOR,
        Quantity("first_gain", "true reward per distance at a distance of 1", "", 0.5, 0.0),
        Quantity("decline", "its fall with the logarithm of the distance", "", 0.2, 0.0),
    ),
    conditions=(Quantity("distance_per_update", "growth of sqrt(KL)", "1/update", 0.01, 0.0),),
    assumptions=(
        "an empirical law of reinforcement learning against a learned reward",
        "sqrt(KL) from the initial policy grows steadily, or is itself the progress",
    ),
    implications=(
        Implication(
            ImplicationKind.FORM,
            "the true reward rises, peaks at a distance of peak_distance with a height of "
            "peak_reward, and falls through 0 at e times that distance.",
            "as far as the law holds",
            solution={"distance": NEAR + CLOCK * PACE * T},
            where={"peak_distance": PEAK_DISTANCE, "peak_reward": DECLINE * PEAK_DISTANCE},
            observable="true_reward",
        ),
        Implication(
            ImplicationKind.CONDITION,
            "half of the peak is reached in proportion to 1/distance_per_update.",
            "exact",
            exponent=sympy.Integer(-1),
            condition="distance_per_update",
        ),
    ),
    onset_observable="share",
    reference="Gao, Schulman and Hilton 2023, Scaling laws for reward model overoptimization "
    "(arXiv 2210.10760)",
)
