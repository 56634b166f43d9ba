"""A lock learned from its end: a backward curriculum, whose start moves back with success.

Episodes start k steps before the end of a lock of H steps, as if all before had been done right; k
begins at 1 and grows by one when the last k steps succeed with a chance q of at least the
threshold. All that rewarded episodes have moved is one number, the practice s, and with κ = K/(K - 1)

    ds/dt = κ · step · reward · gamma^(k - 1) q(s),

k and q being functions of s alone, so that s is a quadrature: the work w = ∫ gamma^(1 - k) ds/q
grows evenly (`theory.mechanisms.backward_stages`). A new step is rare among steps that are nearly sure, so that
each waits like a lock of one step, and the whole H times as long, instead of exponentially long.
"""

from __future__ import annotations

import numpy as np
import sympy

from theory.curve import FloatArray
from theory.implication import Implication, ImplicationKind, Quantity
from theory.mechanism import Guard, Mechanism, Values
from theory.mechanisms import one_skill as skill
from theory.mechanisms.backward_stages import chain, present, stage, waits, whole
from theory.mechanisms.lock import GAMMA, HORIZON, LOCK, elapsed
from theory.onset_laws import Tails, gamma_of_moments, sum_of_exponentials, tabulated

WORK, THRESHOLD = sympy.symbols("work curriculum_threshold", nonnegative=True)
SETTING = (skill.START, THRESHOLD, HORIZON)
SPEED = skill.SPEED * skill.REWARD
SHOWN = sympy.Integer(4)
K = sympy.Symbol("k", integer=True, positive=True)


def hits(log_t: FloatArray, values: Values) -> Tails:
    """Return the onset of a chain of births: each rewarded episode lifts the practiced steps."""
    gain = skill.kappa(values) * values["learning_rate"] * values["step_factor"] * values["reward"]
    names = ("batch_size", "gamma", "initial_probability", "curriculum_threshold", "horizon")
    size, *others = (
        np.broadcast_to(np.asarray(v, dtype=np.float64), (len(log_t), 1))
        for v in (gain / values["batch_size"], *(values[name] for name in names))
    )
    if len(log_t) <= skill.FEW or any(np.ptp(value) > 0 for value in others):
        return _chained(log_t, size, *others)

    def like(log_size: FloatArray) -> list[FloatArray]:
        return [np.exp(log_size), *(np.broadcast_to(v[0], log_size.shape) for v in others)]

    def log_mean(log_size: FloatArray) -> FloatArray:
        size, batch, *rest = like(log_size)
        rates, rounding, finished = _rates(size, batch, *rest)
        mean = rounding + np.sum(1 / rates, axis=1, keepdims=True)
        return np.asarray(np.log(np.where(finished, mean, _drift(size, batch, *rest)[0])))

    def law(log_t: FloatArray, log_size: FloatArray) -> Tails:
        return _chained(log_t, *like(log_size))

    return tabulated(law, log_mean, log_t, np.log(size))


def _drift(size: FloatArray, batch: FloatArray, *others: FloatArray) -> tuple[FloatArray, ...]:
    """Return mean and variance of the onset in the limit of many small rewards, each (N, 1)."""
    sums = [
        sum(np.array(wait) / gamma**k for k, wait in enumerate(waits(p0, level, int(h))))
        for gamma, p0, level, h in np.hstack(others).tolist()
    ]
    mean, variance = np.array(sums).T[..., None]
    return mean / (size * batch), variance / (size * batch**2)


def _rates(size: FloatArray, batch: FloatArray, *others: FloatArray) -> tuple[FloatArray, ...]:
    """Return rates of waits (N, K), what rounding up adds to all, and which reach the onset.

    The wait for a success of chance q is geometric: an exponential wait of rate -ln(1 - q), rounded
    up. Roundings are small and many, and taken as their mean.
    """
    q, finished = chain(size, *others, skill.LONGEST_CHAIN)
    with np.errstate(divide="ignore"):
        rates = -batch * np.log1p(-q)
    rounding = np.where(q < 1, 1 / (batch * q) - 1 / rates, 0.0)
    return rates, np.sum(rounding, axis=1, keepdims=True), finished


def _chained(log_t: FloatArray, *setting: FloatArray) -> Tails:
    """Return the tails of `hits`, each setting worked out by itself; parameters are (N, 1)."""
    rates, rounding, finished = _rates(*setting)
    tails = np.array(gamma_of_moments(log_t, *_drift(*setting)))
    short = finished[:, 0]
    if short.any():
        t = np.exp(log_t[short])
        since = np.log(np.maximum(t - rounding[short], 1e-6 * t))
        tails[:, short] = sum_of_exponentials(since, rates[short])
    return tails[0], tails[1]


ONSET = sympy.Sum(GAMMA ** (1 - K) * stage(K, *SETTING), (K, 1, HORIZON)) / SPEED
ESCAPE = sympy.Sum(GAMMA ** (1 - K), (K, 1, HORIZON)) / (SPEED * skill.START)

BACKWARD_LOCK = Mechanism(
    name="backward_lock",
    story="A chain that is learned from its end waits for one new step at a time, so that a longer "
    "one waits longer only in proportion.",
    state=(WORK,),
    dynamics=(SPEED,),
    start=(sympy.Integer(0),),
    observables={
        "p_correct": whole(WORK, *SETTING, GAMMA),
        "p_present": present(WORK, *SETTING, GAMMA),
    },
    parameters=LOCK.parameters,
    conditions=(
        *LOCK.conditions,
        Quantity(
            "curriculum_threshold",
            "chance of success at which the start moves a step back; none where 0",
            "",
            0.8,
            0.0,
            1.0,
        ),
    ),
    assumptions=(
        *LOCK.assumptions,
        "episodes start ever earlier, steps before their start are as if done right",
        "the reward is discounted from the start of the episode on",
    ),
    implications=(
        Implication(
            ImplicationKind.FORM,
            "without a threshold it is the lock.",
            "exact for the mean field, at thresholds of at most initial_probability^(horizon - 1); "
            f"shown for {SHOWN} steps",
            case={"curriculum_threshold": sympy.Integer(0), "horizon": SHOWN},
            vanishing=(
                elapsed(whole(WORK, *SETTING, GAMMA) ** (1 / SHOWN), SHOWN)
                - elapsed(skill.START, SHOWN)
                - SPEED * GAMMA ** (SHOWN - 1) * skill.T,
            ),
        ),
        Implication(
            ImplicationKind.ONSET,
            "the onset is a sum over stages, each the integral of 1/q over its practice. The "
            "escape is that of one lock of one step after the other, of small "
            "initial_probability: the onset tends to between one and 1/threshold times it.",
            "the sum is exact for the mean field and whole horizons; the limit is of "
            "initial_probability << 1 - curriculum_threshold",
            where={"onset": ONSET, "escape": ESCAPE},
        ),
        Implication(
            ImplicationKind.ONSET,
            "the logits are a chain of births: all runs are moved alike by the n-th rewarded "
            "episode, the wait for which is geometric.",
            "exact for batches of one episode but for the rounding of waits to whole updates, of "
            "which the mean is kept; after 800 rewards a gamma law of small steps stands in",
        ),
        Implication(
            ImplicationKind.CONDITION,
            "the onset grows in proportion to the horizon.",
            "undiscounted, to a factor between one and 1/threshold: the limit of small "
            "initial_probability first and then of a threshold near one. In the other order, "
            "1 - curriculum_threshold << initial_probability, the slow ends of the stages take "
            "the time, each longer than the one before, and the onset grows faster",
            exponent=sympy.Integer(1),
            condition="horizon",
        ),
        Implication(
            ImplicationKind.CONDITION,
            "the onset grows as initial_probability^-1, whatever the horizon.",
            "a limit of small initial_probability at a threshold above it: "
            "initial_probability << curriculum_threshold, 1 - curriculum_threshold",
            exponent=sympy.Integer(-1),
            condition="initial_probability",
        ),
    ),
    onset_observable="p_correct",
    reference="Florensa, Held, Wulfmeier, Zhang and Abbeel 2017 (arXiv 1707.05300) for starts that "
    "move back from the goal; the equations are derived here",
    guards=(
        *LOCK.guards,
        Guard(
            lambda v: bool(np.all(np.asarray(v["curriculum_threshold"]) < 1)),
            "the start never moves back at a threshold of one.",
        ),
        Guard(
            lambda v: bool(np.all(np.asarray(v["horizon"]) % 1 == 0)),
            "horizon must be whole, for stages to be counted.",
        ),
    ),
    onset_law=hits,
)
