"""Checkpoints in one file of `torch.save`: CleanRL, skrl, PufferLib, scripts of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from empirics.foreign_checkpoints.foreign_checkpoint import ForeignCheckpoint, Weights, moment_of
from empirics.foreign_checkpoints.torch_file import is_state_dict, of_modules, read_torch_file

WRAPPERS = ("state_dict", "model_state_dict")
"""Keys under which scripts put the network beside an optimizer and the rest."""


def read_torch_checkpoint(path: Path) -> ForeignCheckpoint:
    """Read a state_dict (CleanRL), one wrapped in a dict, or a dict of them (skrl).

    Raises
    ------
    ValueError
        If the file holds none of these, is damaged, or could run code.
    """
    with path.open("rb") as file:
        found = read_torch_file(file, path)
    kind, weights = _weights(found, path)
    return ForeignCheckpoint(path, kind, weights, moment_of(path))


def _weights(found: Any, path: Path) -> tuple[str, Weights]:
    if is_state_dict(found):
        return "state_dict", found
    if isinstance(found, dict):
        for key in WRAPPERS:
            if is_state_dict(found.get(key)):
                return f"dict with a {key}", found[key]
        if weights := of_modules(found):
            return "dict of state_dicts", weights
        held = f"a dict with the keys {', '.join(sorted(map(str, found))[:10]) or 'none'}"
    else:
        held = f"a {type(found).__name__}"
    raise ValueError(f"{path} holds no state_dict; it holds {held}.")
