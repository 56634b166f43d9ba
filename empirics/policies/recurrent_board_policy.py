"""The recurrent policy of a board: the logit of each square is read at that square."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import final

import numpy as np
import torch
from torch import Tensor, nn

from empirics.coerce import coerce_fields, whole
from empirics.policies.recurrent_policy import AbstractRecurrentPolicy, start_small
from theory.curve import Condition

STONE_PLANES = 2
"""The first planes of an observation: where either side's stones are."""

NEVER = -1e9
"""Logit of a square that is taken; finite, so that 0 · log 0 in an entropy stays a number."""


@final
@dataclass(frozen=True)
class RecurrentBoardNetwork:
    """Shape of a `RecurrentBoardPolicy`.

    Attributes
    ----------
    width : int
        Channels of the encoding and of the state.
    ticks : int
        How often the cell is applied; a tick carries information two squares farther.
    hidden : int
        Units of the dense layer that reads the state at every square.

    Raises
    ------
    ValueError
        If a number is no positive whole number.
    """

    width: int = 32
    ticks: int = 4
    hidden: int = 64

    def __post_init__(self) -> None:
        coerce_fields(self)
        for name, value in asdict(self).items():
            whole(name, value, 1)

    @property
    def conditions(self) -> dict[str, Condition]:
        """The shape as rows of a ledger."""
        return {f"network_{name}": value for name, value in asdict(self).items()}

    def build(
        self, observation_shape: tuple[int, ...], num_actions: int, *, rng: np.random.Generator
    ) -> RecurrentBoardPolicy:
        """Return one freshly initialized policy; equal generators, equal weights.

        Raises
        ------
        ValueError
            If there is not one action a square.
        """
        planes, *board = observation_shape
        if int(np.prod(board)) != num_actions:
            raise ValueError(
                f"a policy of a board has an action a square; the board is {board[0]} × "
                f"{board[1]}, and there are {num_actions} actions."
            )
        with torch.random.fork_rng(devices=[]):  # layers draw from the global generator
            torch.manual_seed(int(rng.integers(2**63)))
            policy = RecurrentBoardPolicy(self, planes)
            start_small(policy)
        return policy


@final
class RecurrentBoardPolicy(AbstractRecurrentPolicy):
    """The recurrent cell, a read-out at every square, and the two heads of an actor-critic.

    Logits of squares with a stone are `NEVER`, so that no illegal move is made. The value is read
    from the mean of the read-outs.

    Parameters
    ----------
    network : RecurrentBoardNetwork
    num_planes : int
    """

    def __init__(self, network: RecurrentBoardNetwork, num_planes: int) -> None:
        super().__init__(num_planes, network.width, network.ticks, stride=1)
        self.readout = nn.Conv2d(network.width, network.hidden, 1)
        self.actor = nn.Conv2d(network.hidden, 1, 1)
        self.critic = nn.Linear(network.hidden, 1)

    def forward(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, planes, size, size) to logits (B, size²) and value (B,)."""
        read = torch.relu(self.readout(self.last_state(observation)))
        is_taken = observation[:, :STONE_PLANES].any(dim=1).flatten(1)
        logits = self.actor(read).flatten(1).masked_fill(is_taken, NEVER)
        return logits, self.critic(read.mean(dim=(2, 3))).squeeze(-1)
