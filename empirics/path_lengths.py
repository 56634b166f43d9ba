"""How far every square of a maze is from every other along the path between them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from empirics.levels import Levels, distances, first_steps

IntArray = NDArray[np.int64]


def place_table(levels: Levels) -> IntArray:
    """Return the place of every square among the open ones, (num_levels, size²); 0 on walls."""
    place = np.zeros((len(levels), levels.size**2), dtype=np.int64)
    np.put_along_axis(place, levels.open_squares, np.arange(levels.num_open)[None], axis=1)
    return place


@lru_cache(maxsize=4)
def path_lengths(levels: Levels) -> NDArray[np.uint8 | np.uint16]:
    """Return the steps between all places of each level, (num_levels, num_open, num_open).

    Places are added in order of their distance from the corner: the paths of a new one are those
    of its neighbor nearer to the corner, and one step. Kept for the last four pools; 12 MB for
    5,000 levels of 5 × 5 cells, 47 MB of 7 × 7.
    """
    num, num_open = len(levels), levels.num_open
    each, corner = np.arange(num), np.zeros(num, dtype=np.int64)
    place, squares = place_table(levels), levels.open_squares
    step = first_steps(levels, corner)[each[:, None], squares]
    parent = place[each[:, None], levels.next_square[each[:, None], squares, step]]
    order = np.take_along_axis(distances(levels, corner), squares, axis=1).argsort(axis=1)
    kind = np.uint8 if num_open <= 256 else np.uint16
    lengths = np.zeros((num, num_open, num_open), dtype=kind)
    for new in order.T[1:]:
        row = lengths[each, parent[each, new]] + kind(1)
        row[each, new] = 0
        lengths[each, new] = row
        lengths[each, :, new] = row
    lengths.setflags(write=False)
    return lengths


def is_between(
    lengths: NDArray[np.uint8 | np.uint16],
    level: IntArray,
    start: IntArray,
    middle: IntArray,
    end: IntArray,
) -> NDArray[np.bool_]:
    """Return whether a place lies on the path from start to end; shapes broadcast."""
    pairs = ((start, middle), (middle, end), (start, end))
    to, onward, direct = (lengths[level, a, b].astype(np.int64) for a, b in pairs)
    return np.asarray(to + onward == direct)
