"""Opening a checkpoint of any known format, found by its content."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

from torch import from_numpy, nn

from empirics.checkpoint import fill, read_arrays
from empirics.foreign_checkpoints.foreign_checkpoint import ForeignCheckpoint, Weights, moment_of
from empirics.foreign_checkpoints.stable_baselines3 import WEIGHTS, read_stable_baselines3
from empirics.foreign_checkpoints.torch_checkpoint import read_torch_checkpoint


def read_checkpoint(path: Path | str) -> ForeignCheckpoint:
    """Read the weights of a checkpoint, without running code that lies in it.

    Known are files of `torch.save` with a state_dict (CleanRL's ``.cleanrl_model``, ``.pt``,
    ``.pth``) or a dict of them (skrl's ``agent_1000.pt``), Stable-Baselines3's zip files, and
    safetensors.

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If it is of no known format, is damaged, or holds what could run code.
    """
    path = Path(path)
    with path.open("rb") as file:
        first = file.read(9)
    if not first:
        raise ValueError(f"{path} is empty (0 bytes).")
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            is_sb3 = WEIGHTS in archive.namelist()
        return read_stable_baselines3(path) if is_sb3 else read_torch_checkpoint(path)
    if first[:1] == b"\x80":  # a pickle: torch.save before 1.6, and on demand since
        return read_torch_checkpoint(path)
    if first[8:] == b"{":
        arrays, _ = read_arrays(path)
        weights = {name: from_numpy(array) for name, array in arrays.items()}
        return ForeignCheckpoint(path, "safetensors", weights, moment_of(path))
    raise ValueError(
        f"{path} is no checkpoint of a known format; known are files of torch.save, zip files "
        "of Stable-Baselines3 and safetensors."
    )


def load_foreign_policy(
    path: Path | str, make_policy: Callable[[], nn.Module], *, module: str = ""
) -> nn.Module:
    """Return a policy with the weights of a checkpoint, frozen.

    Parameters
    ----------
    path : path
    make_policy : callable
        Returns a network of the architecture that the checkpoint is of.
    module : str
        Take only the weights whose names begin with this module's, and what comes behind it as
        their names, as ``"policy"`` of skrl's policy and value.

    Raises
    ------
    ValueError
        As `read_checkpoint`, or if the file has no such module or is of another architecture.
    """
    found = read_checkpoint(path)
    return fill(make_policy(), _below(module, found), found.path)


def _below(module: str, found: ForeignCheckpoint) -> Weights:
    if not module:
        return found.weights
    start = f"{module}."
    weights = {
        name.removeprefix(start): w for name, w in found.weights.items() if name.startswith(start)
    }
    if not weights:
        known = ", ".join(sorted({name.partition(".")[0] for name in found.weights}))
        raise ValueError(f"{found.path} has no module {module!r}; it has {known}.")
    return weights
