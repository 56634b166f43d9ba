"""Networks whose actor returns values of actions, and whose policy is their softmax."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from torch import Tensor, nn

from theory.curve import Condition

if TYPE_CHECKING:
    from empirics.policies.maze_policy import MazeNetwork, MazePolicy
    from empirics.policies.recurrent_maze_policy import RecurrentMazeNetwork, RecurrentMazePolicy


@final
@dataclass(frozen=True)
class TemperedNetwork:
    """A network whose logits are what its actor returns, divided by a temperature.

    It is the same class of policy with the same names inside, so every probe reads it; only the
    unit of the actor is another one. Q-learning with temperature T has Q = V + T·log π + …
    (`empirics.pqn`): as logits, the actor's errors weigh T times what the critic's do, and the
    layers that both share are made for the critic.

    Attributes
    ----------
    network : MazeNetwork or RecurrentMazeNetwork
    temperature : float

    Raises
    ------
    ValueError
        If the temperature is not positive.
    """

    network: MazeNetwork | RecurrentMazeNetwork
    temperature: float

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise ValueError(f"temperature must be positive; it is {self.temperature}.")

    @property
    def conditions(self) -> dict[str, Condition]:
        """The shape as rows of a ledger."""
        return {**self.network.conditions, "network_temperature": self.temperature}

    def build(
        self, observation_shape: tuple[int, ...], num_actions: int, *, rng: np.random.Generator
    ) -> MazePolicy | RecurrentMazePolicy:
        """Return one freshly initialized policy; equal generators, equal weights."""
        policy = self.network.build(observation_shape, num_actions, rng=rng)
        policy.actor = nn.Sequential(policy.actor, _Divided(self.temperature))
        return policy


@final
class _Divided(nn.Module):
    """Divides by a number."""

    def __init__(self, by: float) -> None:
        super().__init__()
        self.by = by

    def forward(self, x: Tensor) -> Tensor:
        return x / self.by

    def extra_repr(self) -> str:
        return f"by={self.by}"
