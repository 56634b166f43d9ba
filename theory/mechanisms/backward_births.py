"""When a lock that is learned from its end opens: a chain of births, whose waits are geometric."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from theory.curve import FloatArray, IntArray
from theory.mechanism import Values
from theory.mechanisms import one_skill as skill
from theory.mechanisms.backward_stages import waits
from theory.native import native
from theory.onset_laws import Tails, gamma_of_moments, sum_of_exponentials, tabulated

BoolArray = NDArray[np.bool_]
LARGEST_ODDS = 1e300
"""A chance of one, to double precision."""


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


def _rates(
    size: FloatArray, batch: FloatArray, *others: FloatArray
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Return rates of waits (N, K), what rounding up adds to all, and which reach the onset.

    The wait for a success of chance q is geometric: an exponential wait of rate -ln(1 - q), rounded
    up. Roundings are small and many, and taken as their mean.
    """
    q, finished = chain(size, *others, longest=skill.LONGEST_CHAIN)
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


def chain(
    size: FloatArray,
    gamma: FloatArray,
    start: FloatArray,
    threshold: FloatArray,
    horizon: FloatArray,
    *,
    longest: int,
) -> tuple[FloatArray, BoolArray]:
    """Return the chance of success before each rewarded episode of a run, and whether all are told.

    A rewarded episode moves the logits of the k steps that are practiced by size · gamma^(k - 1) ·
    (1 - p); nothing else moves, so that only the waits are left to chance.

    Parameters
    ----------
    size, gamma, start, threshold, horizon : (N, 1) arrays
    longest : int
        Rewarded episodes after which nothing is followed.

    Returns
    -------
    chances : (N, K) array
        One after the onset.
    finished : (N, 1) array of bool
        Whether the onset came by then.
    """
    chances = np.ones((len(size), longest + 1))
    counts = np.zeros(len(size), dtype=np.int64)
    _follow(size[:, 0], gamma[:, 0], start[:, 0], threshold[:, 0], horizon[:, 0], chances, counts)
    return chances[:, : int(counts.max()) + 1], counts[:, None] < longest


@native
def _follow(
    size: FloatArray,
    gamma: FloatArray,
    start: FloatArray,
    threshold: FloatArray,
    horizon: FloatArray,
    chances: FloatArray,
    counts: IntArray,
) -> None:
    """Fill in the chances (N, K) that `chain` returns, and how many rewards the onset takes."""
    for row in range(size.size):
        steps, last = 1, int(horizon[row])
        odds = np.full(last, start[row] / (1 - start[row]))
        while True:
            succeeds, opens = 1.0, 1.0
            for step in range(last):
                opens *= odds[step] / (1 + odds[step])
                if step < steps:
                    succeeds = opens
                if step + 1 == steps and steps < last and succeeds >= threshold[row]:
                    steps += 1
            if opens >= 0.5 or counts[row] == chances.shape[1] - 1:
                break
            chances[row, counts[row]] = succeeds
            counts[row] += 1
            move = size[row] * gamma[row] ** (steps - 1)
            for step in range(steps):
                odds[step] = min(odds[step] * np.exp(move / (1 + odds[step])), LARGEST_ODDS)
