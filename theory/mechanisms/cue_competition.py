"""Goal and proxy as competing cues: three learning rules, three laws of the flip.

A level shows a goal cue of salience 1 and a proxy cue of salience r. Both point to the
rewarded one of two actions, except on conflict levels (probability alpha), where the proxy
points to the other. With x = (1, ±r) the cues seen along the rewarded action and
m = w·x the margin, each rule moves the weights by

    dw/dt = rate · [(1 - alpha) g(m_aligned) x_aligned + alpha g(m_conflict) x_conflict] / norm

- delta rule on rewards ±1 (Rescorla and Wagner 1972; Widrow and Hoff 1960): g = 1 - m, whatever
  the action was;
- policy gradient of a softmax with reward 0 or 1, no baseline (Williams 1992): g = p (1 - p)
  with p = 1/(1 + exp(-m)) the probability of the rewarded action;
- the same with the exact critic V = p and advantages divided by their root mean square:
  E[advantage · score] is again p (1 - p) and E[advantage²] = p (1 - p), so that
  norm² = E[p (1 - p)] over levels. It runs along the policy gradient's orbit by another clock.

With a salient proxy and few conflicts, behavior on conflict levels first follows the proxy and
then flips to the goal. In a batch of B levels the third rule's root mean square is that of the
batch, and its exact mean update is a quadrature (`sampled_drift`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

import numpy as np
import sympy
from scipy.special import expit

from theory.curve import FloatArray
from theory.implication import Implication, ImplicationKind, Quantity
from theory.mechanism import Guard, Mechanism, Values
from theory.mechanisms.cue_sampling import sample_weights

T = sympy.Symbol("t", real=True)
W_GOAL, W_PROXY = sympy.symbols("w_goal w_proxy")
ALPHA, RATIO, RATE, BATCH, CLOCK, HEAT = sympy.symbols(
    "alpha salience_ratio learning_rate batch_size clock inverse_temperature"
)
ALIGNED = W_GOAL + RATIO * W_PROXY
CONFLICT = W_GOAL - RATIO * W_PROXY
SPEED = RATE * CLOCK

CONDITIONS = (
    Quantity("alpha", "probability of a conflict level", "", 0.05, 0.0, 1.0),
    Quantity("salience_ratio", "salience of the proxy over that of the goal", "", 2.0, 0.0),
    Quantity("learning_rate", "step size", "1/update", 0.05, 0.0),
    Quantity("batch_size", "levels in an update", "", 64.0, 1.0),
)
PARAMETERS = (
    Quantity("clock", "factor on the step size", "", 1.0, 0.0, log_sd=0.1),
    Quantity("initial_sd", "standard deviation of the initial weights", "", 0.01, 0.0),
    Quantity("inverse_temperature", "softmax of values into choices", "", 5.0, 0.0),
)
PROXY_PHASE = Guard(
    lambda v: (1 - 2 * v["alpha"]) * v["salience_ratio"] ** 2 > 1,
    "the proxy is never preferred unless (1 - 2 alpha) salience_ratio² > 1.",
)
SHARED = (
    "two cues, linear in the margin; weights start near 0",
    "levels are drawn fresh for every update",
    "small steps: the mean update is followed",
)
# Nodes in ln s of the integral over s; the integrand is smooth, so the rule converges fast.
LOG_NODES = np.arange(-36.0, 60.0, 0.5)


def competition(gain_aligned: sympy.Expr, gain_conflict: sympy.Expr) -> tuple[sympy.Expr, ...]:
    """Return d w_goal/dt and d w_proxy/dt for gains g on aligned and conflict levels."""
    aligned, conflict = (1 - ALPHA) * gain_aligned, ALPHA * gain_conflict
    return (SPEED * (aligned + conflict), SPEED * RATIO * (aligned - conflict))


def softmax_gain(margin: sympy.Expr) -> sympy.Expr:
    """Return p (1 - p) of a margin."""
    return 1 / (4 * sympy.cosh(margin / 2) ** 2)


def sampled_drift(state: FloatArray, values: Values) -> FloatArray:
    """Return the exact mean update of the normalized rule in a batch of any size.

    For X_i = a_i² the squared advantage of level i (advantage times score is X_i along its
    cues), E[X_i / sqrt(Σ_j X_j / B)] = sqrt(B/π) ∫ s^(-1/2) E[X e^(-sX)] E[e^(-sX)]^(B-1) ds.
    An infinite batch gives the mean field.
    """
    ratio, alpha, batch = (
        np.broadcast_to(values[name], state.shape[1:])
        for name in ("salience_ratio", "alpha", "batch_size")
    )
    margins = state[0] + np.stack([ratio, -ratio]) * state[1]
    p, q, share = expit(margins), expit(-margins), np.stack([1 - alpha, alpha])
    strength = share * p * q / np.sqrt(np.sum(share * p * q, axis=0))
    if not np.all(np.isinf(batch)):
        s = np.exp(LOG_NODES).reshape(-1, *[1] * margins.ndim)
        solved, failed = p * np.exp(-s * q**2), q * np.exp(-s * p**2)
        other = np.sum(share * (solved + failed), axis=1, keepdims=True)
        with np.errstate(invalid="ignore"):
            weight = np.sqrt(s * batch / np.pi) * other ** (batch - 1)
        parts = weight * (LOG_NODES[1] - LOG_NODES[0]) * (solved * q**2 + failed * p**2)
        strength = np.where(np.isinf(batch), strength, share * np.sum(parts, axis=0))
    pushes = np.stack([strength.sum(axis=0), ratio * (strength[0] - strength[1])])
    return np.asarray(values["learning_rate"] * values["clock"] * pushes)


def observables(p_goal: sympy.Expr, p_aligned: sympy.Expr) -> dict[str, sympy.Expr]:
    """Return what is measured: choices on conflict levels, success on training levels."""
    return {
        "p_goal": p_goal,
        "p_proxy": 1 - p_goal,
        "p_correct": (1 - ALPHA) * p_aligned + ALPHA * p_goal,
        "w_goal": W_GOAL,
        "w_proxy": W_PROXY,
    }


def sigmoid(margin: sympy.Expr) -> sympy.Expr:
    """Return the logistic function in its stable form."""
    return (1 + sympy.tanh(margin / 2)) / 2


def law(exponent: sympy.Expr, valid: str) -> Implication:
    """Return the asymptotic power law of the flip in alpha."""
    return Implication(
        ImplicationKind.CONDITION,
        f"the flip time grows as alpha^({exponent}) as alpha goes to 0.",
        valid,
        exponent=exponent,
        condition="alpha",
    )


SLOW = 4 * ALPHA * SPEED * RATIO**2 / (1 + RATIO**2)
ODDS, MISMATCH = ALPHA / (1 - ALPHA), 1 - 2 * ALPHA
PEAK = sympy.log((1 - ALPHA) / ALPHA) / (2 * SPEED * MISMATCH)
EQUAL = {"salience_ratio": sympy.Integer(1)}
FLIP_DELTA = sympy.log(2 * RATIO**2 / (1 + RATIO**2)) / SLOW
DECAY_1, DECAY_2 = sympy.exp(-2 * ALPHA * SPEED * T), sympy.exp(-2 * (1 - ALPHA) * SPEED * T)

DELTA_RULE = Mechanism(
    name="cue_delta_rule",
    story="A linear value learner corrects its prediction error, so cues share the credit.",
    state=(W_GOAL, W_PROXY),
    dynamics=competition(1 - ALIGNED, 1 - CONFLICT),
    start=(sympy.Integer(0), sympy.Integer(0)),
    observables=observables(sigmoid(HEAT * CONFLICT), sigmoid(HEAT * ALIGNED)),
    parameters=PARAMETERS,
    conditions=CONDITIONS,
    assumptions=(*SHARED, "rewards ±1; the values, not the choices, are learned"),
    implications=(
        Implication(
            ImplicationKind.FORM,
            "with equal saliences the proxy weight is a transient bump, a difference of two "
            f"exponentials, with its peak at t = {PEAK}.",
            "exact for the mean field at salience_ratio = 1 and alpha < 1/2",
            solution={
                "w_goal": (1 - DECAY_1) / 2 + (1 - DECAY_2) / 2,
                "w_proxy": (DECAY_1 - DECAY_2) / 2,
            },
            case=EQUAL,
            form="bump",
            where={
                "floor": sympy.Integer(0),
                "gain": (ODDS ** (ALPHA / MISMATCH) - ODDS ** ((1 - ALPHA) / MISMATCH)) / 2,
                "peak": PEAK,
                "log_ratio": -sympy.log(ODDS),
            },
            observable="w_proxy",
        ),
        Implication(
            ImplicationKind.ONSET,
            f"behavior flips at t = {FLIP_DELTA}.",
            "within 1 % of the mean field for salience_ratio >= 1.5 and alpha <= 0.02",
            where={"flip": FLIP_DELTA},
        ),
        law(sympy.Integer(-1), "within 2 % for alpha <= 0.05 and salience_ratio from 1.5 to 3"),
    ),
    onset_observable="p_goal",
    reference="Rescorla and Wagner 1972; Widrow and Hoff 1960",
    guards=(PROXY_PHASE,),
    sampler=partial(sample_weights, "delta_rule"),
)

POLICY_GRADIENT = Mechanism(
    name="cue_policy_gradient",
    story="A softmax policy is reinforced where it succeeds, so a rare success is rarely seen.",
    state=(W_GOAL, W_PROXY),
    dynamics=competition(softmax_gain(ALIGNED), softmax_gain(CONFLICT)),
    start=(sympy.Integer(0), sympy.Integer(0)),
    observables=observables(sigmoid(CONFLICT), sigmoid(ALIGNED)),
    parameters=PARAMETERS,
    conditions=CONDITIONS,
    assumptions=(*SHARED, "reward 0 or 1, no baseline, no entropy bonus"),
    implications=(
        Implication(
            ImplicationKind.FORM,
            "with equal saliences the margins m solve m + sinh m = (share of the kind) · rate · t.",
            "exact for the mean field at salience_ratio = 1",
            case=EQUAL,
            vanishing=(
                ALIGNED + sympy.sinh(ALIGNED) - (1 - ALPHA) * SPEED * T,
                CONFLICT + sympy.sinh(CONFLICT) - ALPHA * SPEED * T,
            ),
        ),
        law(
            -(1 + RATIO**2) / 2,
            "a limit (salience_ratio > 1): at ratio 2 the local exponents between "
            "alpha = 0.2 and 0.02 are -1.8 to -2.0, and within 1 % of the limit below 1e-3; at "
            "ratio 1.2 they are -1.7 from 0.1 to 0.05 and -1.35 from 0.05 to 0.02, past the limit",
        ),
    ),
    onset_observable="p_goal",
    reference="Williams 1992; the exponent is derived here",
    guards=(PROXY_PHASE,),
    sampler=partial(sample_weights, "policy_gradient"),
)

NORMALIZED_CRITIC = Mechanism(
    name="cue_normalized_critic",
    story="A softmax policy with an exact critic divides its advantages by their spread, "
    "so that it keeps its speed when surprises get rare.",
    state=(W_GOAL, W_PROXY),
    dynamics=tuple(
        component / sympy.sqrt((1 - ALPHA) * softmax_gain(ALIGNED) + ALPHA * softmax_gain(CONFLICT))
        for component in competition(softmax_gain(ALIGNED), softmax_gain(CONFLICT))
    ),
    start=(sympy.Integer(0), sympy.Integer(0)),
    observables=observables(sigmoid(CONFLICT), sigmoid(ALIGNED)),
    parameters=PARAMETERS,
    conditions=CONDITIONS,
    assumptions=(*SHARED, "the critic is exact; root mean square over the batch"),
    implications=(
        Implication(
            ImplicationKind.FORM,
            "its orbit in the weights is that of the policy gradient; only the clock differs.",
            "exact for the mean field (infinite batch); conserved at salience_ratio = 1",
            case=EQUAL,
            vanishing=(
                ALPHA * (ALIGNED + sympy.sinh(ALIGNED))
                - (1 - ALPHA) * (CONFLICT + sympy.sinh(CONFLICT)),
            ),
        ),
        law(
            -(1 + RATIO**2) / 4,
            "a limit (salience_ratio > 1) of large batches, batch_size · alpha^((1 + r²)/2) >> 1; "
            "local exponents between alpha = 0.2 and 0.02 are -1.0 to -1.1 at ratio 2, beyond the "
            "limit at ratio 1.2 (-1.1 and -0.8), and steeper in small batches, whose limit is "
            "-(1 + r²)/2. Where the variance of the reward came from conflict levels alone the "
            "exponent would be -r²/2; aligned levels that are not yet certain share in it",
        ),
    ),
    onset_observable="p_goal",
    reference="Williams 1992; the effect of normalization is derived here",
    guards=(PROXY_PHASE,),
    drift=sampled_drift,
    sampler=partial(sample_weights, "normalized_critic"),
)

CUE_COMPETITION: Mapping[str, Mechanism] = MappingProxyType(
    {m.name: m for m in (DELTA_RULE, POLICY_GRADIENT, NORMALIZED_CRITIC)}
)
