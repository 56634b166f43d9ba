"""The energy around a checkpoint of a maze agent: its behavior, or its values, on frozen states."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import final

import numpy as np
import torch
from torch import Tensor, nn

from empirics.llc.along_settings import AlongSettings
from empirics.llc.network_potential import flatten
from empirics.llc.potential import Potential
from empirics.llc.potentials.action_law import Categorical
from empirics.llc.potentials.behavior_kl import behavior_kl
from empirics.llc.potentials.freeze_states import FrozenStates
from empirics.llc.potentials.outputs import NetworkOutputs
from empirics.llc.potentials.value_regression import value_regression
from empirics.maze_agent import MazeAgent
from empirics.maze_states import held_out_states, visited_states


def energy_at(
    agent: MazeAgent,
    env_steps: int,
    path: Path,
    settings: AlongSettings,
    dtype: torch.dtype = torch.float32,
) -> tuple[Potential, Tensor]:
    """Return the energy around a checkpoint, and the checkpoint (1, d).

    It is 0 there and nowhere negative. Single precision is enough: divergences are computed
    without cancellation.

    Raises
    ------
    ValueError
        If the file is damaged or holds another architecture.
    """
    policy = agent.policy(path)
    frozen = _states(agent, env_steps, policy, settings)
    network = _Head(policy, settings.energy).to(dtype)
    center = flatten(network)[None]
    outputs = NetworkOutputs(network, torch.tensor(frozen.states, dtype=dtype))
    if settings.energy == "behavior":
        return behavior_kl(outputs, Categorical(), frozen, center), center
    own = outputs.at_centers(center)[..., 0]
    return value_regression(outputs, frozen, own, center), center


def chain_seed(agent: MazeAgent, env_steps: int, settings: AlongSettings) -> int:
    """Return the seed of a checkpoint's chains: whatever else is asked, it is the same."""
    return int(_source(agent, env_steps, settings).generate_state(1, np.uint64)[0])


def _states(
    agent: MazeAgent, env_steps: int, policy: nn.Module, settings: AlongSettings
) -> FrozenStates:
    n = settings.num_states
    if settings.states == "held_out":
        return held_out_states(agent.environment, n, rng=np.random.default_rng(settings.seed))
    (own,) = _source(agent, env_steps, settings).spawn(1)
    return visited_states(policy, agent.environment, n, rng=np.random.default_rng(own))


def _source(agent: MazeAgent, env_steps: int, settings: AlongSettings) -> np.random.SeedSequence:
    run = int(hashlib.sha256(agent.record.run_id.encode()).hexdigest()[:16], 16)
    return np.random.SeedSequence([settings.seed, run, env_steps])


@final
class _Head(nn.Module):
    """One head of an actor-critic: (B, *observation_shape) to logits (B, A) or values (B, 1)."""

    def __init__(self, policy: nn.Module, energy: str) -> None:
        super().__init__()
        self.policy, self.energy = policy, energy

    def forward(self, observation: Tensor) -> Tensor:
        logits, value = self.policy(observation)
        found: Tensor = logits if self.energy == "behavior" else value[..., None]
        return found
