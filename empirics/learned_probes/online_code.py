"""Description length: how many bits it takes to send the labels to somebody with the features."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from empirics.coerce import whole
from empirics.learned_probes.linear_probe import fit_linear_probe, one_hot

FRACTIONS = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.0625, 0.125, 0.25, 0.5, 1.0)
"""Where blocks end, as shares of the rows (Voita and Titov 2020, section 3.2)."""


@final
@dataclass(frozen=True)
class OnlineCode:
    """Lengths of the labels, in bits.

    Attributes
    ----------
    bits : float
        By the online code.
    uniform_bits : float
        By the code that knows only how many classes there are.
    """

    bits: float
    uniform_bits: float

    @property
    def compression(self) -> float:
        """How many times shorter the online code is; 1 or less where nothing can be learned."""
        return self.uniform_bits / self.bits


def online_code(
    features: ArrayLike,
    labels: ArrayLike,
    num_classes: int,
    level: ArrayLike,
    *,
    fractions: tuple[float, ...] = FRACTIONS,
    ridge: float = 1.0,
    rng: np.random.Generator,
) -> OnlineCode:
    """Return the length of the online code of the labels (Voita and Titov 2020, eq. 3).

    The first block is sent by the uniform code, each later one by a probe fitted to all blocks
    before it. Levels come in random order and are never divided between blocks, so that every
    block is of levels which the probe has not seen. A probe that needs few rows makes the code
    short, so the length is also one of effort, which accuracy is not.

    Parameters
    ----------
    features : (n, d) array
    labels : (n,) integer array
    num_classes : int
    level : (n,) integer array
    fractions : tuple of float
        Where blocks end, as shares of the levels; increasing, the last 1. Blocks without a level
        are left out.
    ridge : float
    rng : numpy.random.Generator
        Draws the order of the levels.

    Raises
    ------
    ValueError
        If the fractions do not increase to 1, there is but one class, or no probe can be fitted.
    """
    if list(fractions) != sorted(set(fractions)) or not fractions or fractions[-1] != 1.0:
        raise ValueError(f"fractions must increase to 1; they are {fractions}.")
    k = whole("num_classes", num_classes, 2)
    rows, target = np.asarray(features, dtype=np.float64), one_hot(labels, k)
    block = _blocks(np.asarray(level), fractions, rng)
    bits = float((block == 0).sum()) * math.log2(k)
    for b in range(1, int(block.max()) + 1):
        probe = fit_linear_probe(rows[block < b], target[block < b], ridge=ridge)
        now = block == b
        bits -= float((target[now] * probe.log_probabilities(rows[now])).sum()) / math.log(2)
    return OnlineCode(bits, len(rows) * math.log2(k))


def _blocks(
    level: NDArray[np.int64], fractions: tuple[float, ...], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return the block of each row, (n,), numbered without gaps."""
    names, place = np.unique(level, return_inverse=True)
    ends = np.unique(np.rint(np.array(fractions) * names.size))
    ends = ends[ends > 0]
    order = rng.permutation(names.size)
    return np.asarray(np.searchsorted(ends, order[place], side="right"))
