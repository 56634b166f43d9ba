"""Points that fill a cube evenly, the same ones every time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

FloatArray = NDArray[np.float64]


def low_discrepancy(number: int, dimensions: int) -> FloatArray:
    """Points of the additive recurrence sequence in the open unit cube (Roberts 2018).

    Returns
    -------
    ndarray
        Shape (number, dimensions).
    """
    # The unique positive root of x^(d + 1) = x + 1; d = 1 gives the golden ratio.
    root = 1.5
    for _ in range(60):
        root = (1.0 + root) ** (1.0 / (dimensions + 1))
    steps = root ** -np.arange(1.0, dimensions + 1)
    return np.asarray((0.5 + np.arange(1, number + 1)[:, None] * steps) % 1.0)


def normal_points(number: int, dimensions: int) -> FloatArray:
    """Return the same points as standard normal deviates, shape (number, dimensions)."""
    return np.asarray(ndtri(np.clip(low_discrepancy(number, dimensions), 1e-9, 1 - 1e-9)))
