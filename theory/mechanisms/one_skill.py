"""What the theories of one rewarded behavior among K share: conditions, and chances of hits.

The agent picks one of K arms; one is rewarded with `reward`, the others are equal. With z the logit
of the rewarded arm, p = 1/(1 + e^(-z)), and κ = K/(K - 1), a policy gradient moves z by κ times
the step size times the advantage, p by p (1 - p) times that (exact for equal bad arms).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray
from scipy.special import expit, logit

from theory.curve import FloatArray
from theory.implication import Quantity
from theory.mechanism import Guard, Values
from theory.onset_laws import Tails, gamma_of_moments, sum_of_exponentials, tabulated

T = sympy.Symbol("t", real=True)
P = sympy.Symbol("p", positive=True)
START, RATE, REWARD, ARMS, BATCH, STEP = sympy.symbols(
    "initial_probability learning_rate reward n_arms batch_size step_factor", positive=True
)
FREQUENCY = sympy.Symbol("skill_frequency", positive=True)
KAPPA = ARMS / (ARMS - 1)
SPEED = KAPPA * RATE * STEP

INITIAL = Quantity(
    "initial_probability", "chance of the rewarded arm before training", "", 0.01, 0.0, 1.0
)
LEARNING_RATE = Quantity("learning_rate", "step size", "1/update", 0.1, 0.0)
SIZE = Quantity("reward", "reward of the rewarded arm", "", 1.0, 0.0)
N_ARMS = Quantity("n_arms", "arms to choose from", "", 10.0, 2.0)
BATCH_SIZE = Quantity("batch_size", "episodes in an update", "", 1.0, 1.0)
SKILL_FREQUENCY = Quantity(
    "skill_frequency", "share of an update's episodes that need the skill", "", 1.0, 0.0, 1.0
)
STEP_FACTOR = Quantity("step_factor", "factor on the step size", "", 1.0, 0.0, log_sd=0.1)

RARE = Guard(
    lambda v: bool(np.all(np.asarray(v["initial_probability"]) < 0.5)),
    "initial_probability is above one half from the start.",
)
SHARED = (
    "one rewarded arm; the others are alike and never rewarded",
    "softmax policy with a logit an arm",
)
LONGEST_CHAIN = 800
FEW = 40
"""Settings up to which a chain is worked out for each; more are read off a table."""
NODES, WEIGHTS = np.polynomial.legendre.leggauss(48)


def kappa(values: Values) -> Any:
    """Return K/(K - 1), numerically."""
    return values["n_arms"] / (values["n_arms"] - 1)


def births(log_t: FloatArray, values: Values, jump: Any, steps: Any = 1.0) -> Tails:
    """Return the onset of a pure birth process: each rewarded episode lifts the logit.

    The k-th rewarded episode comes after a wait with rate batch · p_k^steps and moves the logit by
    jump · (1 - p_k); the onset is when p^steps passes one half. Many settings that differ in the
    jump alone are read off a table; chains that are too long are drift.

    Parameters
    ----------
    jump, steps : float or (N, 1) array
        Steps: right actions that a reward takes, all with chance p.
    """
    size, batch, start, needed = (
        np.broadcast_to(np.asarray(v, dtype=np.float64), (len(log_t), 1))
        for v in (jump, values["batch_size"], values["initial_probability"], steps)
    )
    if len(log_t) <= FEW or any(np.ptp(value) > 0 for value in (batch, start, needed)):
        return _chained(log_t, size, batch, start, needed)

    def settings(log_jump: FloatArray) -> tuple[FloatArray, ...]:
        ones = np.ones_like(log_jump)
        return np.exp(log_jump), batch[0] * ones, start[0] * ones, needed[0] * ones

    def log_mean(log_jump: FloatArray) -> FloatArray:
        size, batch, start, steps = settings(log_jump)
        rates, finished = _waits(size, batch, start, steps)
        half = (logit(0.5 ** (1 / steps)) - logit(start)) / 2
        p = expit(logit(start) + half * (NODES + 1))
        drift = np.sum(half * WEIGHTS / (batch * size * p**steps * (1 - p)), axis=1)
        mean = np.where(finished, np.sum(1 / rates, axis=1), drift)
        return np.asarray(np.log(mean))[:, None]

    return tabulated(
        lambda log_t, log_jump: _chained(log_t, *settings(log_jump)), log_mean, log_t, np.log(size)
    )


def _chained(
    log_t: FloatArray, size: FloatArray, batch: FloatArray, start: FloatArray, steps: FloatArray
) -> Tails:
    """Return the tails of `births`, each setting worked out by itself; parameters are (N, 1)."""
    rates, finished = _waits(size, batch, start, steps)
    tails = np.array(
        drifting_onsets(
            log_t,
            {"initial_probability": start},
            lambda p: batch * size * p**steps * (1 - p),
            lambda p: batch * size**2 * p**steps * (1 - p) ** 2,
            0.5 ** (1 / steps),
        )
    )
    if finished.any():
        tails[:, finished] = sum_of_exponentials(log_t[finished], rates[finished])
    return tails[0], tails[1]


def _waits(
    size: FloatArray, batch: FloatArray, start: FloatArray, steps: FloatArray
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return the rates of the waits of a birth process, (N, K), and which reach the onset in K."""
    z, last = logit(start), logit(0.5 ** (1 / steps))
    rates: list[FloatArray] = []
    while np.any(z < last) and len(rates) < LONGEST_CHAIN:
        p = expit(z)
        rates.append(np.where(z < last, batch * p**steps, np.inf))
        z = z + size * (1 - p)
    return np.hstack(rates), (z >= last)[:, 0]


def drifting_onsets(
    log_t: FloatArray, values: Values, mean: Any, variance: Any, level: Any = 0.5
) -> Tails:
    """Return gamma onsets with the mean and variance of many small random steps of the logit.

    With mean a(p) and variance b(p) of an update of the logit z, a passage up to the level takes
    ∫ dz/a on average, with variance ∫ b/a³ dz (renewal theory: Cox 1962, sec. 3.3; the leading
    order of the system-size expansion: van Kampen 2007, ch. X).

    Parameters
    ----------
    mean, variance : callables
        From p (N, n) to (N, n), the values being (N, 1).
    """
    low = logit(np.asarray(values["initial_probability"], dtype=np.float64))
    high = logit(np.asarray(level, dtype=np.float64))
    half = np.broadcast_to(high - low, (len(log_t), 1)) / 2
    p = expit(high + half * (NODES - 1))
    drift = mean(p)
    average = np.sum(half * WEIGHTS / drift, axis=1, keepdims=True)
    spread = np.sum(half * WEIGHTS * variance(p) / drift**3, axis=1, keepdims=True)
    return gamma_of_moments(log_t, average, spread)
