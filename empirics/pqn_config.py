"""Settings of Q-learning in parallel environments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from empirics.algorithm import AbstractAlgorithm, Learned
from empirics.coerce import coerce_fields

if TYPE_CHECKING:
    from empirics.adam import Adam
    from empirics.networks import AbstractAgents
    from empirics.rollout import Rollout
    from empirics.training import Lane


@final
@dataclass(frozen=True)
class PQNConfig(AbstractAlgorithm):
    """Settings of PQN (Gallici et al., 2024), as it is in `empirics.pqn`.

    Raises
    ------
    ValueError
        If a setting is out of its range, or the batch cannot be cut into minibatches.
    """

    algorithm: ClassVar[str] = "pqn"

    total_timesteps: int = 500_000
    """environment steps in all, rounded down to whole updates"""
    num_envs: int = 128
    """environments stepped together"""
    num_steps: int = 32
    """steps of each environment in one rollout"""
    learning_rate: float = 2.5e-4
    """step size of Adam at the start"""
    anneal_lr: bool = True
    """whether the step size falls linearly to zero"""
    gamma: float = 0.99
    """discount"""
    gae_lambda: float = 0.65
    """λ of the returns that are regressed on"""
    num_minibatches: int = 16
    """minibatches an epoch"""
    update_epochs: int = 2
    """passes over each rollout"""
    max_grad_norm: float = 10.0
    """largest norm of a seed's whole gradient"""
    temperature: float = 0.05
    """of the policy that acts, softmax(Q / temperature), in the unit of rewards"""

    def __post_init__(self) -> None:
        coerce_fields(self)
        self.check()
        if not self.temperature > 0:
            raise ValueError(f"temperature must be positive; it is {self.temperature}.")

    def learn(
        self,
        agents: AbstractAgents,
        adam: Adam,
        lanes: Sequence[Lane],
        rollout: Rollout,
        learning_rate: float,
    ) -> Learned:
        """Learn from one rollout of each seed (`empirics.pqn`)."""
        from empirics.pqn import learn

        return learn(agents, adam, lanes, rollout, self, learning_rate)
