"""Random networks: what a probe finds where nothing was learned."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import nn

from empirics.levels import NUM_ACTIONS
from empirics.maze import MazeConfig
from empirics.networks import NetworkSpec


def random_networks(
    network: NetworkSpec, config: MazeConfig, number: int, *, rng: np.random.Generator
) -> tuple[nn.Module, ...]:
    """Return so many freshly initialized networks of one shape for an environment."""
    return tuple(
        network.build(config.observation_shape, NUM_ACTIONS, rng=rng) for _ in range(number)
    )


def check_same_layer(own: NDArray[np.float64], random: NDArray[np.float64]) -> None:
    """Check that features of an agent and of a random network are of layers of one shape.

    Raises
    ------
    ValueError
        If they are not: the agent is of another shape than the network the probe was drawn for.
    """
    if own.shape != random.shape:
        raise ValueError(
            f"the layer of the agent has the shape {own.shape[1:]}, that of the random networks "
            f"{random.shape[1:]}; draw the probe for the agent's own network."
        )
