"""What computed a run: versions of the software, git commit, device."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, final

import torch

from empirics.provenance import git_state, versions_of

PACKAGES = ("ontogeny", "numpy", "torch", "gymnasium")


@final
@dataclass(frozen=True)
class Toolchain:
    """The software and the device that computed a run.

    Attributes
    ----------
    versions : mapping of str to str
        By distribution name, ``"python"`` among them.
    git_commit : str
        Commit of Ontogeny's source tree, with ``" (changed)"`` where tracked files differ
        from it; empty when it is not a git tree.
    device : str
        ``"cpu"`` and the architecture, or ``"cuda"`` and the name of the GPU.
    """

    versions: Mapping[str, str]
    git_commit: str
    device: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "versions", MappingProxyType(dict(self.versions)))

    def content(self) -> dict[str, Any]:
        """Return plain values, as they are written to JSON."""
        return {**vars(self), "versions": dict(self.versions)}

    def changed_from(self, before: Toolchain) -> str:
        """Say in what this toolchain differs from an earlier one; empty if in nothing."""
        then, now = before._entries(), self._entries()
        return ", ".join(
            f"{name} {then.get(name) or 'unknown'} then, {now.get(name) or 'unknown'} now"
            for name in sorted({*then, *now})
            if then.get(name) != now.get(name)
        )

    def _entries(self) -> dict[str, str]:
        return {**self.versions, "git commit": self.git_commit, "device": self.device}


@lru_cache(maxsize=4)
def toolchain(device: str) -> Toolchain:
    """Return what computes here, on a device that torch knows.

    Raises
    ------
    ValueError
        If torch has no such device.
    """
    kind = device_kind(device)
    name = platform.machine() if kind == "cpu" else torch.cuda.get_device_name(device)
    commit, dirty = git_state(Path(__file__).resolve().parents[1])
    said = f"{commit} (changed)" if commit and dirty else commit or ""
    return Toolchain(versions_of(PACKAGES), said, f"{kind} {name}")


def device_kind(device: str) -> str:
    """Return ``"cpu"`` or ``"cuda"``, which decides the last bits of a result.

    Raises
    ------
    ValueError
        If the device is of another kind, or not there.
    """
    try:
        found = torch.device(device)
    except RuntimeError:
        found = torch.device("meta")
    if found.type not in ("cpu", "cuda"):
        raise ValueError(f"device must be 'cpu' or 'cuda'; it is {device!r}.")
    if found.type == "cuda" and (found.index or 0) >= torch.cuda.device_count():
        raise ValueError(f"device is {device!r}, but torch finds no such GPU here; use 'cpu'.")
    return found.type
