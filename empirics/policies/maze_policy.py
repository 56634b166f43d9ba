"""The feed-forward convolutional policy of the tree maze."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import final

import numpy as np
import torch
from torch import Tensor, nn

from empirics.networks import initialize
from empirics.policies.at_mouse import at_mouse
from theory.curve import Condition

HALF_POWER = math.sqrt(0.5)
"""Keeps the size of the features from growing with depth."""


@final
@dataclass(frozen=True)
class MazeNetwork:
    """Shape of a `MazePolicy`.

    Attributes
    ----------
    width : int
        Channels of every convolution. Multiples of 16 are twice as fast on a CPU as the
        numbers between them.
    depth : int
        Number of 3 × 3 convolutions; each lets the network see one place farther.
    stride : int
        Stride of the first convolution. With 2 a place is a cell: the first convolution
        looks at a cell with the squares around it, so nothing is skipped, and the rest
        work on a quarter of the places.
    hidden : int
        Units of the dense layer that reads the features at the mouse.

    Raises
    ------
    ValueError
        If a number is not positive, or the stride is neither 1 nor 2.
    """

    width: int = 32
    depth: int = 5
    stride: int = 2
    hidden: int = 128

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if value < 1:
                raise ValueError(f"{name} must be at least 1; it is {value}.")
        if self.stride > 2:
            raise ValueError(f"stride must be 1 or 2; it is {self.stride}.")

    @property
    def conditions(self) -> dict[str, Condition]:
        """The shape as rows of a ledger."""
        return {f"network_{name}": value for name, value in asdict(self).items()}

    def build(
        self, observation_shape: tuple[int, ...], num_actions: int, *, rng: np.random.Generator
    ) -> MazePolicy:
        """Return one freshly initialized policy; equal generators, equal weights."""
        with torch.random.fork_rng(devices=[]):  # layers draw from the global generator
            policy = MazePolicy(self, observation_shape[0], num_actions)
        initialize(policy, rng=rng)
        return policy


@final
class MazePolicy(nn.Module):
    """Convolutions, a read-out at the mouse, and the two heads of an actor-critic.

    Every convolution but the first adds to what it is given. Reading out where the mouse is
    makes one rule serve the whole maze: it learns in a fraction of the steps that a dense
    layer over all places needs. With stride 2 a mouse between two cells is read out at both.
    The features after each convolution have a name, `stream.0` and on, so that they can be read
    and edited: all that the later layers know of the maze.

    Parameters
    ----------
    network : MazeNetwork
    num_planes : int
    num_actions : int
    """

    def __init__(self, network: MazeNetwork, num_planes: int, num_actions: int) -> None:
        super().__init__()
        channels = (num_planes, *[network.width] * network.depth)
        strides = (network.stride, *[1] * (network.depth - 1))
        self.stride = network.stride
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, 3, stride, padding=1)
            for (before, after), stride in zip(pairwise(channels), strides, strict=True)
        )
        self.stream = nn.ModuleList(nn.Identity() for _ in self.convolutions)
        self.readout = nn.Linear(network.width, network.hidden)
        self.actor = nn.Linear(network.hidden, num_actions)
        self.critic = nn.Linear(network.hidden, 1)

    def forward(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, planes, size, size) to logits (B, num_actions) and value (B,)."""
        (first, *others), (start, *names) = self.convolutions, self.stream
        features = start(torch.relu(first(observation)))
        for convolution, name in zip(others, names, strict=True):
            features = name(HALF_POWER * (features + torch.relu(convolution(features))))
        read = torch.relu(self.readout(at_mouse(features, observation, self.stride)))
        return self.actor(read), self.critic(read).squeeze(-1)
