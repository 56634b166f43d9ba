"""Checkpoints on a schedule, and the one snapshot from which a killed run goes on.

Both are safetensors files, written under a temporary name and renamed: a file is there
wholly or not at all, whenever the process is killed. No pickle is read or written.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from torch import from_numpy, nn

Arrays = Mapping[str, NDArray[Any]]

SNAPSHOT = "resume.safetensors"


@final
@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A policy as it was at one moment of its training.

    Attributes
    ----------
    env_steps, updates : int
        Environment steps and PPO updates behind it.
    policy : torch.nn.Module
        A frozen copy on the CPU: (B, *observation_shape) to logits (B, A), value (B,).
    path : Path or None
        The safetensors file, if it was written.
    seed : int
        Seed of the run.
    """

    env_steps: int
    updates: int
    policy: nn.Module
    path: Path | None
    seed: int


def checkpoint_schedule(
    total_timesteps: int, *, num_log: int = 30, first: int = 1_000, every: int | None = None
) -> tuple[int, ...]:
    """Return the environment steps at which to take checkpoints, strictly increasing.

    Parameters
    ----------
    total_timesteps : int
        Length of the run; the last checkpoint.
    num_log : int
        Number of log-spaced checkpoints from `first` to `total_timesteps`.
    first : int
        First checkpoint after the one at 0.
    every : int or None
        Additional checkpoints every so many environment steps.

    Raises
    ------
    ValueError
        If a number is not positive or `first` exceeds `total_timesteps`.
    """
    if not 0 < first <= total_timesteps:
        raise ValueError(f"first must lie in 1…total_timesteps = {total_timesteps}; it is {first}.")
    if num_log < 2 or (every is not None and every < 1):
        raise ValueError(
            f"num_log must be at least 2 and every at least 1; they are {num_log} and {every}."
        )
    log_spaced = np.geomspace(first, total_timesteps, num_log).round().astype(np.int64)
    even = range(every, total_timesteps, every) if every else ()
    return tuple(sorted({0, total_timesteps, *log_spaced.tolist(), *even}))


def is_due(schedule: tuple[int, ...], before: int, now: int) -> bool:
    """Return whether a scheduled moment lies in (before, now]."""
    return any(before < moment <= now for moment in schedule)


def save_policy(path: Path, policy: nn.Module, metadata: Mapping[str, str]) -> None:
    """Write a policy's weights; whole or not at all."""
    weights = {name: tensor.cpu().numpy() for name, tensor in policy.state_dict().items()}
    write_arrays(path, weights, metadata)


def load_policy(path: Path, policy: nn.Module) -> nn.Module:
    """Fill `policy` with the weights of a checkpoint file, frozen.

    Raises
    ------
    ValueError
        If the file is no safetensors file or holds another architecture.
    """
    arrays, _ = read_arrays(path)
    try:
        policy.load_state_dict({name: from_numpy(array) for name, array in arrays.items()})
    except RuntimeError as error:
        raise ValueError(f"{path} holds another network than the one given; {error}") from None
    return policy.eval().requires_grad_(False)


def write_arrays(path: Path, arrays: Arrays, metadata: Mapping[str, str]) -> None:
    """Write arrays to a safetensors file; whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    # safetensors writes the buffer as it lies in memory, whatever the strides
    dense = {name: np.array(array, order="C") for name, array in arrays.items()}
    with temporary.open("wb") as file:
        file.write(save(dense, dict(metadata)))
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def read_arrays(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Return the arrays and the metadata of a safetensors file.

    Raises
    ------
    ValueError
        If the file is no safetensors file.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return arrays, dict(file.metadata() or {})
    except SafetensorError as error:
        raise ValueError(f"{path} is not a readable safetensors file; {error}.") from None


def save_snapshot(folder: Path, arrays: Arrays, facts: Mapping[str, Any]) -> None:
    """Overwrite the snapshot of a run: arrays, and facts that JSON can hold exactly."""
    write_arrays(folder / SNAPSHOT, arrays, {"facts": json.dumps(facts)})


def load_snapshot(folder: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
    """Return what `save_snapshot` wrote, or None if there is nothing to go on from.

    Files that a killed process was still writing are removed.
    """
    for unfinished in folder.glob("*.tmp"):
        unfinished.unlink(missing_ok=True)
    if not (folder / SNAPSHOT).exists():
        return None
    arrays, metadata = read_arrays(folder / SNAPSHOT)
    return arrays, json.loads(metadata["facts"])
