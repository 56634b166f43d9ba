"""PPO's clipping: normalized advantages, and several epochs on a batch until the ratio is clipped.

From p at collection, with spread s = sqrt(p (1 - p)), an epoch of plain gradient steps moves the
logit of the current probability p' by κ · step · p' (1 - p')/s times

    (1 - p) if p' <= (1 + clip) p,      plus      p if 1 - p' >= (1 - clip)(1 - p)

(derived here, for equal bad arms and infinite batches). The first term, of rewarded episodes,
stops once the behavior is 1 + clip times as probable. The second, of failures, goes on until they
are 1 - clip times as probable, so the clip does not cap growth: of ln p, failures add
(1 + clip) κ · step · p^(3/2) an epoch, rewards ln(1 + clip) an update.
"""

from __future__ import annotations

import numpy as np
import sympy
from scipy.special import expit, logit

from theory.curve import FloatArray
from theory.implication import Implication, ImplicationKind, Quantity
from theory.mechanism import Mechanism, Values
from theory.mechanisms import one_skill as skill

EPOCHS, CLIP = sympy.symbols("epochs clip_range", positive=True)
FREE = skill.SPEED * EPOCHS
GROWTH = sympy.Min(FREE * sympy.sqrt(skill.P * (1 - skill.P)), sympy.log(1 + CLIP))


def after_epochs(state: FloatArray, values: Values) -> FloatArray:
    """Return the probability after all epochs of an update."""
    p = np.clip(state[0], 1e-300, 1 - 1e-16)
    clip, epochs = values["clip_range"], np.asarray(values["epochs"])
    speed = skill.kappa(values) * values["learning_rate"] * values["step_factor"]
    pace, z = speed / np.sqrt(p * (1 - p)), logit(p)
    for epoch in range(int(np.max(epochs))):
        now = expit(z)
        rewarded = np.where(now <= (1 + clip) * p, 1 - p, 0.0)
        failed = np.where(1 - now >= (1 - clip) * (1 - p), p, 0.0)
        z = z + np.where(epoch < epochs, pace * now * (1 - now) * (rewarded + failed), 0.0)
    return np.asarray([expit(z)])


CLIPPED_POLICY_GRADIENT = Mechanism(
    name="clipped_policy_gradient",
    story="A batch may make a behavior only so much more probable, so that a rare one waits and a "
    "less rare one grows by the same factor an update.",
    state=(skill.P,),
    dynamics=(skill.P / (skill.P + (1 - skill.P) * sympy.exp(-GROWTH)),),
    start=(skill.START,),
    observables={"p_correct": skill.P},
    parameters=(skill.STEP_FACTOR,),
    conditions=(
        skill.INITIAL,
        Quantity("learning_rate", "step size", "1/epoch", 0.5, 0.0),
        skill.N_ARMS,
        Quantity("epochs", "gradient steps on a batch", "", 10.0, 1.0),
        Quantity("clip_range", "change of a ratio at which it is clipped", "", 0.2, 0.0, 1.0),
    ),
    assumptions=(
        *skill.SHARED,
        "advantages over their standard deviation, of infinite batches",
        "plain gradient steps, the whole batch at each",
    ),
    implications=(
        Implication(
            ImplicationKind.ONSET,
            "the clip binds above `binding`; from there the onset comes at the latest after "
            "`latest` updates.",
            "`binding` to leading order in clip_range; `latest` is rounded up, a bound as long as "
            "the clip binds: at 10 epochs of step size 0.5, clip_range 0.2 and 10 arms onsets are "
            "0.6 to 0.7 of it for initial_probability from 0.001 to 0.01",
            where={
                "binding": (CLIP / FREE) ** 2,
                "latest": sympy.log(1 / (2 * skill.START)) / sympy.log(1 + CLIP),
            },
        ),
        Implication(
            ImplicationKind.CONDITION,
            "the onset grows as initial_probability^(-1/2) where the clip does not bind, and as "
            "the logarithm of 1/initial_probability where it does.",
            "a limit of initial_probability << (clip_range/(epochs · step size))²; in the setting "
            "above the local exponent is -0.47 from 1e-6 to 1e-5 and -0.27 between 3e-4 and 3e-3",
            exponent=sympy.Rational(-1, 2),
            condition="initial_probability",
        ),
    ),
    onset_observable="p_correct",
    reference="Schulman, Wolski, Dhariwal, Radford and Klimov 2017 (arXiv 1707.06347); the laws "
    "are derived here",
    guards=(skill.RARE,),
    is_map=True,
    drift=after_epochs,
)
