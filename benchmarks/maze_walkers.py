"""Two policies of the maze that were never trained: one solves it, one goes as the crow flies."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from empirics.levels import MOVES, Levels, first_steps

SHARPNESS = 6.0
"""Logit of the preferred step over the others; its probability is .99."""


class Solver:
    """Takes the first step of the path to the cheese, however far it is; a `Policy`."""

    def __call__(self, observation: Tensor, /) -> tuple[Tensor, Tensor]:
        """Map (n, planes, size, size) to logits (n, 4) and values (n,), which are 0."""
        walls, mouse, cheese = _seen(observation)
        best = first_steps(Levels(walls), cheese)[np.arange(len(mouse)), mouse]
        return _toward(best)


class CrowFlies:
    """Takes the open step that ends nearest to the cheese as the crow flies; a `Policy`.

    It does not look ahead, so walls that do not touch its square are nothing to it.
    """

    def __call__(self, observation: Tensor, /) -> tuple[Tensor, Tensor]:
        """Map (n, planes, size, size) to logits (n, 4) and values (n,), which are 0."""
        walls, mouse, cheese = _seen(observation)
        size, each = walls.shape[1], np.arange(len(mouse))
        after = Levels(walls).next_square[each, mouse]
        apart = np.stack(np.divmod(after, size)) - np.stack(np.divmod(cheese, size))[:, :, None]
        far = np.where(after == mouse[:, None], np.inf, (apart**2).sum(axis=0))
        return _toward(far.argmin(axis=1))


def _seen(observation: Tensor) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]:
    """Return the walls, (n, size, size), and the squares of mouse and cheese, (n,)."""
    planes = observation.numpy()
    mouse, cheese = (planes[:, i].reshape(len(planes), -1).argmax(axis=1) for i in (1, 2))
    return planes[:, 0] > 0, mouse, cheese


def _toward(step: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    logits = SHARPNESS * torch.eye(len(MOVES))[torch.from_numpy(step)]
    return logits, torch.zeros(len(step))
