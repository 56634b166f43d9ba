"""Deep linear networks: one mode of the input-output map leaves the saddle at 0.

A mode of singular value s passes through L layers of equal weights w, its strength is w^L, and
gradient descent on half the squared error follows dw/dt = rate · w^(L-1) (s - w^L). Two layers
give a logistic; more give a plateau that is a power of the start instead of a logarithm.

Two layers with h hidden units and independent normal weights a, b in R^h are not balanced. With
p = (a + b)/2 and q = (a - b)/2 the strength is a·b = p·p - q·q; p grows by rate · (s - a·b) and
keeps its direction, while q shrinks as fast and is gone when p has grown. So a run is that of
balanced weights started at p·p, which is initial_scale²/2 times a chi-square of h degrees of
freedom. The logarithm of the start scatters alike whatever its scale, and the onset with a
standard deviation of sqrt(ψ'(h/2))/2 over rate · s (ψ' is the trigamma function): 1.111 over
rate · s for one hidden unit, with skewness 1.535.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import sympy

from theory.curve import FloatArray
from theory.implication import Implication, ImplicationKind, Quantity
from theory.mechanism import Guard, Mechanism, Values
from theory.onset_laws import Tails, gamma_of_moments

T = sympy.Symbol("t", real=True)
WEIGHT = sympy.Symbol("weight", positive=True)
TARGET, RATE, SCALE, HIDDEN, DEPTH, STEP = sympy.symbols(
    "singular_value learning_rate initial_scale hidden_units depth step_factor", positive=True
)


def random_start(log_t: FloatArray, values: Values) -> Tails:
    """Return onsets from normal weights: p·p starts as initial_scale² times gamma(h/2) draws.

    The onset comes before t if the start is above that of a logistic that is half way at t.
    """
    speed = values["learning_rate"] * values["step_factor"] * values["singular_value"]
    log_start = np.log(values["singular_value"]) - np.logaddexp(0.0, 2 * speed * np.exp(log_t))
    half = np.broadcast_to(np.asarray(values["hidden_units"]) / 2.0, log_t.shape)
    below, above = gamma_of_moments(log_start - 2 * np.log(values["initial_scale"]), half, half)
    return above, below


def layered(name: str, depth: sympy.Expr, start: sympy.Expr, **fields: object) -> Mechanism:
    """Return a mode behind `depth` layers of equal weights."""
    return Mechanism(
        name=name,
        state=(WEIGHT,),
        dynamics=(RATE * STEP * WEIGHT ** (depth - 1) * (TARGET - WEIGHT**depth),),
        start=(start,),
        observables={"strength": WEIGHT**depth, "share": WEIGHT**depth / TARGET},
        parameters=(Quantity("step_factor", "factor on the step size", "", 1.0, 0.0, log_sd=0.1),),
        onset_observable="share",
        **fields,  # type: ignore[arg-type]
    )


COMMON = (
    Quantity("singular_value", "of the input-output correlation, the mode's target", "", 1.0, 0.0),
    Quantity("learning_rate", "step size", "1/update", 0.01, 0.0),
)
WHITE = ("inputs are white", "modes do not share weights", "small steps on the squared error")
START = SCALE**2 * HIDDEN / 2
SPEED = 2 * RATE * STEP * TARGET
MIDPOINT = sympy.log(TARGET / START - 1) / SPEED


def _starts_low(values: Mapping[str, object]) -> bool:
    scale, hidden = np.asarray(values["initial_scale"]), np.asarray(values["hidden_units"])
    return bool(np.all(scale**2 * hidden < np.asarray(values["singular_value"])))


def _starts_low_deep(values: Mapping[str, object]) -> bool:
    strength = np.asarray(values["initial_scale"]) ** np.asarray(values["depth"])
    return bool(np.all(strength < np.asarray(values["singular_value"]) / 2))


LATE = "more than half of the singular value is there from the start."

DEEP_LINEAR = layered(
    "deep_linear",
    sympy.Integer(2),
    sympy.sqrt(START),
    story="Each layer learns as fast as the other has learned, so that a mode leaves the saddle "
    "at 0 exponentially, strong modes first.",
    conditions=(
        *COMMON,
        Quantity("initial_scale", "standard deviation of the initial weights", "", 0.03, 0.0),
        Quantity("hidden_units", "hidden units that a mode may use", "", 1.0, 1.0),
    ),
    assumptions=(*WHITE, "two layers with independent normal weights"),
    implications=(
        Implication(
            ImplicationKind.FORM,
            "the strength is a logistic, from where a run happens to start.",
            "weights small at the start; the mean field starts from the mean of p·p",
            solution={
                "weight": sympy.sqrt(TARGET / (1 + (TARGET / START - 1) * sympy.exp(-SPEED * T)))
            },
            form="logistic",
            where={
                "floor": sympy.Integer(0),
                "gain": TARGET,
                "rate": SPEED,
                "midpoint": MIDPOINT,
            },
            observable="strength",
        ),
        Implication(
            ImplicationKind.ONSET,
            "the onset scatters as the logarithm of a chi-square start does: by "
            "sqrt(ψ'(hidden_units/2))/2 over learning_rate · singular_value, whatever the scale.",
            "small initial_scale: corrections fall as initial_scale⁴",
        ),
        Implication(
            ImplicationKind.CONDITION,
            "the onset grows as the logarithm of 1/initial_scale: the exponent goes to 0.",
            "a limit of small initial_scale",
            exponent=sympy.Integer(0),
            condition="initial_scale",
        ),
    ),
    reference="Saxe, McClelland and Ganguli 2014 (arXiv 1312.6120), eq. 12; the law of the onset "
    "is derived here",
    guards=(Guard(_starts_low, LATE),),
    onset_law=random_start,
)

DEEPER_LINEAR = layered(
    "deeper_linear",
    DEPTH,
    SCALE,
    story="With three layers or more even the relative growth of a mode waits for the others, so "
    "that the plateau is a power of the start.",
    conditions=(
        *COMMON,
        Quantity("initial_scale", "weight of every layer at the start", "", 0.1, 0.0),
        Quantity("depth", "layers of weights", "", 3.0, 3.0),
    ),
    assumptions=(*WHITE, "balanced layers: equal weights from the start"),
    implications=(
        Implication(
            ImplicationKind.CONDITION,
            "the plateau grows as initial_scale^-(depth - 2), that is as the initial strength to "
            "the power -(1 - 2/depth).",
            "a limit of small initial_scale",
            exponent=2 - DEPTH,
            condition="initial_scale",
        ),
        Implication(
            ImplicationKind.CONDITION,
            "the onset grows as singular_value^-1, whatever the depth.",
            "a limit of small initial_scale",
            exponent=sympy.Integer(-1),
            condition="singular_value",
        ),
    ),
    reference="Saxe, McClelland and Ganguli 2014 (arXiv 1312.6120); the exponent is derived here",
    guards=(Guard(_starts_low_deep, LATE),),
)
