"""Steering: a plan at a junction rewritten in the direction of a probe, against equal norms."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from empirics.learned_probes.held_out import FoldedDesign
from empirics.learned_probes.linear_probe import one_hot
from empirics.levels import NUM_ACTIONS, Levels
from empirics.maze import MazeConfig, Situation, observe
from empirics.probe import Policy
from empirics.probes.edited_behavior import probabilities_with
from empirics.probes.lookahead.junctions import Junctions
from empirics.probes.lookahead.stages import stage_site, stride_of

FloatArray = NDArray[np.float64]


def followed(
    policy: Policy,
    levels: Levels,
    config: MazeConfig,
    there: Situation,
    ahead: Junctions,
    features: Mapping[str, FloatArray],
    fold: NDArray[np.int64],
    *,
    strength: float,
    seed: int,
) -> dict[str, FloatArray]:
    """Return P(the other step) at junctions under each edit of the state there, half-way.

    Parameters
    ----------
    policy : Policy
    levels : Levels
    config : MazeConfig
    there : Situation
        (k,) the mouse on the junctions.
    ahead : Junctions
    features : mapping of str to (k, channels) array
        The half-way states on the junctions, read from the start of the route. Each gives a
        direction, that of a probe fitted to the other folds.
    fold : (k,) integer array
    strength : float
        Norm of each edit, as a multiple of the root mean square distance of the features of `own`
        from their mean.
    seed : int
        Of the random directions.

    Returns
    -------
    mapping of str to (k,) array
        Under the direction of each of the features, a random direction, and no edit.
    """
    own = features["own"]
    norm = strength * float(np.sqrt(own.var(axis=0).sum()))
    random = np.random.default_rng(seed).normal(size=own.shape)
    directions = {name: _direction(rows, ahead, fold) for name, rows in features.items()}
    directions |= {"random direction": random, "unedited": np.zeros_like(own)}
    seen = observe(levels, there, config)
    each, stride = np.arange(len(ahead)), stride_of(policy)
    line, column = np.divmod(ahead.square, levels.size)
    places = (levels.size + stride - 1) // stride
    found = {}
    for name, direction in directions.items():
        length = np.linalg.norm(direction, axis=1, keepdims=True)
        vector = torch.zeros(len(ahead), own.shape[1], places, places)
        scaled = norm * direction / np.where(length > 0, length, 1.0)
        vector[each, :, line // stride, column // stride] = torch.from_numpy(scaled).float()
        p = probabilities_with(policy, stage_site(policy, "middle"), seen, vector)
        found[name] = p[each, ahead.other]
    return found


def _direction(features: FloatArray, ahead: Junctions, fold: NDArray[np.int64]) -> FloatArray:
    """Return, for each row, where its probe's log-odds of the other step rise most steeply."""
    probes = FoldedDesign(features, fold).fit(one_hot(ahead.step, NUM_ACTIONS))
    result = np.empty_like(features)
    for f, probe in probes.items():
        rows = np.flatnonzero(fold == f)
        slopes = probe.weights[1:] / probe.scale[:, None]
        result[rows] = (slopes[:, ahead.other[rows]] - slopes[:, ahead.step[rows]]).T
    return result
