"""What recurrent policies share: one small convolutional cell, applied tick after tick.

The weights of all ticks are the same, so the number of ticks is how long the agent thinks, and
after training it can be another one than in training. It is a deep repeated convolution made
as small as it goes; those are of Guez et al. 2019 ("An investigation of model-free planning").
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from typing import Self, final

import torch
from torch import Tensor, nn

from empirics.coerce import whole

FEW_TICKS = 6
"""Ticks of which the state, with layers as torch starts them, is not yet saturated."""


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


class AbstractRecurrentPolicy(nn.Module, ABC):
    """An encoder and the cell; what is read out of the last state is left to the kinds.

    The drive is what the observation puts into every tick: a convolution of the encoding,
    which with the cell's `inward` makes one convolution of [h, encoding]. The state starts at
    zero with every observation; nothing is remembered between steps of the environment. What
    `cell` returns is the state after a tick: the place to read and to edit it.

    Parameters
    ----------
    num_planes, width, ticks, stride : int
    """

    actor: nn.Linear | nn.Conv2d

    def __init__(self, num_planes: int, width: int, ticks: int, stride: int) -> None:
        super().__init__()
        self.ticks, self.stride = ticks, stride
        self.encoder = nn.Conv2d(num_planes, width, 3, stride, padding=1)
        self.drive = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.cell = RecurrentCell(width)

    @abstractmethod
    def forward(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, planes, size, size) to logits (B, num_actions) and value (B,)."""

    def last_state(self, observation: Tensor) -> Tensor:
        """Return the state after the last tick, (B, width, places, places)."""
        encoding = torch.relu(self.encoder(observation))
        drive, state = self.drive(encoding), torch.zeros_like(encoding)
        for _ in range(self.ticks):
            state = self.cell(state, drive)
        return state

    def with_ticks(self, ticks: int) -> Self:
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


def start_small(policy: AbstractRecurrentPolicy) -> None:
    """Make the first policy nearly uniform, and keep the state of many ticks from saturating.

    All else keeps torch's own initialization. Orthogonal weights of gain √2, with which the
    feed-forward policies start, leave a critic that explains nothing for the first 100,000 steps.
    """
    nn.init.orthogonal_(policy.actor.weight, gain=0.01)
    nn.init.zeros_(_bias(policy.actor))
    # What all ticks add together is that of a few: the state of many would saturate.
    nn.init.zeros_(_bias(policy.cell.outward))
    policy.cell.outward.weight.data *= FEW_TICKS / policy.ticks


def _bias(layer: nn.Module) -> nn.Parameter:
    return layer.get_parameter("bias")
