"""The RL perceptron: a policy that is rewarded only if it decides right T times in a row.

A perceptron w in D dimensions sees T normal inputs x in an episode and answers y = sign(w·x); a
teacher w* of squared norm D answers sign(w*·x). If all answers agree the episode is rewarded and w
moves by rate/(T sqrt(D)) Σ y x. In high dimension two numbers obey differential equations in
episodes/D, the overlap R = w·w*/D and the squared norm Q = w·w/D. With ρ = R/sqrt(Q) the alignment
and P = 1 - arccos(ρ)/π the chance of a right answer:

    dR = rate/sqrt(2π) (1 + ρ) P^(T-1)
    dQ = rate sqrt(2Q/π) (1 + ρ) P^(T-1) + rate²/T P^T

From ρ = 0 rewards come once in 2^T episodes, until ρ is of the order of 1/T. With small steps
sqrt(Q) (1 - ρ) is conserved, and the time to an alignment ρ is
sqrt(2π Q0)/rate ∫ dρ/((1 - ρ)² (1 + ρ) P^(T-1)): to leading order in 1/T,
sqrt(2π Q0) π 2^(T-2)/(rate (T-1)), in units of D episodes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy

from theory.curve import FloatArray, Progress, Schedule
from theory.implication import Implication, ImplicationKind, Quantity
from theory.mechanism import Guard, Mechanism

OVERLAP, NORM = sympy.symbols("overlap squared_norm", positive=True)
DECISIONS, RATE, DIMENSION, ALIGNED, START_NORM, STEP = sympy.symbols(
    "n_decisions learning_rate dimension initial_alignment initial_squared_norm step_factor",
    positive=True,
)
ALIGNMENT = OVERLAP / sympy.sqrt(NORM)
RIGHT = 1 - sympy.acos(ALIGNMENT) / sympy.pi
PULL = (1 + ALIGNMENT) * RIGHT ** (DECISIONS - 1) * RATE * STEP / sympy.sqrt(2 * sympy.pi)
PLATEAU = (
    DIMENSION
    * sympy.sqrt(2 * sympy.pi * START_NORM)
    * (sympy.pi / (RATE * STEP * (DECISIONS - 1)))
    * 2 ** (DECISIONS - 2)
)


def sample_overlaps(
    values: Mapping[str, Any], t: FloatArray, *, rng: np.random.Generator, n_runs: int
) -> FloatArray:
    """Draw runs by their overlap and squared norm, which are a Markov chain: (n_runs, n, 2).

    In the plane of student and teacher inputs are two normals; of the other D - 2 dimensions only
    the length of the update matters, a chi-square.

    Raises
    ------
    ValueError
        If `t` holds fractions, decisions are no whole number, or a condition drifts.
    """
    drifting = sorted(name for name, value in values.items() if isinstance(value, Schedule))
    if drifting:
        raise ValueError(f"episodes are sampled at constant conditions; {drifting[0]} drifts.")
    if np.any(t % 1) or values["n_decisions"] % 1:
        raise ValueError("t and n_decisions must hold whole numbers to sample episodes.")
    decisions, dimension = int(values["n_decisions"]), values["dimension"]
    step = values["learning_rate"] * values["step_factor"] / decisions
    norm = np.full(n_runs, values["initial_squared_norm"])
    overlap = values["initial_alignment"] * np.sqrt(norm)
    kept = np.empty((n_runs, t.size, 2))
    for episode in range(int(t[-1]) + 1):
        for index in np.flatnonzero(t == episode):
            kept[:, index] = np.stack([overlap, norm], axis=1)
        teacher, across = rng.normal(size=(2, decisions, n_runs))
        aside = np.sqrt(np.maximum(norm - overlap**2, 0.0))
        field = overlap * teacher + aside * across
        rewarded = np.all(field * teacher > 0, axis=0)
        answer = np.sign(field)
        length = np.sum(answer * teacher, axis=0) ** 2 + np.sum(answer * across, axis=0) ** 2
        length = length + decisions * rng.chisquare(dimension - 2, n_runs)
        grown = 2 * step * np.sum(np.abs(field), axis=0) + step**2 * length / dimension
        norm = norm + rewarded * grown / dimension
        overlap = overlap + rewarded * step * np.sum(answer * teacher, axis=0) / dimension
    return kept


RL_PERCEPTRON = Mechanism(
    name="rl_perceptron",
    story="Reward needs every decision of an episode to be right, so that chance alone starts "
    "learning, and each further decision halves the chance.",
    state=(OVERLAP, NORM),
    dynamics=(
        PULL / DIMENSION,
        (2 * sympy.sqrt(NORM) * PULL + (RATE * STEP) ** 2 / DECISIONS * RIGHT**DECISIONS)
        / DIMENSION,
    ),
    start=(ALIGNED * sympy.sqrt(START_NORM), START_NORM),
    observables={
        "alignment": ALIGNMENT,
        "p_correct": RIGHT,
        "episodic_return": RIGHT**DECISIONS,
    },
    parameters=(Quantity("step_factor", "factor on the step size", "", 1.0, 0.0, log_sd=0.1),),
    conditions=(
        Quantity("n_decisions", "decisions that must all be right", "", 4.0, 1.0),
        Quantity("learning_rate", "step size", "", 1.0, 0.0),
        Quantity("dimension", "of the inputs", "", 400.0, 3.0),
        Quantity("initial_alignment", "cosine between student and teacher", "", 0.0, -1.0, 1.0),
        Quantity("initial_squared_norm", "of the weights, over the dimension", "", 1.0, 0.0),
    ),
    assumptions=(
        "independent normal inputs of high dimension",
        "a reward of 1 if all decisions are right, none otherwise; no penalty, no baseline",
        "updates along the answers given, averaged over the episode",
    ),
    implications=(
        Implication(
            ImplicationKind.FORM,
            "with small steps sqrt(squared_norm) - overlap is conserved: the student grows along "
            "the teacher alone.",
            "a limit of small learning_rate",
            observable="alignment",
        ),
        Implication(
            ImplicationKind.CONDITION,
            "a further decision lengthens the plateau by exp(ln 2 - 1/n_decisions), less than "
            "twice, since reward helps itself sooner.",
            "many decisions, from an alignment of 0; the plateau then takes `plateau` episodes",
            where={"plateau": PLATEAU},
        ),
        Implication(
            ImplicationKind.CONDITION,
            "the onset is proportional to the dimension.",
            "exact in high dimension",
            exponent=sympy.Integer(1),
            condition="dimension",
        ),
    ),
    onset_observable="alignment",
    reference="Patel, Lee, Sarao Mannelli, Goldt and Saxe 2025, The RL perceptron (arXiv "
    "2306.10404); the length of the plateau is derived here",
    progress=Progress.EPISODES,
    guards=(
        Guard(
            lambda v: bool(np.all(np.asarray(v["initial_alignment"]) < 0.5)),
            "initial_alignment is above one half from the start.",
        ),
    ),
    sampler=sample_overlaps,
)
