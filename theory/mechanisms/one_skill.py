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
LONGEST_CHAIN = 3000
FEW = 40
"""Settings up to which a chain is worked out for each; more are read off a table."""
NODES, WEIGHTS = np.polynomial.legendre.leggauss(48)


def kappa(values: Values) -> Any:
    """Return K/(K - 1), numerically."""
    return values["n_arms"] / (values["n_arms"] - 1)


def births(
    log_t: FloatArray, values: Values, jump: Any, chance: Any = lambda p: p, level: Any = 0.5
) -> Tails:
    """Return the onset of a pure birth process: each rewarded episode lifts the logit.

    The k-th rewarded episode comes after a wait with rate batch · chance(p_k) and moves the logit
    by jump · (1 - p_k); the onset is when p passes the level. Chains that are too long are drift.

    Parameters
    ----------
    jump, level : float or (N, 1) array
    chance : callable
        Of a reward in an episode, from p (N, n) to (N, n).
    """
    n = len(log_t)
    size, batch, start, end = (
        np.broadcast_to(np.asarray(v, dtype=np.float64), (n, 1))
        for v in (jump, values["batch_size"], values["initial_probability"], level)
    )
    others = [np.asarray(value) for name, value in values.items() if name != "step_factor"]
    alike = all(np.ptp(value) == 0 for value in (*others, batch, start, end))
    if n <= FEW or not alike:
        rates, finished = _waits(size, batch, start, end, chance)
        drift = drifting_onsets(
            log_t,
            values,
            lambda p: batch * size * chance(p) * (1 - p),
            lambda p: batch * size**2 * chance(p) * (1 - p) ** 2,
            end,
        )
        tails = np.array(drift)
        if finished.any():
            tails[:, finished] = sum_of_exponentials(log_t[finished], rates[finished])
        return tails[0], tails[1]

    def at_jumps(log_t: FloatArray, log_jump: FloatArray) -> Tails:
        ones = np.ones_like(log_jump)
        few = {name: np.asarray(value).flat[0] * ones for name, value in values.items()}
        return births(log_t, few, np.exp(log_jump), chance, end[0] * ones)

    def log_mean(log_jump: FloatArray) -> FloatArray:
        ones = np.ones_like(log_jump)
        rates, _ = _waits(np.exp(log_jump), batch[0] * ones, start[0] * ones, end[0] * ones, chance)
        return np.asarray(np.log(np.sum(1 / rates, axis=1, keepdims=True)))

    return tabulated(at_jumps, log_mean, log_t, np.log(size))


def _waits(
    size: FloatArray, batch: FloatArray, start: FloatArray, end: FloatArray, chance: Any
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return the rates of the waits of a birth process, (N, K), and which reach the onset in K."""
    z, last = logit(start), logit(end)
    rates: list[FloatArray] = []
    while np.any(z < last) and len(rates) < LONGEST_CHAIN:
        p = expit(z)
        rates.append(np.where(z < last, batch * chance(p), np.inf))
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
