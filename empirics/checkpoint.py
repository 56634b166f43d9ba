"""Checkpoints on a schedule, and the one snapshot from which a killed run goes on.

Both are safetensors files, written under a temporary name and renamed: a file is there
wholly or not at all, whenever the process is killed. No pickle is read or written.

A checkpoint lies at ``checkpoints/<run_id>/<env_steps>.safetensors`` in the store and holds the
weights alone. To read it back, build the network it belongs to and fill it::

    network = experiment.network.build(observation_shape, num_actions, rng=rng)
    policy = load_policy(store / "checkpoints" / run.run_id / "4096.safetensors", network)
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from torch import Tensor, from_numpy, nn

Arrays = Mapping[str, NDArray[Any]]

SNAPSHOT = "resume.safetensors"
FORMAT = "2"
"""Of snapshots; another one is not read."""
STALE_SECONDS = 6 * 3600.0
"""Age at which no process can still be writing a temporary file."""


@final
@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A policy as it was at one moment of its training.

    Attributes
    ----------
    env_steps, updates : int
        Environment steps and updates behind it.
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
    return fill(policy, {name: from_numpy(array) for name, array in arrays.items()}, path)


def fill(policy: nn.Module, weights: Mapping[str, Tensor], path: Path) -> nn.Module:
    """Fill `policy` with the weights that lay at `path`, frozen.

    Raises
    ------
    ValueError
        If they are of another architecture; what is missing, too much or of another shape is
        counted, and the first few are named.
    """
    own = policy.state_dict()
    reshaped = [
        f"{name} is {tuple(weights[name].shape)} in the file and {tuple(own[name].shape)} here"
        for name in own
        if name in weights and weights[name].shape != own[name].shape
    ]
    troubles = [
        _first_few("missing", [name for name in own if name not in weights]),
        _first_few("unexpected", [name for name in weights if name not in own]),
        _first_few("of another shape", reshaped),
    ]
    if any(troubles):
        said = "; ".join(filter(None, troubles))
        raise ValueError(f"{path} holds another network than the one given: {said}.")
    policy.load_state_dict(dict(weights))
    return policy.eval().requires_grad_(False)


def _first_few(trouble: str, names: list[str], most: int = 3) -> str:
    more = ", …" if len(names) > most else ""
    return f"{len(names)} {trouble} ({', '.join(names[:most])}{more})" if names else ""


def write_arrays(path: Path, arrays: Arrays, metadata: Mapping[str, str]) -> None:
    """Write arrays to a safetensors file; whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}.tmp")
    # safetensors writes the buffer as it lies in memory, whatever the strides
    dense = {name: np.array(array, order="C") for name, array in arrays.items()}
    try:
        with temporary.open("wb") as file:
            file.write(save(dense, dict(metadata)))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


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
    metadata = {"format": FORMAT, "facts": json.dumps(facts)}
    write_arrays(folder / SNAPSHOT, arrays, metadata)


def load_snapshot(folder: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
    """Return what `save_snapshot` wrote, or None if there is nothing to go on from.

    What killed processes left half-written is removed once it is hours old; younger files may
    belong to a process that is alive.

    Raises
    ------
    ValueError
        If the snapshot is damaged or of another format; the way out is to delete it.
    """
    _remove_stale(folder)
    path = folder / SNAPSHOT
    if not path.exists():
        return None
    try:
        arrays, metadata = read_arrays(path)
        facts = json.loads(metadata["facts"])
    except (ValueError, KeyError):
        raise ValueError(
            f"the snapshot {path} is damaged; delete it to start this run anew."
        ) from None
    if metadata.get("format") != FORMAT:
        raise ValueError(
            f"the snapshot {path} is of another version of Ontogeny; delete it to start this "
            "run anew."
        )
    return arrays, facts


def _remove_stale(folder: Path) -> None:
    for unfinished in folder.glob("*.tmp"):
        with suppress(FileNotFoundError):  # its writer renamed it meanwhile
            if time.time() - unfinished.stat().st_mtime > STALE_SECONDS:
                unfinished.unlink()
