"""What the theories of one rewarded behavior among K share: conditions, and chances of hits.

The agent picks one of K arms; one is rewarded with `reward`, the others are equal. With z the logit
of the rewarded arm, p = 1/(1 + e^(-z)), and κ = K/(K - 1), a policy gradient moves z by κ times
the step size times the advantage, p by p (1 - p) times that (exact for equal bad arms).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy
from scipy.special import expit, logit

from theory.curve import FloatArray
from theory.implication import Quantity
from theory.mechanism import Guard, Values
from theory.onset_laws import Tails, gamma_of_moments

T = sympy.Symbol("t", real=True)
P = sympy.Symbol("p", positive=True)
START, RATE, REWARD, ARMS, BATCH, STEP = sympy.symbols(
    "initial_probability learning_rate reward n_arms batch_size step_factor", positive=True
)
KAPPA = ARMS / (ARMS - 1)
SPEED = KAPPA * RATE * STEP

INITIAL = Quantity(
    "initial_probability", "chance of the rewarded arm before training", "", 0.01, 0.0, 1.0
)
LEARNING_RATE = Quantity("learning_rate", "step size", "1/update", 0.1, 0.0)
SIZE = Quantity("reward", "reward of the rewarded arm", "", 1.0, 0.0)
N_ARMS = Quantity("n_arms", "arms to choose from", "", 10.0, 2.0)
BATCH_SIZE = Quantity("batch_size", "episodes in an update", "", 1.0, 1.0)
STEP_FACTOR = Quantity("step_factor", "factor on the step size", "", 1.0, 0.0, log_sd=0.1)

RARE = Guard(
    lambda v: bool(np.all(np.asarray(v["initial_probability"]) < 0.5)),
    "initial_probability is above one half from the start.",
)
SHARED = (
    "one rewarded arm; the others are alike and never rewarded",
    "softmax policy with a logit an arm",
)
NODES, WEIGHTS = np.polynomial.legendre.leggauss(48)


def kappa(values: Values) -> Any:
    """Return K/(K - 1), numerically."""
    return values["n_arms"] / (values["n_arms"] - 1)


def drifting_onsets(log_t: FloatArray, values: Values, mean: Any, variance: Any) -> Tails:
    """Return gamma onsets with the mean and variance of many small random steps of the logit.

    With mean a(p) and variance b(p) of an update of the logit z, a passage from z0 to 0 takes
    ∫ dz/a on average, with variance ∫ b/a³ dz (renewal theory: Cox 1962, sec. 3.3; the leading
    order of the system-size expansion: van Kampen 2007, ch. X).

    Parameters
    ----------
    mean, variance : callables
        From p (N, n) to (N, n), the values being (N, 1).
    """
    low = logit(np.asarray(values["initial_probability"], dtype=np.float64))
    half = -np.broadcast_to(low, (len(log_t), 1)) / 2
    p = expit(half * (NODES - 1))
    drift = mean(p)
    average = np.sum(half * WEIGHTS / drift, axis=1, keepdims=True)
    spread = np.sum(half * WEIGHTS * variance(p) / drift**3, axis=1, keepdims=True)
    return gamma_of_moments(log_t, average, spread)
