"""The same network before it learned anything."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import nn


def untrained(network: nn.Module, *, rng: np.random.Generator) -> nn.Module:
    """Return a copy with weights drawn anew, as torch draws them, frozen.

    Every module that can do so resets its own parameters; the global generator is left alone.
    """
    fresh = copy.deepcopy(network)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(2**63)))
        for module in fresh.modules():
            reset = getattr(module, "reset_parameters", None)
            if callable(reset):
                reset()
    return fresh.eval().requires_grad_(False)
