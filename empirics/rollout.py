"""What is learned from: one rollout of each seed, and its advantages.

Letters in shapes: S seeds, T = num_steps, N = num_envs, B = T·N, M = minibatch, A actions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from empirics.algorithm import AbstractAlgorithm
from empirics.networks import AbstractAgents
from empirics.training import Lane

Ended = tuple[int, int, NDArray[np.intp], NDArray[np.float32]]


class Batch(NamedTuple):
    """One rollout of each seed, or a minibatch of it; arrays (S, B) and (S, B, …)."""

    observation: Tensor
    action: Tensor
    log_probability: Tensor
    advantage: Tensor
    returns: Tensor
    value: Tensor

    def at(self, index: Tensor) -> Batch:
        """Return the minibatch of the rows `index` (S, M), each seed by its own."""
        seeds, size = self.action.shape
        rows = (index + size * torch.arange(seeds, device=index.device)[:, None]).flatten()
        parts = (x.flatten(0, 1).index_select(0, rows) for x in self)
        return Batch(*(x.view(*index.shape, *x.shape[1:]) for x in parts))


def gae(
    reward: Tensor,
    value: Tensor,
    next_value: Tensor,
    terminated: Tensor,
    ended: Tensor,
    *,
    gamma: float,
    gae_lambda: float,
) -> Tensor:
    """Return generalized advantage estimates (Schulman et al., 2016, eq. 16).

    Parameters
    ----------
    reward, value : (T, …) tensor
        Reward of each step, value of the observation acted on.
    next_value : (T, …) tensor
        Value of the observation the step led to; of the episode's own last observation
        where the episode ended there.
    terminated : (T, …) bool tensor
        Nothing can be gained any more: the bootstrap is zero.
    ended : (T, …) bool tensor
        Terminated or cut by a time limit: later rewards belong to another episode.

    Returns
    -------
    (T, …) tensor
    """
    delta = reward + gamma * next_value * ~terminated - value
    decay = gamma * gae_lambda * (~ended).to(delta.dtype)
    advantage = torch.empty_like(delta)
    last = torch.zeros_like(delta[0])
    for t in reversed(range(len(delta))):
        last = torch.addcmul(delta[t], decay[t], last, out=advantage[t])
    return advantage


class Rollout:
    """Arrays that one rollout of each seed fills, time first; allocated once."""

    def __init__(self, config: AbstractAlgorithm, lanes: Sequence[Lane], num_actions: int) -> None:
        steps, size = config.num_steps, (len(lanes), config.num_envs)
        shape = lanes[0].observation.shape[1:]
        self.observation = torch.zeros(steps + 1, *size, *shape)
        self.logits = torch.zeros(steps, *size, num_actions)
        self.action = torch.zeros(steps, *size, dtype=torch.long)
        self.reward, self.value, self.next_value = torch.zeros(3, steps, *size)
        self.terminated, self.truncated = torch.zeros(2, steps, *size, dtype=torch.bool)


@torch.inference_mode()
def collect(agents: AbstractAgents, lanes: Sequence[Lane], rollout: Rollout) -> None:
    """Act for one rollout, filling `rollout`; each seed draws from its own generator.

    Actions are drawn by adding Gumbel noise to the logits and taking the largest.
    """
    shape = rollout.logits.shape
    noise = np.stack([lane.rng.gumbel(size=(shape[0], *shape[2:])) for lane in lanes], axis=1)
    gumbel = torch.from_numpy(noise.astype(np.float32))
    arrays = {name: array.numpy() for name, array in vars(rollout).items()}
    cut: list[Ended] = []
    for s, lane in enumerate(lanes):
        arrays["observation"][0, s] = lane.observation
    for t in range(shape[0]):
        logits, value = agents(rollout.observation[t].to(agents.flat.device))
        rollout.logits[t], rollout.value[t] = logits, value
        torch.argmax(rollout.logits[t] + gumbel[t], dim=-1, out=rollout.action[t])
        for s, lane in enumerate(lanes):
            step = lane.step(arrays["action"][t, s])
            arrays["observation"][t + 1, s] = step.observation
            arrays["reward"][t, s] = step.reward
            arrays["terminated"][t, s] = step.terminated
            if step.truncated.any():
                arrays["truncated"][t, s] = step.truncated
                who = np.flatnonzero(step.truncated & ~step.terminated)
                cut.append((t, s, who, step.final_observation[who]))
            else:
                arrays["truncated"][t, s] = False
    rollout.next_value[:-1] = rollout.value[1:]
    rollout.next_value[-1] = agents(rollout.observation[-1].to(agents.flat.device))[1]
    for s in range(len(lanes)):
        _bootstrap_cut_episodes(agents, s, [part for part in cut if part[1] == s], arrays)


def _bootstrap_cut_episodes(
    agents: AbstractAgents,
    s: int,
    cut: list[Ended],
    arrays: dict[str, np.ndarray[Any, Any]],
) -> None:
    """Value the last observations of one seed's episodes that a time limit cut."""
    if cut:
        when = np.concatenate([np.full(len(who), t) for t, _, who, _ in cut])
        who = np.concatenate([who for _, _, who, _ in cut])
        last = torch.from_numpy(np.concatenate([last for *_, last in cut]))
        if len(who):
            value = agents.value(s, last.to(agents.flat.device))
            arrays["next_value"][when, s, who] = value.cpu().numpy()


def batch_of(rollout: Rollout, config: AbstractAlgorithm, device: torch.device) -> Batch:
    """Return the rollout as (S, B, …) arrays on `device`, with advantages and returns."""
    advantage = gae(
        rollout.reward,
        rollout.value,
        rollout.next_value,
        rollout.terminated,
        rollout.terminated | rollout.truncated,
        gamma=config.gamma,
        gae_lambda=config.gae_lambda,
    )
    acted = log_probability(log_softmax(rollout.logits), rollout.action)
    arrays = (
        rollout.observation[:-1],
        rollout.action,
        acted,
        advantage,
        advantage + rollout.value,
        rollout.value,
    )
    return Batch(*(x.to(device).transpose(0, 1).flatten(1, 2) for x in arrays))


def log_softmax(logits: Tensor) -> Tensor:
    """Return log probabilities over the last axis."""
    return logits - logits.logsumexp(-1, keepdim=True)  # faster than torch's for few actions


def log_probability(log_probabilities: Tensor, action: Tensor) -> Tensor:
    """Return the log probability of each action; it has the shape of `action`."""
    return log_probabilities.gather(-1, action[..., None]).squeeze(-1)


def explained_variance(batch: Batch) -> list[float]:
    """Return 1 − var(returns − value) / var(returns) for each seed; NaN if returns are equal."""
    spread = batch.returns.var(dim=-1)
    share = 1 - (batch.returns - batch.value).var(dim=-1) / spread
    return torch.where(spread > 0, share, torch.nan).tolist()
