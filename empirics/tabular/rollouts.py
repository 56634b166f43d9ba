"""Sampled episodes of a tabular problem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from empirics.coerce import whole
from empirics.tabular.mdp import TabularMDP

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class Rollouts:
    """N episodes of T steps.

    Attributes
    ----------
    states, actions : (N, T) integer arrays
    rewards : (N, T) array
        Expected reward of each action taken.
    gamma : float
    """

    states: Integers
    actions: Integers
    rewards: Floats
    gamma: float

    def __post_init__(self) -> None:
        for name in ("states", "actions", "rewards"):
            array = np.array(getattr(self, name))
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def returns(self) -> Floats:
        """Return the discounted return of every episode, (N,), cut after T steps."""
        result: Floats = self.rewards @ self.gamma ** np.arange(self.rewards.shape[1])
        return result


def rollouts(
    mdp: TabularMDP,
    policy: Tensor,
    num_episodes: int,
    num_steps: int,
    *,
    rng: np.random.Generator,
) -> Rollouts:
    """Sample episodes from the start distribution.

    Parameters
    ----------
    mdp : TabularMDP
    policy : (S, A) tensor
    num_episodes, num_steps : int
    rng : numpy.random.Generator
    """
    n, steps = whole("num_episodes", num_episodes, 1), whole("num_steps", num_steps, 1)
    after = mdp.transition.cpu().numpy().cumsum(-1)
    choices = policy.detach().cpu().numpy().cumsum(-1)
    reward = mdp.reward.cpu().numpy()
    states, actions = np.empty((n, steps), dtype=np.int64), np.empty((n, steps), dtype=np.int64)
    state = _drawn(np.broadcast_to(mdp.start.cpu().numpy().cumsum(), (n, mdp.num_states)), rng)
    for i in range(steps):
        action = _drawn(choices[state], rng)
        states[:, i], actions[:, i] = state, action
        state = _drawn(after[state, action], rng)
    return Rollouts(states, actions, reward[states, actions], mdp.gamma)


def _drawn(cumulative: Floats, rng: np.random.Generator) -> Integers:
    """Draw one index a row of cumulative probabilities, whose last is 1 up to rounding."""
    at = rng.random(len(cumulative))[:, None] * cumulative[:, -1:]
    index: Integers = (cumulative <= at).sum(1)
    return index
