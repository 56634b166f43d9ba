"""The seeds that are trained together, their networks as rows, and what they leave behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from empirics.adam import Adam
from empirics.checkpoint import Checkpoint, is_due, save_policy, save_snapshot
from empirics.job import Job, Start
from empirics.networks import (
    AbstractAgents,
    MLPAgents,
    MLPPolicy,
    MLPSpec,
    ModuleAgents,
    NetworkSpec,
)
from empirics.probe import check_alike
from empirics.rollout import Rollout
from empirics.training import Lane


@final
@dataclass(frozen=True, eq=False)
class Team:
    """Seeds that are equally far, one row of every array each.

    Attributes
    ----------
    group : tuple of Start
    agents : AbstractAgents
        Their networks.
    adam : Adam
        Their optimizers.
    rollout : Rollout
        Arrays that every update fills anew.
    """

    group: tuple[Start, ...]
    agents: AbstractAgents
    adam: Adam
    rollout: Rollout

    @property
    def lanes(self) -> list[Lane]:
        """What the seeds carry besides their networks."""
        return [start.lane for start in self.group]

    @property
    def has_finished_seeds(self) -> bool:
        """Whether a seed has reached its end or has diverged."""
        return any(lane.finished for lane in self.lanes)


def team_of(group: Sequence[Start], network: nn.Module | NetworkSpec, job: Job) -> Team:
    """Return a group as it begins, or as its last snapshots left it."""
    agents = _agents_of(group, network, job.device)
    adam = Adam(agents.flat)
    for s, start in enumerate(group):
        if start.snapshot:
            _restore_network(agents, adam, s, start.snapshot)
    return Team(tuple(group), agents, adam, _rollout(group, job))


def still_training(team: Team, network: nn.Module | NetworkSpec, job: Job) -> Team:
    """Return the team without the seeds that have finished; no other seed is changed."""
    rows = [s for s, lane in enumerate(team.lanes) if not lane.finished]
    if len(rows) == len(team.group):
        return team
    group = [team.group[s]._replace(policy=team.agents.policy(s)) for s in rows]
    if not group:
        return Team((), team.agents, team.adam, team.rollout)
    agents = _agents_of(group, network, job.device)
    adam = Adam(agents.flat)
    adam.mean, adam.square = team.adam.mean[rows], team.adam.square[rows]
    adam.count = team.adam.count[rows]
    return Team(tuple(group), agents, adam, _rollout(group, job))


def _agents_of(
    group: Sequence[Start], network: nn.Module | NetworkSpec, device: str
) -> AbstractAgents:
    """Return the networks of a group: several seeds only for perceptrons."""
    if isinstance(network, MLPSpec):
        policies = [start.policy for start in group if isinstance(start.policy, MLPPolicy)]
        return MLPAgents(policies, network, device)
    return ModuleAgents(group[0].policy, device)


def _rollout(group: Sequence[Start], job: Job) -> Rollout:
    lanes = [start.lane for start in group]
    return Rollout(job.config, lanes, lanes[0].environment.num_actions)


def take_checkpoint(team: Team, job: Job, updates: int) -> bool:
    """Keep and measure every seed's policy, if this moment is on the schedule.

    A policy whose answers are not finite has diverged and is not measured.
    """
    now, before = updates * job.config.batch_size, (updates - 1) * job.config.batch_size
    last = updates == job.config.num_updates
    if not is_due(job.schedule, before, now) and not last:
        return False
    for s, start in enumerate(team.group):
        if start.lane.finished:
            continue
        policy = team.agents.policy(s)
        if not _answers(policy, start.lane.observation):
            start.lane.diverge(now, "the policy's answers are", job.config.learning_rate)
            continue
        _keep_and_measure(policy, start, job, updates)
        start.lane.finished = last
    return True


def _answers(policy: nn.Module, observation: NDArray[np.float32]) -> bool:
    """Return whether what a policy says to an observation is finite."""
    with torch.inference_mode():
        logits, value = policy(torch.from_numpy(observation))
    return bool(logits.isfinite().all() and value.isfinite().all())


def _keep_and_measure(policy: nn.Module, start: Start, job: Job, updates: int) -> None:
    now, home, path = updates * job.config.batch_size, job.home(start.run_id), None
    if home:
        path = home / f"{now}.safetensors"
        facts = {"run_id": start.run_id, "env_steps": str(now), "updates": str(updates)}
        save_policy(path, policy, facts)
    if job.on_checkpoint:
        checkpoint = Checkpoint(now, updates, policy, path, start.lane.seed)
        try:
            start.lane.readings.append((now, dict(job.on_checkpoint(checkpoint))))
            check_alike(start.lane.readings)
        except ValueError as error:
            raise ValueError(f"seed {start.lane.seed} at {now} env_steps: {error}") from error


def take_snapshot(team: Team, job: Job) -> None:
    """Overwrite every seed's snapshot, so that it can go on from here, or be read back."""
    agents, adam = team.agents, team.adam
    for s, start in enumerate(team.group):
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
def _restore_network(
    agents: AbstractAgents, adam: Adam, s: int, snapshot: Mapping[str, NDArray[Any]]
) -> None:
    """Put one seed's weights and its optimizer back where the snapshot left them."""
    agents.flat[s] = torch.from_numpy(snapshot["parameters"])
    adam.mean[s] = torch.from_numpy(snapshot["adam.mean"])
    adam.square[s] = torch.from_numpy(snapshot["adam.square"])
    adam.count[s] = snapshot["adam.count"][0]
    for name, buffer in agents.buffers(s).items():
        buffer.copy_(torch.from_numpy(snapshot[f"buffer.{name}"]))
