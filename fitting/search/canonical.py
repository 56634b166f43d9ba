"""When two expressions are one curve: fewer numbers than constants, or the same span."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fitting.search.grammar import Skeleton
from theory.parameter import Kind

FloatArray = NDArray[np.float64]

GRID = np.linspace(0.003, 1.2, 97)
"""Times, in units of the curve's last, at which expressions are held against each other."""

DEPENDENT = 1e-9
"""Smallest singular value, over the largest, of columns of length 1 that are independent."""


def is_redundant(skeleton: Skeleton) -> bool:
    """Whether some of its numbers move the curve only as others do: it has a simpler writing.

    The derivatives of the curve in all its numbers, at a few generic values, then depend on each
    other linearly: floor + gain·exp(-rate·(t - midpoint)) has four numbers and three dimensions.
    """
    rng = np.random.default_rng(7)
    theta = generic(skeleton, 3, rng=rng)
    gains = rng.uniform(0.5, 1.5, size=(3, len(skeleton.linear)))
    parts = skeleton.tangents(GRID, theta)
    q, d = len(skeleton.linear), len(skeleton.nonlinear)
    slopes = np.zeros((3, q + d, len(GRID)))
    slopes[:, :q] = parts[:q].swapaxes(0, 1)
    for place, (j, k) in enumerate(skeleton.moved):
        slopes[:, q + k] += gains[:, j, None] * parts[q + place]
    with np.errstate(all="ignore"):
        slopes /= np.linalg.norm(slopes, axis=2, keepdims=True)
    known = np.isfinite(slopes).all(axis=(1, 2))
    if not known.any():
        return True
    values = np.linalg.svd(slopes[known], compute_uv=False)
    return bool(np.max(values[:, -1] / values[:, 0]) < DEPENDENT)


def generic(skeleton: Skeleton, number: int, *, rng: np.random.Generator) -> FloatArray:
    """Return values (number, d) of the constants at which the curve shows what it is."""
    columns = []
    for constant in skeleton.constants:
        match constant.kind:
            case Kind.MIDPOINT:
                columns.append(rng.uniform(0.25, 0.75, size=number))
            case Kind.TIMESCALE:
                columns.append(rng.uniform(0.15, 0.6, size=number))
            case Kind.RATE:
                columns.append(rng.uniform(2.5, 8.0, size=number))
            case _:
                columns.append(rng.uniform(0.6, 2.8, size=number))
    return np.stack(columns, axis=1) if columns else np.zeros((number, 0))
