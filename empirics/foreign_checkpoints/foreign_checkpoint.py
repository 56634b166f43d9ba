"""What is read of a checkpoint that another library wrote."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, final

from torch import Tensor

Weights = Mapping[str, Tensor]

_MOMENTS = (
    r"_(\d+)_steps",  # Stable-Baselines3: rl_model_10000_steps
    r"(?:.*_)?(?:agent|model|policy|value|checkpoint|ckpt)[_-](\d+)",  # skrl, PufferLib, others
    r"(\d+)",
)


@final
@dataclass(frozen=True, eq=False)
class ForeignCheckpoint:
    """Weights, and what the file says beside them.

    Attributes
    ----------
    path : Path
    format : str
        What kind of file it is.
    weights : mapping of str to Tensor
        A state_dict, on the CPU. Of several modules in one file the names begin with the
        module's.
    moment : int or None
        The number in the file's name that says when it was written, in whatever its library
        counts: environment steps for Stable-Baselines3, steps of all environments together for
        skrl, updates for PufferLib.
    settings : mapping
        Hyperparameters that the file holds as plain JSON.
    """

    path: Path
    format: str
    weights: Weights
    moment: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("weights", "settings"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))


def moment_of(path: Path) -> int | None:
    """Return when a checkpoint was written, by its file's name; None if the name does not say."""
    for pattern in _MOMENTS:
        if found := re.fullmatch(pattern if pattern[0] != "_" else f".*{pattern}", path.stem):
            return int(found[1])
    return None
