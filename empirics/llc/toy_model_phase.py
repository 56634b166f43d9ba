"""Which phase of the toy model parameters are in: how many features it represents, and how.

Unlike the lengths of columns, these two numbers do not change in the flat directions of a k-gon:
a dead column may be long where its bias is very negative.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from theory.curve import FloatArray, IntArray
from theory.native import native

REPRESENTED = 0.5
"""Output for a feature itself, at full strength, above which it counts as represented."""


def num_represented(w: FloatArray) -> IntArray:
    """Return how many features have more than half of their strength put out, (...).

    Parameters
    ----------
    w : (..., 3c) array
        W row by row, then b.
    """
    return phases(w)[..., 0]


def phases(w: FloatArray) -> IntArray:
    """Return the phase of parameters (..., 3c), as (..., 2): k and s of the k-gon with s pluses.

    k features are represented, and s of the others have a positive bias.
    """
    flat = np.ascontiguousarray(w.reshape(-1, w.shape[-1]))
    found = np.zeros((flat.shape[0], 2), dtype=np.int64)
    _count(flat, found)
    return found.reshape(*w.shape[:-1], 2)


def within_phase(centers: Tensor) -> Callable[[Tensor], Tensor]:
    """Return the region (`empirics.llc.confined`) in which particles keep their center's phase.

    Parameters
    ----------
    centers : (C, 3c) tensor
    """
    wanted = phases(centers.cpu().numpy())[:, None]

    def region(w: Tensor) -> Tensor:
        kept = (phases(w.detach().cpu().numpy()) == wanted).all(-1)
        return torch.as_tensor(kept, device=w.device)

    return region


@native
def _count(w: FloatArray, found: IntArray) -> None:
    c = w.shape[1] // 3
    for k in range(w.shape[0]):
        for i in range(c):
            bias = w[k, 2 * c + i]
            if w[k, i] ** 2 + w[k, c + i] ** 2 + bias > REPRESENTED:
                found[k, 0] += 1
            elif bias > 0:
                found[k, 1] += 1
