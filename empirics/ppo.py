"""Proximal policy optimization (Schulman et al., 2017), from top to bottom.

Names and details are CleanRL's (Huang et al., 2022, "The 37 implementation details of
proximal policy optimization"), with two differences: an episode cut by a time limit is
bootstrapped from the value of its *own* last observation, and every array has a leading
axis of S seeds, trained in one program. No reduction crosses that axis. S = 1 for
anything but multilayer perceptrons (see `empirics.networks`).

Letters in shapes: S seeds, T = num_steps, N = num_envs, B = T·N, M = minibatch, A actions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from empirics.adam import Adam
from empirics.algorithm import Learned
from empirics.descend import descend
from empirics.networks import AbstractAgents
from empirics.ppo_config import PPOConfig
from empirics.rollout import (
    Batch,
    Rollout,
    batch_of,
    explained_variance,
    log_probability,
    log_softmax,
)
from empirics.train import train, train_seeds
from empirics.training import UPDATE_LOG, Lane

__all__ = ["PPOConfig", "learn", "losses", "train", "train_seeds", "update"]

FloatArray = NDArray[np.float64]


def normalized(advantage: Tensor) -> Tensor:
    """Return advantages with mean 0 and standard deviation 1 over the last axis."""
    sd, mean = torch.std_mean(advantage, dim=-1, keepdim=True)
    return (advantage - mean) / (sd + 1e-8)


def policy_loss(ratio: Tensor, advantage: Tensor, clip_coef: float) -> Tensor:
    """Return the clipped surrogate (Schulman et al., 2017, eq. 7), to be minimized.

    `ratio`, `advantage` (…, M): mean over the last axis.
    """
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
    return -torch.minimum(ratio * advantage, clipped * advantage).mean(-1)


def value_loss(value: Tensor, old_value: Tensor, returns: Tensor, clip: float | None) -> Tensor:
    """Return half the mean squared error over the last axis.

    With `clip`, the larger of that error and the error of the value held within `clip` of
    `old_value`, sample by sample.
    """
    error = (value - returns).square()
    if clip is not None:
        held = old_value + (value - old_value).clamp(-clip, clip)
        error = torch.maximum(error, (held - returns).square())
    return 0.5 * error.mean(-1)


def losses(agents: AbstractAgents, batch: Batch, config: PPOConfig) -> tuple[Tensor, Tensor]:
    """Return each seed's loss (S,) and its parts (S, 6), named as in `UPDATE_LOG`."""
    logits, value = agents(batch.observation)
    log_probabilities = log_softmax(logits)
    log_ratio = log_probability(log_probabilities, batch.action) - batch.log_probability
    ratio = log_ratio.exp()
    advantage = normalized(batch.advantage) if config.norm_adv else batch.advantage
    clip = config.clip_coef if config.clip_vloss else None
    policy = policy_loss(ratio, advantage, config.clip_coef)
    critic = value_loss(value, batch.value, batch.returns, clip)
    entropy = -(log_probabilities.exp() * log_probabilities).sum(-1).mean(-1)
    loss = policy - config.ent_coef * entropy + config.vf_coef * critic
    with torch.no_grad():
        old_approx_kl = -log_ratio.mean(-1)
        approx_kl = (ratio - 1).mean(-1) + old_approx_kl  # Schulman (2020), estimator k3
        clipfrac = ((ratio - 1).abs() > config.clip_coef).float().mean(-1)
        parts = (policy, critic, entropy, old_approx_kl, approx_kl, clipfrac)
        return loss, torch.stack([part.detach() for part in parts], dim=-1)


def update(
    agents: AbstractAgents,
    adam: Adam,
    lanes: Sequence[Lane],
    batch: Batch,
    config: PPOConfig,
    learning_rate: float,
) -> FloatArray:
    """Learn from one rollout; return the mean of each logged part over gradient steps (S, 6)."""

    def stays_near(parts: Tensor) -> list[bool]:
        kl: list[float] = parts[:, UPDATE_LOG.index("approx_kl")].tolist()
        return [config.target_kl is None or k <= config.target_kl for k in kl]

    return descend(
        agents,
        adam,
        lanes,
        batch,
        config,
        learning_rate,
        lambda minibatch: losses(agents, minibatch, config),
        None if config.target_kl is None else stays_near,
    )


def learn(
    agents: AbstractAgents,
    adam: Adam,
    lanes: Sequence[Lane],
    rollout: Rollout,
    config: PPOConfig,
    learning_rate: float,
) -> Learned:
    """Do one update from one rollout of each seed."""
    batch = batch_of(rollout, config, agents.flat.device)
    measured = update(agents, adam, lanes, batch, config, learning_rate)
    return Learned(dict(zip(UPDATE_LOG, measured.T, strict=True)), explained_variance(batch))
