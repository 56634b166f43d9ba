"""Settings of PPO, named and preset as in CleanRL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from empirics.coerce import coerce_fields, whole


@final
@dataclass(frozen=True)
class PPOConfig:
    """Settings of PPO, named and preset as in CleanRL.

    Raises
    ------
    ValueError
        If a setting is out of its range, or the batch cannot be cut into minibatches.
    """

    total_timesteps: int = 500_000
    """environment steps in all, rounded down to whole updates"""
    num_envs: int = 4
    """environments stepped together"""
    num_steps: int = 128
    """steps of each environment in one rollout"""
    learning_rate: float = 2.5e-4
    """step size of Adam at the start"""
    anneal_lr: bool = True
    """whether the step size falls linearly to zero"""
    gamma: float = 0.99
    """discount"""
    gae_lambda: float = 0.95
    """λ of generalized advantage estimation"""
    num_minibatches: int = 4
    """minibatches an epoch"""
    update_epochs: int = 4
    """passes over each rollout"""
    norm_adv: bool = True
    """whether advantages are normalized in each minibatch"""
    clip_coef: float = 0.2
    """how far the probability ratio may leave 1 before its gradient is cut"""
    clip_vloss: bool = True
    """whether the value's change is clipped by `clip_coef` too"""
    ent_coef: float = 0.01
    """weight of the entropy bonus"""
    vf_coef: float = 0.5
    """weight of the value loss"""
    max_grad_norm: float = 0.5
    """largest norm of a seed's whole gradient"""
    target_kl: float | None = None
    """stop an update after the epoch whose last minibatch's approx_kl exceeds this"""

    def __post_init__(self) -> None:
        coerce_fields(self)
        for name in ("num_envs", "num_steps", "num_minibatches", "update_epochs"):
            whole(name, getattr(self, name), 1)
        for name in ("gamma", "gae_lambda"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie in [0, 1]; it is {getattr(self, name)}.")
        for name in ("learning_rate", "clip_coef", "max_grad_norm", "target_kl"):
            if not (getattr(self, name) is None or getattr(self, name) > 0):
                raise ValueError(f"{name} must be positive; it is {getattr(self, name)}.")
        if self.vf_coef < 0:
            raise ValueError(f"vf_coef must not be negative; it is {self.vf_coef}.")
        self._check_sizes()

    def _check_sizes(self) -> None:
        if self.batch_size % self.num_minibatches:
            raise ValueError(
                f"num_envs · num_steps = {self.batch_size} must be a multiple of "
                f"num_minibatches = {self.num_minibatches}."
            )
        if self.norm_adv and self.minibatch_size < 2:
            raise ValueError("norm_adv needs minibatches of at least 2; they hold 1.")
        if self.num_updates < 1:
            raise ValueError(
                f"total_timesteps = {self.total_timesteps} is less than one rollout of "
                f"num_envs · num_steps = {self.batch_size}."
            )

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
