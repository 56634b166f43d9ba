"""A recurrent policy of the tree maze: one small convolutional cell, applied tick after tick.

The weights of all ticks are the same, so the number of ticks is how long the agent thinks, and
after training it can be another one than in training. It is a deep repeated convolution made
as small as it goes; those are of Guez et al. 2019 ("An investigation of model-free planning").
"""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass
from typing import final

import numpy as np
import torch
from torch import Tensor, nn

from empirics.coerce import coerce_fields, whole
from empirics.policies.at_mouse import at_mouse
from theory.curve import Condition

FEW_TICKS = 6
"""Ticks of which the state, with layers as torch starts them, is not yet saturated."""


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
        """Return one freshly initialized policy; equal generators, equal weights.

        The layers keep torch's own initialization but for the actor, whose small weights make the
        first policy nearly uniform. Orthogonal weights of gain √2, with which the feed-forward
        policies start, leave a critic that explains nothing for the first 100,000 steps.
        """
        with torch.random.fork_rng(devices=[]):  # layers draw from the global generator
            torch.manual_seed(int(rng.integers(2**63)))
            policy = RecurrentMazePolicy(self, observation_shape[0], num_actions)
            nn.init.orthogonal_(policy.actor.weight, gain=0.01)
            nn.init.zeros_(policy.actor.bias)
            # What all ticks add together is that of a few: the state of many would saturate.
            nn.init.zeros_(policy.cell.outward.get_parameter("bias"))
            policy.cell.outward.weight.data *= FEW_TICKS / self.ticks
        return policy


@final
class RecurrentCell(nn.Module):
    """One tick: h ← tanh(h + outward(relu(inward(h) + drive)))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inward = nn.Conv2d(width, width, 3, padding=1)
        self.outward = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, state: Tensor, drive: Tensor) -> Tensor:
        """Map the state h and the drive, both (B, width, places, places), to the next state."""
        return torch.tanh(state + self.outward(torch.relu(self.inward(state) + drive)))


@final
class RecurrentMazePolicy(nn.Module):
    """An encoder, the cell, a read-out at the mouse, and the two heads of an actor-critic.

    The drive is what the observation puts into every tick: a convolution of the encoding,
    which with the cell's `inward` makes one convolution of [h, encoding]. The state starts at
    zero with every observation; nothing is remembered between steps of the environment. What
    `cell` returns is the state after a tick: the place to read and to edit it.

    Parameters
    ----------
    network : RecurrentMazeNetwork
    num_planes : int
    num_actions : int
    """

    def __init__(self, network: RecurrentMazeNetwork, num_planes: int, num_actions: int) -> None:
        super().__init__()
        self.ticks, self.stride = network.ticks, network.stride
        self.encoder = nn.Conv2d(num_planes, network.width, 3, network.stride, padding=1)
        self.drive = nn.Conv2d(network.width, network.width, 3, padding=1, bias=False)
        self.cell = RecurrentCell(network.width)
        self.readout = nn.Linear(network.width, network.hidden)
        self.actor = nn.Linear(network.hidden, num_actions)
        self.critic = nn.Linear(network.hidden, 1)

    def with_ticks(self, ticks: int) -> RecurrentMazePolicy:
        """Return a copy that thinks for another number of ticks.

        Raises
        ------
        ValueError
            If `ticks` is no positive whole number: without a tick there is nothing to read out.
        """
        number = whole("ticks", ticks, 1)
        other = copy.deepcopy(self)
        other.ticks = number
        return other

    def forward(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, planes, size, size) to logits (B, num_actions) and value (B,)."""
        encoding = torch.relu(self.encoder(observation))
        drive, state = self.drive(encoding), torch.zeros_like(encoding)
        for _ in range(self.ticks):
            state = self.cell(state, drive)
        read = torch.relu(self.readout(at_mouse(state, observation, self.stride)))
        return self.actor(read), self.critic(read).squeeze(-1)
