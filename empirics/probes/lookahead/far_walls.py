"""Corruptions of a maze far ahead: one passage closed, another opened, and the first step flips."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from empirics.levels import Levels, distances

IntArray = NDArray[np.int64]


def steps_between(levels: Levels) -> NDArray[np.int16]:
    """Return the steps between any two squares, (num_levels, size², size²); −1 with a wall."""
    n, num_open = len(levels), levels.num_open
    every = np.repeat(np.arange(n), num_open)
    target = levels.open_squares.ravel()
    table = np.full((n, levels.size**2, levels.size**2), -1, dtype=np.int16)
    table[every, target] = distances(levels[every], target)
    return table


def far_toggles(steps: NDArray[np.int16], mouse: int, cheese: int, far: int) -> IntArray:
    """Return the pairs of a passage to close and a wall to open after which the best step flips.

    The passage lies on the path from mouse to cheese; closing it parts the maze in two, and the
    wall lies between the parts, so the maze is a tree again. The mouse's side of the wall is
    behind another step than the best one, so that the best first step is this other one after.

    Parameters
    ----------
    steps : (size², size²) array
        Of `steps_between`.
    mouse, cheese : int
        Flat indices of squares; the mouse on a cell.
    far : int
        Least distance of both squares from the mouse, the larger of rows and columns.

    Returns
    -------
    (n, 2) integer array
        The square to close and the square to open.
    """
    size = int(len(steps) ** 0.5)
    square, one, other = _passages(size).T
    away = np.maximum(abs(square // size - mouse // size), abs(square % size - mouse % size))
    is_far, is_open = (away >= far) & (square != cheese), steps[square, square] == 0
    from_mouse = steps[mouse]
    on_path = is_open & (from_mouse[square] + steps[square, cheese] == from_mouse[cheese])
    neighbors = np.flatnonzero(from_mouse == 1)
    first = neighbors[steps[neighbors, cheese].argmin()]
    found = []
    for closed in square[on_path & is_far]:
        behind = (from_mouse == from_mouse[closed] + steps[closed]) & (from_mouse >= 0)
        joins = behind[one] != behind[other]
        near_side = np.where(behind[one], other, one)
        flips = steps[first, near_side] > from_mouse[near_side]
        opened = square[~is_open & is_far & joins & flips & (near_side != mouse)]
        found += [(closed, each) for each in opened]
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def toggled(levels: Levels, level: IntArray, toggles: IntArray) -> Levels:
    """Return levels with one passage closed and one wall opened each.

    Parameters
    ----------
    levels : Levels
    level : (n,) integer array
    toggles : (n, 2) integer array
        The square to close and the square to open.
    """
    walls = levels.walls[level].reshape(len(level), -1)
    walls[np.arange(len(level)), toggles[:, 0]] = True
    walls[np.arange(len(level)), toggles[:, 1]] = False
    return Levels(walls.reshape(len(level), levels.size, levels.size))


@lru_cache(maxsize=4)
def _passages(size: int) -> IntArray:
    """Return each square between two cells, and these cells, (n, 3)."""
    row, column = np.divmod(np.arange(size**2), size)
    level, upright = (row % 2 == 0) & (column % 2 == 1), (row % 2 == 1) & (column % 2 == 0)
    parts = []
    for chosen, apart in ((level, 1), (upright, size)):
        square = np.flatnonzero(chosen)
        parts.append(np.stack([square, square - apart, square + apart], axis=1))
    return np.concatenate(parts)
