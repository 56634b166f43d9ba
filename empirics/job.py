"""Where a training run begins, what it leaves at its checkpoints, and how it goes on.

A run is known by the hash of everything that decides it. Its folder holds its checkpoints
and one snapshot, from which the same call goes on after the process was killed.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, final

import torch
from numpy.typing import NDArray
from torch import nn

from empirics.adam import Adam
from empirics.checkpoint import Checkpoint, is_due, load_snapshot, save_policy, save_snapshot
from empirics.networks import (
    AbstractAgents,
    MLPAgents,
    MLPPolicy,
    MLPSpec,
    ModuleAgents,
    NetworkSpec,
    initialize,
)
from empirics.probe import Reading
from empirics.training import Lane, MakeEnvironment, run_id_of, weights_digest
from theory.curve import Condition

if TYPE_CHECKING:
    from empirics.ppo import PPOConfig

Measure = Callable[[Checkpoint], Mapping[str, Reading]]


@final
@dataclass(frozen=True)
class Job:
    """What all seeds of one call have in common."""

    config: PPOConfig
    schedule: tuple[int, ...]
    folder: Path | None
    on_checkpoint: Measure | None
    run: str
    conditions: Mapping[str, Condition]
    device: str

    @property
    def ledger(self) -> dict[str, Condition]:
        """The caller's conditions and PPO's settings."""
        settings = {k: v for k, v in asdict(self.config).items() if v is not None}
        return {**self.conditions, "algorithm": "ppo", **settings}

    def home(self, run_id: str) -> Path | None:
        """Return the folder of one run's checkpoints."""
        return self.folder / "checkpoints" / run_id if self.folder else None


class Start(NamedTuple):
    """One seed before its training, or where its last snapshot left it."""

    lane: Lane
    policy: nn.Module
    run_id: str
    snapshot: Mapping[str, NDArray[Any]] | None

    @property
    def progress(self) -> tuple[int, bool]:
        """Updates done, and whether what is due at this moment is done too."""
        return self.lane.updates, self.snapshot is not None


def start_of(
    make_environment: MakeEnvironment,
    network: nn.Module | NetworkSpec,
    job: Job,
    seed: int,
    fresh: bool,
) -> Start:
    """Return the seed as it begins, or as its last snapshot left it."""
    lane = Lane(seed, make_environment)
    environment = lane.environment
    if environment.num_envs != job.config.num_envs:
        raise ValueError(
            f"the environment steps {environment.num_envs} copies together, but num_envs = "
            f"{job.config.num_envs}; they must be equal."
        )
    if isinstance(network, nn.Module):
        policy = copy.deepcopy(network)
        if fresh:
            initialize(policy, rng=lane.rng)
    else:
        shape, actions = environment.observation_shape, environment.num_actions
        policy = network.build(shape, actions, rng=lane.rng)
    facts = [job.ledger, job.schedule, seed, fresh or weights_digest(policy)]
    run_id = run_id_of(facts, policy)
    home = job.home(run_id)
    found = load_snapshot(home) if home else None
    if found:
        lane.restore(*found)
    return Start(lane, policy, run_id, found[0] if found else None)


def agents_of(
    group: Sequence[Start], network: nn.Module | NetworkSpec, device: str
) -> AbstractAgents:
    """Return the networks of a group: several seeds only for perceptrons."""
    if isinstance(network, MLPSpec):
        policies = [start.policy for start in group if isinstance(start.policy, MLPPolicy)]
        return MLPAgents(policies, network, device)
    return ModuleAgents(group[0].policy, device)


def take_checkpoint(agents: AbstractAgents, group: Sequence[Start], job: Job, updates: int) -> bool:
    """Keep and measure every seed's policy, if this moment is on the schedule."""
    now, before = updates * job.config.batch_size, (updates - 1) * job.config.batch_size
    if not is_due(job.schedule, before, now) and updates < job.config.num_updates:
        return False
    for s, start in enumerate(group):
        policy, home, path = agents.policy(s), job.home(start.run_id), None
        if home:
            path = home / f"{now}.safetensors"
            facts = {"run_id": start.run_id, "env_steps": str(now), "updates": str(updates)}
            save_policy(path, policy, facts)
        if job.on_checkpoint:
            checkpoint = Checkpoint(now, updates, policy, path, start.lane.seed)
            start.lane.readings.append((now, dict(job.on_checkpoint(checkpoint))))
    return True


def take_snapshot(agents: AbstractAgents, adam: Adam, group: Sequence[Start], job: Job) -> None:
    """Overwrite every seed's snapshot, so that it can go on from here."""
    for s, start in enumerate(group):
        home = job.home(start.run_id)
        if home:
            arrays, facts = start.lane.state()
            network = {
                "parameters": agents.flat[s],
                "adam.mean": adam.mean[s],
                "adam.square": adam.square[s],
                **{f"buffer.{name}": value for name, value in agents.buffers(s).items()},
            }
            arrays |= {name: tensor.cpu().numpy() for name, tensor in network.items()}
            save_snapshot(home, {**arrays, "adam.count": adam.count[s : s + 1]}, facts)


@torch.no_grad()
def restore_network(
    agents: AbstractAgents, adam: Adam, s: int, snapshot: Mapping[str, NDArray[Any]]
) -> None:
    """Put one seed's weights and its optimizer back where the snapshot left them."""
    agents.flat[s] = torch.from_numpy(snapshot["parameters"])
    adam.mean[s] = torch.from_numpy(snapshot["adam.mean"])
    adam.square[s] = torch.from_numpy(snapshot["adam.square"])
    adam.count[s] = snapshot["adam.count"][0]
    for name, buffer in agents.buffers(s).items():
        buffer.copy_(torch.from_numpy(snapshot[f"buffer.{name}"]))
