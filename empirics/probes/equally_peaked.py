"""Random networks as peaked as an agent: what is read where there is no mechanism.

Much of what is read of a policy grows with how decided it is, whatever it is decided for. So an
agent is compared with random networks whose logits are scaled until their mean entropy is its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from empirics.maze import MazeConfig
from empirics.policies.maze_policy import MazeNetwork
from empirics.probes.behavior import action_logits
from empirics.probes.random_networks import random_networks

FloatArray = NDArray[np.float64]
Measure = Callable[[FloatArray], Mapping[str, float]]
"""Action probabilities on all observations, (n, num_actions), to readings."""

NUM_RANDOM = 59
"""Random networks: one more exceeds the largest of them once in 60 times."""

AS_PEAKED = f"largest of {NUM_RANDOM} random networks as peaked"
"""The baseline's name."""

SHAPE = MazeNetwork(width=16)
"""Their shape. Wider, deeper and recurrent ones of the same entropy read much the same."""

SCALES = np.concatenate([[0.0], np.geomspace(0.2, 60.0, 10)])
"""Sizes of the logits (root mean square) at which networks are read; between, readings are
interpolated in the entropy. Policies with logits beyond the last are hardly more peaked."""


@final
@dataclass(frozen=True, eq=False)
class EquallyPeaked:
    """Readings of N policies with logits of any size, by their entropy.

    If an agent's policy is one more draw of what these are drawn from, with its logits scaled to an
    entropy that does not depend on the draw, then at that entropy it is exchangeable with them: it
    exceeds the largest of N with probability 1 / (N + 1), and less often by two standard errors.
    What is read at one of the `SCALES` is remembered, so that the second checkpoint costs little.

    Attributes
    ----------
    logits : (N, n, num_actions) array
        Of each policy on the same observations.
    measure : callable
        A method or a function of a module, so that a probe that holds this can be pickled.
    counted : int
        The entropy is the mean over the first so many observations.
    """

    logits: FloatArray
    measure: Measure
    counted: int
    _known: dict[tuple[int, int], Mapping[str, float]] = field(default_factory=dict, repr=False)

    @cached_property
    def entropy(self) -> FloatArray:
        """In nats, at each of the `SCALES`, (N, number of scales).

        Each row falls: the entropy of softmax(s · logits) never rises with s.
        """
        return np.array(
            [
                [mean_entropy(self._policy(i, j)[: self.counted]) for j in range(SCALES.size)]
                for i in range(len(self.logits))
            ]
        )

    def at(self, entropy: float) -> dict[str, FloatArray]:
        """Return the readings of every policy where it has this entropy, (N,) each."""
        rows = []
        for i, falling in enumerate(self.entropy):
            j = int(np.clip((falling > entropy).sum(), 1, SCALES.size - 1))
            ends = falling[[j, j - 1]]
            low, high = self._read(i, j), self._read(i, j - 1)
            rows.append({name: np.interp(entropy, ends, [low[name], high[name]]) for name in low})
        return {name: np.array([row[name] for row in rows]) for name in rows[0]}

    def largest(self, entropy: float) -> dict[str, float]:
        """Return the largest of each reading at this entropy."""
        return {name: float(values.max()) for name, values in self.at(entropy).items()}

    def _read(self, i: int, j: int) -> Mapping[str, float]:
        if (i, j) not in self._known:
            self._known[i, j] = self.measure(self._policy(i, j))
        return self._known[i, j]

    def _policy(self, i: int, j: int) -> FloatArray:
        apart = self.logits[i] - self.logits[i].mean(axis=-1, keepdims=True)
        unit = apart / np.sqrt(np.mean(apart[: self.counted] ** 2))
        return softmax(SCALES[j] * unit)


def random_logits(
    config: MazeConfig,
    observation: NDArray[np.float32],
    *,
    counted: int,
    number: int = NUM_RANDOM,
    seed: int,
) -> FloatArray:
    """Return the logits of fresh networks, (2 · number, n, num_actions): of each network two rows.

    Once as they come, when most of a logit is the same everywhere and the policy prefers one
    direction; once without that, as in trained agents: the mean of each action over the first
    `counted` observations is taken away. An agent of either kind is exchangeable with `number` of
    the rows, so that it exceeds all of them with probability at most 1 / (number + 1).
    """
    plain = np.array(
        [action_logits(network, observation) for network in _networks(config, number, seed)]
    )
    return np.concatenate([plain, plain - plain[:, :counted].mean(axis=1, keepdims=True)])


@lru_cache(maxsize=2)
def _networks(config: MazeConfig, number: int, seed: int) -> tuple[nn.Module, ...]:
    # Kept, for building them takes longer than asking them.
    return random_networks(SHAPE, config, number, rng=np.random.default_rng([seed, 1]))


def softmax(logits: FloatArray) -> FloatArray:
    """Return action probabilities, (..., num_actions)."""
    return torch.softmax(torch.from_numpy(logits), dim=-1).numpy()


def mean_entropy(policy: FloatArray) -> float:
    """Return the mean entropy of (n, num_actions) probabilities, in nats."""
    # log 1 where p is 0: the limit of p log p.
    return float(-(policy * np.log(np.where(policy > 0, policy, 1.0))).sum(axis=-1).mean())
