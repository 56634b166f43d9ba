"""Where a training run begins, and from where it goes on after its process was killed.

A run is known by the hash of everything that decides it. Its folder holds its checkpoints
and one snapshot, from which the same call goes on.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, final

from numpy.typing import NDArray
from torch import nn

from empirics.algorithm import AbstractAlgorithm
from empirics.checkpoint import Checkpoint, load_snapshot
from empirics.coerce import whole
from empirics.networks import NetworkSpec, initialize
from empirics.probe import Reading
from empirics.run_lock import lock_run
from empirics.toolchain import device_kind, toolchain
from empirics.training import Lane, MakeEnvironment, run_id_of, weights_digest
from theory.curve import Condition

Measure = Callable[[Checkpoint], Mapping[str, Reading]]


@final
@dataclass(frozen=True)
class Job:
    """What all seeds of one call have in common."""

    config: AbstractAlgorithm
    schedule: tuple[int, ...]
    folder: Path | None
    on_checkpoint: Measure | None
    run: str
    conditions: Mapping[str, Condition]
    device: str

    @property
    def ledger(self) -> dict[str, Condition]:
        """The caller's conditions and the algorithm's settings."""
        return {**self.conditions, **self.config.conditions}

    def home(self, run_id: str) -> Path | None:
        """Return the folder of one run's checkpoints."""
        return self.folder / "checkpoints" / run_id if self.folder else None


def job_of(
    config: AbstractAlgorithm,
    schedule: Sequence[int],
    folder: Path | None,
    on_checkpoint: Measure | None,
    run: str,
    conditions: Mapping[str, Condition],
    device: str,
) -> Job:
    """Return a job, its schedule and its device checked."""
    device_kind(device)
    moments = tuple(whole("a moment of the schedule", moment, 0) for moment in schedule)
    return Job(config, moments, folder, on_checkpoint, run, dict(conditions), device)


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
    locks: ExitStack,
) -> Start:
    """Return the seed as it begins, or as its last snapshot left it.

    A run that is not finished stays locked for other processes until `locks` is closed.
    """
    lane = Lane(seed, make_environment, toolchain(job.device))
    policy = _policy_of(lane, network, job, fresh)
    # On another kind of device the same run differs in its last bits, and so soon in all.
    facts = [
        job.ledger,
        job.schedule,
        seed,
        fresh or weights_digest(policy),
        device_kind(job.device),
    ]
    run_id = run_id_of(facts, policy)
    home = job.home(run_id)
    found = load_snapshot(home) if home else None
    if home and not (found and found[1]["finished"]):
        locks.enter_context(lock_run(home))
        found = load_snapshot(home)  # another process may have gone on until the lock was ours
    if found:
        lane.restore(*found)
        if not lane.finished:
            lane.go_on(found[0], toolchain(job.device))
    return Start(lane, policy, run_id, found[0] if found else None)


def _policy_of(lane: Lane, network: nn.Module | NetworkSpec, job: Job, fresh: bool) -> nn.Module:
    """Return the seed's own network for its environment."""
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
        return policy
    shape, actions = environment.observation_shape, environment.num_actions
    return network.build(shape, actions, rng=lane.rng)
