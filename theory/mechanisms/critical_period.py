"""Critical periods as competition: two sources of the same knowledge, one silent for a while.

Two sensors see a target z of variance 1 with independent noise of variance v, and each passes
through a deep linear pathway of equal weights w, whose strength is u = w^depth. Descent on half
the squared error gives

    dw_1/dt = rate · w_1^(depth-1) (1 - (1 + v) u_1 - u_2)

and the same with 1 and 2 exchanged, but w_2 rests during a deficit, while its sensor is silent (the
simplest deficit; the competition is that of Kleinman, Achille and Soatto 2024). The optimum, 1/(2 +
v) for both, does not depend on the deficit; what does is the time to get there. What the first
source has learned leaves only v/(1 + v) of the target for the second, so that its plateau is
(1 + v)/v times as long as it would have been, and in deep pathways that plateau grows with the
smallness of the start. In a pathway of one layer there is none: the gap closes at rate · v.
"""

from __future__ import annotations

import sympy

from theory.implication import Implication, ImplicationKind, Quantity
from theory.mechanism import Mechanism

FIRST, SECOND, UPDATES = sympy.symbols("first_weight second_weight updates", nonnegative=True)
DEFICIT, DEPTH, NOISE, RATE, SCALE, STEP = sympy.symbols(
    "deficit_duration depth sensor_noise learning_rate initial_scale step_factor", positive=True
)
U_FIRST, U_SECOND = FIRST**DEPTH, SECOND**DEPTH
OPEN = sympy.Heaviside(UPDATES - DEFICIT, 1)
SPEED = RATE * STEP
RATIO = SCALE**2 + (1 - SCALE**2) * sympy.exp(-2 * SPEED * DEFICIT)

CRITICAL_PERIOD = Mechanism(
    name="critical_period",
    story="What one source has taught, another need not teach any more: a source that was silent "
    "early finds little left to learn.",
    state=(FIRST, SECOND, UPDATES),
    dynamics=(
        SPEED * FIRST ** (DEPTH - 1) * (1 - (1 + NOISE) * U_FIRST - OPEN * U_SECOND),
        SPEED * SECOND ** (DEPTH - 1) * (1 - (1 + NOISE) * U_SECOND - U_FIRST) * OPEN,
        sympy.Integer(1),
    ),
    start=(SCALE, SCALE, sympy.Integer(0)),
    observables={
        "first_strength": U_FIRST,
        "second_strength": U_SECOND,
        "share": U_SECOND / (U_FIRST + U_SECOND),
        "recovery": U_SECOND * (2 + NOISE),
    },
    parameters=(Quantity("step_factor", "factor on the step size", "", 1.0, 0.0, log_sd=0.1),),
    conditions=(
        Quantity("deficit_duration", "updates for which a source is silent", "", 1000.0, 0.0),
        Quantity("depth", "layers of weights in a pathway", "", 2.0, 1.0),
        Quantity("sensor_noise", "variance of a sensor's noise over the target's", "", 0.25, 0.0),
        Quantity("learning_rate", "step size", "1/update", 0.01, 0.0),
        Quantity("initial_scale", "weight of every layer at the start", "", 0.05, 0.0),
    ),
    assumptions=(
        "two linear pathways of equal depth with balanced weights",
        "the deficit is at the start, and silence: the pathway gets no input",
        "small steps on the expected squared error",
    ),
    implications=(
        Implication(
            ImplicationKind.CONDITION,
            "after a long deficit the plateau of the second source grows as "
            "initial_scale^-(depth - 2), and as the logarithm of 1/initial_scale for two layers; "
            "it is (1 + sensor_noise)/sensor_noise times that of a source alone.",
            "two layers or more, in the limit of small initial_scale; counted from the end of "
            "the deficit",
            exponent=2 - DEPTH,
            condition="initial_scale",
        ),
        Implication(
            ImplicationKind.CONDITION,
            "the recovery takes a time proportional to 1/sensor_noise.",
            "a limit of small sensor_noise after a long deficit",
            exponent=sympy.Integer(-1),
            condition="sensor_noise",
        ),
        Implication(
            ImplicationKind.CONDITION,
            "in pathways of one layer the difference of the strengths falls as "
            "exp(-learning_rate · sensor_noise · t) after the deficit, whatever its duration.",
            "depth = 1; exact",
            case={"depth": sympy.Integer(1)},
        ),
        Implication(
            ImplicationKind.CONDITION,
            "between sensors without noise nothing is made up for: the second source is left "
            "with a share of final_share, which falls with the duration of the deficit.",
            "sensor_noise = 0 and depth = 2; exact",
            case={"sensor_noise": sympy.Integer(0), "depth": sympy.Integer(2)},
            where={"final_share": RATIO / (1 + RATIO)},
        ),
    ),
    onset_observable="recovery",
    reference="Kleinman, Achille and Soatto 2024, Critical learning periods emerge even in deep "
    "linear networks (arXiv 2308.12221); this case and its laws are derived here",
)
