"""The recurrent policy of the tree maze, read out where the mouse is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import final

import numpy as np
import torch
from torch import Tensor, nn

from empirics.coerce import coerce_fields, whole
from empirics.policies.at_mouse import at_mouse
from empirics.policies.recurrent_policy import AbstractRecurrentPolicy, start_small
from theory.curve import Condition


@final
@dataclass(frozen=True)
class RecurrentMazeNetwork:
    """Shape of a `RecurrentMazePolicy`.

    Attributes
    ----------
    width : int
        Channels of the encoding and of the state.
    ticks : int
        How often the cell is applied; a tick carries information two places farther.
    stride : int
        Stride of the encoder: with 1 a place is a square of the maze, with 2 a cell, which
        takes a quarter of the time.
    hidden : int
        Units of the dense layer that reads the state at the mouse.

    Raises
    ------
    ValueError
        If a number is no positive whole number, or the stride is neither 1 nor 2.
    """

    width: int = 16
    ticks: int = 6
    stride: int = 1
    hidden: int = 128

    def __post_init__(self) -> None:
        coerce_fields(self)
        for name, value in asdict(self).items():
            whole(name, value, 1)
        if self.stride > 2:
            raise ValueError(f"stride must be 1 or 2; it is {self.stride}.")

    @property
    def conditions(self) -> dict[str, Condition]:
        """The shape as rows of a ledger."""
        return {f"network_{name}": value for name, value in asdict(self).items()}

    def build(
        self, observation_shape: tuple[int, ...], num_actions: int, *, rng: np.random.Generator
    ) -> RecurrentMazePolicy:
        """Return one freshly initialized policy; equal generators, equal weights."""
        with torch.random.fork_rng(devices=[]):  # layers draw from the global generator
            torch.manual_seed(int(rng.integers(2**63)))
            policy = RecurrentMazePolicy(self, observation_shape[0], num_actions)
            start_small(policy)
        return policy


@final
class RecurrentMazePolicy(AbstractRecurrentPolicy):
    """The recurrent cell, a read-out at the mouse, and the two heads of an actor-critic.

    Parameters
    ----------
    network : RecurrentMazeNetwork
    num_planes : int
    num_actions : int
    """

    def __init__(self, network: RecurrentMazeNetwork, num_planes: int, num_actions: int) -> None:
        super().__init__(num_planes, network.width, network.ticks, network.stride)
        self.readout = nn.Linear(network.width, network.hidden)
        self.actor = nn.Linear(network.hidden, num_actions)
        self.critic = nn.Linear(network.hidden, 1)

    def forward(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, planes, size, size) to logits (B, num_actions) and value (B,)."""
        state = self.last_state(observation)
        read = torch.relu(self.readout(at_mouse(state, observation, self.stride)))
        return self.actor(read), self.critic(read).squeeze(-1)
