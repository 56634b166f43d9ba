"""What a learning algorithm is: settings, and how one rollout is learned from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from empirics.coerce import whole
from theory.curve import Condition

if TYPE_CHECKING:
    from empirics.adam import Adam
    from empirics.networks import AbstractAgents
    from empirics.rollout import Rollout
    from empirics.training import Lane


class Learned(NamedTuple):
    """What an update measured.

    Attributes
    ----------
    measured : mapping of str to (S,) array
        Some of `training.UPDATE_LOG`, each seed's mean over gradient steps. A seed for which one
        is not finite has diverged.
    explained_variance : list of float
        Of returns by values, each seed's; NaN if returns are equal.
    """

    measured: Mapping[str, NDArray[np.float64]]
    explained_variance: list[float]


class AbstractAlgorithm(ABC):
    """Settings of an algorithm that learns from rollouts; its leaves are frozen dataclasses.

    Every algorithm acts for `num_steps` steps of `num_envs` environments by drawing from
    softmax(logits), learns from that rollout, and forgets it.
    """

    @property
    @abstractmethod
    def algorithm(self) -> str:
        """Name in the ledger."""

    total_timesteps: int
    num_envs: int
    num_steps: int
    learning_rate: float
    anneal_lr: bool
    gamma: float
    gae_lambda: float
    num_minibatches: int
    update_epochs: int
    max_grad_norm: float

    @abstractmethod
    def learn(
        self,
        agents: AbstractAgents,
        adam: Adam,
        lanes: Sequence[Lane],
        rollout: Rollout,
        learning_rate: float,
    ) -> Learned:
        """Learn from one rollout of each seed, changing the agents' weights."""

    @property
    def conditions(self) -> dict[str, Condition]:
        """The algorithm's name and settings as rows of a ledger."""
        settings: dict[str, Any] = asdict(self)  # type: ignore[call-overload]
        known = {name: value for name, value in settings.items() if value is not None}
        return {"algorithm": self.algorithm, **known}

    @property
    def batch_size(self) -> int:
        """Environment steps in one rollout, and so in one update."""
        return self.num_envs * self.num_steps

    @property
    def minibatch_size(self) -> int:
        """Environment steps in one gradient step."""
        return self.batch_size // self.num_minibatches

    @property
    def num_updates(self) -> int:
        """Rollouts, each followed by an update, in the whole run."""
        return self.total_timesteps // self.batch_size

    def check(self) -> None:
        """Check what all algorithms have in common.

        Raises
        ------
        ValueError
            If a setting is out of its range, or the batch cannot be cut into minibatches.
        """
        for name in ("num_envs", "num_steps", "num_minibatches", "update_epochs"):
            whole(name, getattr(self, name), 1)
        for name in ("gamma", "gae_lambda"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie in [0, 1]; it is {getattr(self, name)}.")
        for name in ("learning_rate", "max_grad_norm"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive; it is {getattr(self, name)}.")
        if self.batch_size % self.num_minibatches:
            raise ValueError(
                f"num_envs · num_steps = {self.batch_size} must be a multiple of "
                f"num_minibatches = {self.num_minibatches}."
            )
        if self.num_updates < 1:
            raise ValueError(
                f"total_timesteps = {self.total_timesteps} is less than one rollout of "
                f"num_envs · num_steps = {self.batch_size}."
            )
