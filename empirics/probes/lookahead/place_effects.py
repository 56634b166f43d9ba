"""Effects of activation patching place by place, on the log-odds of one action."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from empirics.activations.edit import Replace
from empirics.activations.edited import edited
from empirics.activations.site import Site
from empirics.probe import Policy, Reading, level_mean
from empirics.probes.behavior import BATCH, action_probabilities
from empirics.probes.edited_behavior import activations
from empirics.probes.goal_vector import like
from empirics.probes.lookahead.log_odds import log_odds
from empirics.probes.lookahead.stages import network_of

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@final
@dataclass(frozen=True, eq=False)
class Patched:
    """Inputs whose states are patched.

    Attributes
    ----------
    clean, corrupted : (n, planes, size, size) float32 array
    action : (n,) integer array
        The one whose log-odds are measured.
    ahead : (n, places) bool array
        The places that are patched with random vectors too.
    """

    clean: NDArray[np.float32]
    corrupted: NDArray[np.float32]
    action: NDArray[np.int64]
    ahead: BoolArray


def place_effects(
    policy: Policy, site: Site, inputs: Patched, *, seed: int
) -> tuple[FloatArray, FloatArray]:
    """Return how far log-odds fall with the corrupted state on one place, each (n, places).

    Parameters
    ----------
    policy : Policy
    site : Site
        Where the states are.
    inputs : Patched
    seed : int
        Of the random vectors.

    Returns
    -------
    effect : (n, places) array
        Of the corrupted run's state, put into the clean run on one place.
    random : (n, places) array
        Of random vectors of the difference's norm, on the places ahead; 0 elsewhere.
    """
    state = activations(policy, site, inputs.clean)
    difference = activations(policy, site, inputs.corrupted) - state
    before = log_odds(action_probabilities(policy, inputs.clean), inputs.action)
    random = _of_equal_norm(difference, seed)
    differs = (difference != 0).any(dim=1).flatten(1).numpy()
    effect, by_chance = (
        _drops(policy, site, inputs, before, state, vector, where)
        for vector, where in ((difference, differs), (random, differs & inputs.ahead))
    )
    return effect, by_chance


def _drops(
    policy: Policy,
    site: Site,
    inputs: Patched,
    before: FloatArray,
    state: Tensor,
    vector: Tensor,
    where: BoolArray,
) -> FloatArray:
    """Return how far the log-odds fall with the vector added on one place, (n, places)."""
    result = np.zeros(where.shape)
    row, place = np.nonzero(where)
    for start in range(0, len(row), BATCH):
        i, j = row[start : start + BATCH], place[start : start + BATCH]
        mixed = state[i].flatten(2)
        mixed[np.arange(len(i)), :, j] += vector[i].flatten(2)[np.arange(len(i)), :, j]
        with edited(network_of(policy), [Replace(site, mixed.reshape(-1, *state.shape[1:]))]):
            p = action_probabilities(policy, inputs.clean[i])
        result[i, j] = before[i] - log_odds(p, inputs.action[i])
    return result


def _of_equal_norm(difference: Tensor, seed: int) -> Tensor:
    """Return a random vector on each place of the norm of the difference there."""
    rows = difference.flatten(2).movedim(1, 2).flatten(0, 1)  # (n · places, channels)
    random = like(rows, 1, seed)[0]
    n, channels = difference.shape[:2]
    return random.reshape(n, -1, channels).movedim(1, 2).reshape(difference.shape)


def effect_reading(
    values: FloatArray, level: NDArray[np.int64], baselines: Mapping[str, float]
) -> Reading:
    """Return the mean of one effect an input, with its standard error over levels."""
    known = np.isfinite(values)  # a group may have no square in some inputs
    mean, se, n_levels = level_mean(values[known], level[known])
    return Reading(
        mean, se, n_levels=n_levels, unit="log-odds", baselines=baselines, se_is_shared=True
    )


def most(values: FloatArray, chosen: BoolArray) -> FloatArray:
    """Return the maximum over the chosen places of each row."""
    return np.asarray(np.where(chosen, values, -np.inf).max(axis=1))


def mean_over(values: FloatArray, chosen: BoolArray) -> FloatArray:
    """Return the mean over the chosen places of each row; nan where there are none."""
    number = chosen.sum(axis=1)
    total = (values * chosen).sum(axis=1)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)
