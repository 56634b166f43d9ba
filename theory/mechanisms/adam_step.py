"""Adam on a rare reward: steps in units of the root mean square of the gradients that were seen.

Adam moves a logit by the step size times a mean of its gradients over their root mean square, so
that the size of a gradient cancels: of a batch of B episodes with j rewards only j counts. With
E[j] = B p and E[j²] = B p (1 - p) + (B p)², the rewarded logit rises and every other one falls by

    step · sqrt(B p / (1 - p + B p)) · c(λ) a update,     λ = B p / (1 - beta_2)

where λ counts rewards within the memory of the mean square. c goes to 1 for λ >> 1; below, a reward
meets a mean square that has forgotten all others, and c = sqrt(λ): every reward moves a logit by
the same step/sqrt(1 - beta_2). In between, past rewards at Poisson times leave a sum S, and

    c(λ) = sqrt(λ) E[(1 + S)^(-1/2)] = sqrt(λ/π) ∫ x^(-1/2) exp(-x - λ Ein(x)) dx

with Ein(x) = ∫ (1 - e^(-u))/u du from 0 to x (Campbell's theorem; derived here).
"""

from __future__ import annotations

import numpy as np
import sympy
from scipy.special import exp1

from theory.curve import FloatArray
from theory.implication import Implication, ImplicationKind, Quantity
from theory.mechanism import Mechanism, Values
from theory.mechanisms import one_skill as skill

BETA2 = sympy.Symbol("beta_2", positive=True)
FASTEST = 2 * skill.RATE * skill.STEP
SHARE = sympy.sqrt(skill.P / ((1 - skill.P) / skill.BATCH + skill.P))
# Nodes in ln x; the integrand is smooth there, so the trapezoidal rule converges fast.
NODES = np.exp(np.arange(-80.0, 6.0, 0.25))
EIN = np.where(NODES < 1e-8, NODES, exp1(NODES) + np.log(NODES) + np.euler_gamma)


def forgetting(seen: FloatArray) -> FloatArray:
    """Return c(λ) for `seen` rewards within the memory of the mean square."""
    finite = np.where(np.isinf(seen), 1.0, seen)
    x, ein = (nodes.reshape(-1, *[1] * finite.ndim) for nodes in (NODES, EIN))
    terms = np.sqrt(x) * np.exp(-x - finite * ein)
    c = np.sqrt(finite / np.pi) * np.sum(terms, axis=0) * np.log(NODES[1] / NODES[0])
    return np.where(np.isinf(seen), 1.0, c)


def normalized_drift(state: FloatArray, values: Values) -> FloatArray:
    """Return the mean update at a mean square in equilibrium, for any memory."""
    p = np.clip(state[0], 1e-300, 1 - 1e-16)
    batch = np.asarray(values["batch_size"], dtype=np.float64)
    with np.errstate(divide="ignore"):
        seen = np.broadcast_to(batch * p / (1 - np.asarray(values["beta_2"])), p.shape)
    share = np.sqrt(p / ((1 - p) / batch + p)) * forgetting(seen)
    speed = 2 * values["learning_rate"] * values["step_factor"]
    return np.asarray([speed * share * p * (1 - p)])


ADAM_STEP = Mechanism(
    name="adam_step",
    story="Adam divides gradients by the size of those it remembers, so that rare rewards move "
    "the policy almost as fast as frequent ones.",
    state=(skill.P,),
    dynamics=(FASTEST * SHARE * skill.P * (1 - skill.P),),
    start=(skill.START,),
    observables={"p_correct": skill.P},
    parameters=(skill.STEP_FACTOR,),
    conditions=(
        skill.INITIAL,
        Quantity("learning_rate", "step size", "1/update", 1e-4, 0.0),
        Quantity("batch_size", "episodes in an update", "", 8.0, 1.0),
        Quantity("beta_2", "share of the mean square that an update keeps", "", 0.999, 0.0, 1.0),
    ),
    assumptions=(
        *skill.SHARED,
        "no baseline; the mean of gradients forgets much sooner than their mean square",
        "learning_rate << 1 - beta_2: the mean square keeps up, else onsets come sooner",
    ),
    implications=(
        Implication(
            ImplicationKind.FORM,
            "the curve is a logistic, whatever the reward.",
            "infinite batches; initial_probability · batch_size >> 1",
            case={"batch_size": sympy.oo},
            form="logistic",
            where={
                "floor": sympy.Integer(0),
                "gain": sympy.Integer(1),
                "rate": FASTEST,
                "midpoint": sympy.log((1 - skill.START) / skill.START) / FASTEST,
            },
            observable="p_correct",
        ),
        Implication(
            ImplicationKind.ONSET,
            "a reward that comes after all others are forgotten moves the logit by the same "
            "jump, whatever its size and the batch.",
            "initial_probability · batch_size << 1 - beta_2",
            where={"jump": FASTEST / sympy.sqrt(1 - BETA2)},
        ),
        Implication(
            ImplicationKind.CONDITION,
            "the onset grows as ln(1/initial_probability) where batches hold rewards, as "
            "initial_probability^(-1/2) where the memory does, and as initial_probability^-1 "
            "where neither does.",
            "a limit of 1 - beta_2 << initial_probability · batch_size << 1; with 8 episodes and "
            "beta_2 = 0.999 local exponents by decades from 0.01 to 1e-5 are -0.47, -0.54, -0.75; "
            "the mean square lags, so that onsets are early by up to ln(1/initial_probability)/"
            "(1 - beta_2) updates",
            exponent=sympy.Rational(-1, 2),
            condition="initial_probability",
        ),
    ),
    onset_observable="p_correct",
    reference="Kingma and Ba 2015 (arXiv 1412.6980); the laws are derived here",
    guards=(skill.RARE,),
    drift=normalized_drift,
)
