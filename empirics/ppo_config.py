"""Settings of PPO, named and preset as in CleanRL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from empirics.algorithm import AbstractAlgorithm, Learned
from empirics.coerce import coerce_fields

if TYPE_CHECKING:
    from empirics.adam import Adam
    from empirics.networks import AbstractAgents
    from empirics.rollout import Rollout
    from empirics.training import Lane

ALGORITHMS = ("a2c", "ppo", "reinforce")
"""What settings of PPO may be called."""


@final
@dataclass(frozen=True)
class PPOConfig(AbstractAlgorithm):
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

    algorithm: str = "ppo"
    """name in the ledger: "ppo", or that of a special case (`empirics.policy_gradients`)"""

    def __post_init__(self) -> None:
        coerce_fields(self)
        self.check()
        for name in ("clip_coef", "target_kl"):
            if not (getattr(self, name) is None or getattr(self, name) > 0):
                raise ValueError(f"{name} must be positive; it is {getattr(self, name)}.")
        if self.vf_coef < 0:
            raise ValueError(f"vf_coef must not be negative; it is {self.vf_coef}.")
        if self.norm_adv and self.minibatch_size < 2:
            raise ValueError("norm_adv needs minibatches of at least 2; they hold 1.")
        self._check_name()

    def _check_name(self) -> None:
        if self.algorithm not in ALGORITHMS:
            raise ValueError(
                f"algorithm must be one of {', '.join(ALGORITHMS)}; it is {self.algorithm!r}."
            )
        several = self.update_epochs > 1 or self.num_minibatches > 1
        if self.algorithm != "ppo" and (several or self.norm_adv or self.clip_vloss):
            raise ValueError(
                f"{self.algorithm} takes one plain gradient step a rollout: update_epochs = 1, "
                "num_minibatches = 1, norm_adv = False and clip_vloss = False; else call it ppo."
            )
        if self.algorithm == "reinforce" and self.gae_lambda != 1:
            raise ValueError(
                f"reinforce learns from whole returns: gae_lambda = 1; it is {self.gae_lambda}."
            )

    def learn(
        self,
        agents: AbstractAgents,
        adam: Adam,
        lanes: Sequence[Lane],
        rollout: Rollout,
        learning_rate: float,
    ) -> Learned:
        """Learn from one rollout of each seed (`empirics.ppo`)."""
        from empirics.ppo import learn

        return learn(agents, adam, lanes, rollout, self, learning_rate)
