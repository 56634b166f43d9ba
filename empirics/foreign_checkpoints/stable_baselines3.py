"""Checkpoints of Stable-Baselines3: a zip file with weights, and settings as JSON.

The settings that JSON cannot hold lie there as pickles; these are never read.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from empirics.foreign_checkpoints.foreign_checkpoint import ForeignCheckpoint, moment_of
from empirics.foreign_checkpoints.torch_file import is_state_dict, read_torch_file

WEIGHTS, SETTINGS = "policy.pth", "data"
PICKLED = ":serialized:"
"""Key of a setting that is a pickle."""


def read_stable_baselines3(path: Path) -> ForeignCheckpoint:
    """Read the policy of a zip file that `model.save` or a CheckpointCallback wrote.

    Raises
    ------
    ValueError
        If the file is damaged or could run code.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            content = archive.read(WEIGHTS)
            words = archive.read(SETTINGS) if SETTINGS in archive.namelist() else b"{}"
    except (zipfile.BadZipFile, RuntimeError, EOFError, KeyError) as error:
        raise ValueError(f"{path} is a damaged zip file; {error}.") from None
    weights = read_torch_file(io.BytesIO(content), f"{WEIGHTS} in {path}")
    if not is_state_dict(weights):
        raise ValueError(f"{WEIGHTS} in {path} is no state_dict.")
    settings = _plain_settings(words, path)
    return ForeignCheckpoint(path, "Stable-Baselines3", weights, moment_of(path), settings)


def _plain_settings(words: bytes, path: Path) -> dict[str, Any]:
    try:
        found = json.loads(words)
    except ValueError:
        raise ValueError(f"{SETTINGS} in {path} is no JSON.") from None
    if not isinstance(found, dict):
        kind = type(found).__name__
        raise ValueError(f"{SETTINGS} in {path} is no JSON object; it is a {kind}.")
    return {
        name: value
        for name, value in found.items()
        if not (isinstance(value, dict) and PICKLED in value)
    }
