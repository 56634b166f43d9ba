"""Gradient steps on minibatches of one rollout."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from empirics.adam import Adam
from empirics.algorithm import AbstractAlgorithm
from empirics.networks import AbstractAgents
from empirics.rollout import Batch
from empirics.training import Lane

Losses = Callable[[Batch], tuple[Tensor, Tensor]]
"""Maps a minibatch to each seed's loss (S,) and what is measured (S, K)."""

GoesOn = Callable[[Tensor], list[bool]]
"""Maps what the last minibatch of an epoch measured (S, K) to which seeds go on."""


def descend(
    agents: AbstractAgents,
    adam: Adam,
    lanes: Sequence[Lane],
    batch: Batch,
    config: AbstractAlgorithm,
    learning_rate: float,
    losses: Losses,
    goes_on: GoesOn | None = None,
) -> NDArray[np.float64]:
    """Learn from one rollout; return the mean of what is measured over gradient steps (S, K)."""
    active = [True] * len(lanes)
    measured: list[tuple[Tensor, list[bool]]] = []
    for _ in range(config.update_epochs):
        # a seed that has stopped draws nothing, as if it were alone
        order = np.stack(
            [
                lane.rng.permutation(config.batch_size) if go else np.arange(config.batch_size)
                for lane, go in zip(lanes, active, strict=True)
            ]
        )
        shuffled = torch.from_numpy(order).to(batch.action.device)
        for index in torch.split(shuffled, config.minibatch_size, dim=1):
            loss, parts = losses(batch.at(index))
            gradient = agents.gradient(loss)
            norm = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)
            gradient *= (config.max_grad_norm / (norm + 1e-6)).clamp(max=1.0)
            adam.step(gradient, learning_rate, active)
            measured.append((parts, active))
        if goes_on is not None:
            active = [a and b for a, b in zip(active, goes_on(measured[-1][0]), strict=True)]
            if not any(active):
                break
    counts = np.array([go for _, go in measured])[..., None]
    values = torch.stack([parts for parts, _ in measured]).cpu().numpy().astype(np.float64)
    with np.errstate(invalid="ignore"):  # of a seed that diverges: inf − inf
        mean: NDArray[np.float64] = values.sum(axis=0, where=counts) / counts.sum(axis=0)
    return mean
