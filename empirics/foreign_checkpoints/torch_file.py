"""Files of `torch.save`, read without unpickling anything but tensors and plain values."""

from __future__ import annotations

import re
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from empirics.foreign_checkpoints.foreign_checkpoint import Weights


def read_torch_file(file: IO[bytes], name: Path | str) -> Any:
    """Return what `torch.save` wrote: tensors, numbers, words, and collections of them.

    Raises
    ------
    ValueError
        If the file is damaged, or holds anything whose reading could run code; none is run.
    """
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or hostile pickle can fail in every way
        held = re.search(r"(?:GLOBAL|Unsupported class|function) ([\w.]+)", str(error))
        if held:
            raise ValueError(
                f"{name} holds {held[1]}, which is no tensor or plain value and could run code "
                "when it is read; save the network's state_dict instead."
            ) from None
        raise ValueError(
            f"{name} cannot be read; it is damaged, or no file of torch.save."
        ) from None


def is_state_dict(found: object) -> bool:
    """Return whether this is a mapping of names to tensors, not empty."""
    return (
        isinstance(found, dict)
        and bool(found)
        and all(isinstance(k, str) and isinstance(v, Tensor) for k, v in found.items())
    )


def of_modules(found: dict[Any, Any]) -> Weights:
    """Return the weights of a dict of modules' state_dicts, each name behind its module's.

    What is no state_dict, such as an optimizer's, is left out.
    """
    return {
        f"{module}.{name}": tensor
        for module, weights in found.items()
        if is_state_dict(weights)
        for name, tensor in weights.items()
    }
