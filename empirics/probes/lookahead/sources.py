"""What a reader of plans is given: the agent's states, and three things it must be better than."""

from __future__ import annotations

from dataclasses import replace
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from empirics.activations.cached import cached
from empirics.levels import Levels
from empirics.maze import NOWHERE, MazeConfig, Situation, observe
from empirics.probe import Policy
from empirics.probes.behavior import BATCH, action_probabilities
from empirics.probes.lookahead.stages import network_of, stage_site, stride_of

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

CONTROLS = ("random network", "without cheese", "observation")
"""The states of an untrained network; the agent's own where the maze has no cheese, which know what
it does anyway but no plan to get there; and what is seen around a square, with the way, as the crow
flies, to mouse and cheese."""


@final
class Sources:
    """Features of squares of some mazes, by where they are read.

    Parameters
    ----------
    levels : Levels
    config : MazeConfig
    situation : Situation
        (n,) the mazes.
    fresh : torch.nn.Module
        An untrained network of the policy's shape.
    stages : tuple of str
        Of `STAGES`.
    """

    def __init__(
        self,
        levels: Levels,
        config: MazeConfig,
        situation: Situation,
        fresh: nn.Module,
        stages: tuple[str, ...],
    ) -> None:
        self.situation, self.size, self.stages = situation, levels.size, stages
        bare = replace(situation, cheese=np.full(len(situation), NOWHERE))
        self._seen = observe(levels, situation, config)
        self._bare = observe(levels, bare, config)
        self._of_fresh = states(fresh, stages, self._seen)

    def read(self, policy: Policy) -> dict[str, dict[str, FloatArray]]:
        """Return the states by stage of `own` and of the two controls that have states.

        Returns
        -------
        mapping of source to stage to (n, size², channels) array
        """
        return {
            "own": states(policy, self.stages, self._seen),
            "without cheese": states(policy, self.stages, self._bare),
            "random network": self._of_fresh,
        }

    def seen_around(self, row: IntArray, square: IntArray) -> FloatArray:
        """Return what is seen on and around a square of a maze, and where mouse and cheese are.

        Parameters
        ----------
        row, square : (k,) integer array
            Which of the mazes, and the flat index of a square.

        Returns
        -------
        (k, 9 · planes + 4) array
        """
        framed = np.pad(self._seen, ((0, 0), (0, 0), (1, 1), (1, 1)))
        framed[:, 0, [0, -1]] = framed[:, 0, :, [0, -1]] = 1.0  # a wall around the maze
        line, column = np.divmod(square, self.size)
        around = [framed[row, :, line + i, column + j] for i in range(3) for j in range(3)]
        away = [
            target[row] // self.size - line if axis == 0 else target[row] % self.size - column
            for target in (self.situation.mouse, self.situation.cheese)
            for axis in (0, 1)
        ]
        return np.concatenate([*around, np.stack(away, axis=1)], axis=1).astype(np.float64)


def states(
    policy: Policy, stages: tuple[str, ...], observation: NDArray[np.float32]
) -> dict[str, FloatArray]:
    """Return the states on every square at each stage, (n, size², channels).

    Where places are cells, a passage has the mean state of the cells that it joins.
    """
    sites = {stage: stage_site(policy, stage) for stage in stages}
    parts: dict[str, list[torch.Tensor]] = {stage: [] for stage in stages}
    for start in range(0, len(observation), BATCH):
        with cached(network_of(policy), list(dict.fromkeys(sites.values()))) as found:
            action_probabilities(policy, observation[start : start + BATCH])
        for stage, site in sites.items():
            parts[stage].append(found[site])
    return {stage: _by_square(torch.cat(part), stride_of(policy)) for stage, part in parts.items()}


def _by_square(state: torch.Tensor, stride: int) -> FloatArray:
    array = state.numpy().astype(np.float64)
    for axis in (2, 3) if stride == 2 else ():
        first = np.arange(2 * array.shape[axis] - 1) // 2
        last = (np.arange(2 * array.shape[axis] - 1) + 1) // 2
        array = (array.take(first, axis) + array.take(last, axis)) / 2
    return np.asarray(np.moveaxis(array.reshape(*array.shape[:2], -1), 1, 2))
