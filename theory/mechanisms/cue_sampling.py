"""Cue-competition learners as Markov chains: exact draws of the algorithms, by counts.

All levels of a kind (aligned, conflict) show the same cues, so an update depends on the
batch only through how many levels of each kind were drawn and how many were solved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from theory.curve import FloatArray, Schedule

Counts = NDArray[Any]
# (margins on aligned and conflict levels, levels drawn of each kind, solved of each kind,
# batch size) -> strength of the update along the cues of each kind; arrays (2, n_runs).
Strength = Callable[[FloatArray, Counts, Counts, float], FloatArray]


def delta_rule(margins: FloatArray, drawn: Counts, solved: Counts, batch: float) -> FloatArray:
    """Return the prediction error 1 - w·x, averaged over the batch."""
    return np.asarray(drawn * (1.0 - margins) / batch)


def policy_gradient(margins: FloatArray, drawn: Counts, solved: Counts, batch: float) -> FloatArray:
    """Return REINFORCE with reward 0 or 1 and no baseline: only solved levels count."""
    return np.asarray(solved * expit(-margins) / batch)


def normalized_critic(
    margins: FloatArray, drawn: Counts, solved: Counts, batch: float
) -> FloatArray:
    """Return REINFORCE with advantages R - p over their root mean square in the batch.

    Along the cues, advantage times score equals the squared advantage: (1 - p)² on a
    solved level, p² on a failed one.
    """
    squares = solved * expit(-margins) ** 2 + (drawn - solved) * expit(margins) ** 2
    return np.asarray(squares / np.sqrt(batch * squares.sum(axis=0)))


STRENGTHS: Mapping[str, Strength] = {
    "delta_rule": delta_rule,
    "policy_gradient": policy_gradient,
    "normalized_critic": normalized_critic,
}


def sample_weights(
    rule: str,
    values: Mapping[str, Any],
    t: FloatArray,
    *,
    rng: np.random.Generator,
    n_runs: int,
) -> FloatArray:
    """Draw runs of a cue-competition learner.

    Parameters
    ----------
    rule : str
        A key of `STRENGTHS`.
    values : mapping
        alpha, salience_ratio, learning_rate, batch_size, initial_sd, clock.
    t : (n,) array
        Whole updates, increasing.

    Returns
    -------
    (n_runs, n, 2) array
        Goal and proxy weight after each of the `t` updates.

    Raises
    ------
    ValueError
        If `t` holds fractions, the batch is not a finite whole number, or a condition drifts.
    """
    drifting = sorted(name for name, value in values.items() if isinstance(value, Schedule))
    if drifting:
        raise ValueError(f"cues are sampled at constant conditions; {drifting[0]} drifts.")
    if np.any(t % 1):
        raise ValueError(f"t must hold whole updates; it holds {t[np.argmax(t % 1 > 0)]}.")
    batch = values["batch_size"]
    if batch % 1 or not np.isfinite(batch):
        raise ValueError(f"batch_size must be a finite whole number to sample; it is {batch}.")
    strength, ratio = STRENGTHS[rule], values["salience_ratio"]
    rate = values["learning_rate"] * values["clock"]
    weights = rng.normal(0.0, values["initial_sd"], (2, n_runs))
    kept = np.empty((n_runs, t.size, 2))
    for update in range(int(t[-1]) + 1):
        for index in np.flatnonzero(t == update):
            kept[:, index] = weights.T
        margins = weights[0] + np.array([[ratio], [-ratio]]) * weights[1]
        conflicts = rng.binomial(int(batch), values["alpha"], n_runs)
        drawn = np.stack([int(batch) - conflicts, conflicts])
        solved = rng.binomial(drawn, expit(margins))
        aligned, conflict = rate * strength(margins, drawn, solved, batch)
        weights = weights + np.stack([aligned + conflict, ratio * (aligned - conflict)])
    return kept
