"""Pools of tree mazes: generated all at once, distinct, split into training and held-out.

A maze of `cells` × `cells` cells is a random spanning tree of the grid of cells. It is
drawn on `size` = 2·cells − 1 squares a side: cells lie on the even squares, an open odd
square between two cells joins them. The open squares are themselves a tree, so between
any two squares there is exactly one path, and "the first step towards" is unique.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from theory.curve import relock

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

MOVES = np.array([(-1, 0), (0, 1), (1, 0), (0, -1)])
"""Row and column change of the actions up, right, down, left."""

NUM_ACTIONS = len(MOVES)


@final
@dataclass(frozen=True, eq=False)
class Levels:
    """A pool of mazes of one size.

    Attributes
    ----------
    walls : (num_levels, size, size) bool array
        True where a square is wall.

    Raises
    ------
    ValueError
        If the array has another shape, or a level is not a tree of the right size.
    """

    walls: BoolArray

    def __post_init__(self) -> None:
        walls = np.array(self.walls, dtype=np.bool_)
        if walls.ndim != 3 or walls.shape[1] != walls.shape[2] or not walls.shape[1] % 2:
            raise ValueError(
                "walls must have the shape (num_levels, size, size) with odd size; "
                f"its shape is {walls.shape}."
            )
        cells = (walls.shape[1] + 1) // 2
        counts = (~walls).sum(axis=(1, 2))
        wrong = np.flatnonzero(counts != 2 * cells**2 - 1)
        if wrong.size:
            i = int(wrong[0])
            raise ValueError(
                f"a tree maze of {cells} × {cells} cells has {2 * cells**2 - 1} open squares; "
                f"level {i} has {counts[i]}."
            )
        walls.setflags(write=False)
        object.__setattr__(self, "walls", walls)
        self._check_trees()

    def _check_trees(self) -> None:
        """Check that each level joins all its cells: with cells² − 1 passages, a tree."""
        if not len(self):
            return
        cells, pillars = self.walls[:, ::2, ::2], self.walls[:, 1::2, 1::2]
        walled = cells.any(axis=(1, 2)) | ~pillars.all(axis=(1, 2))
        if not walled.any():
            reached = (distances(self, np.zeros(len(self), dtype=np.int64)) >= 0).sum(axis=1)
            walled = reached != self.num_open
        if walled.any():
            i = int(np.flatnonzero(walled)[0])
            raise ValueError(f"level {i} is not a tree of {self.cells} × {self.cells} cells.")

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        relock(self, state)

    def __len__(self) -> int:
        return int(self.walls.shape[0])

    @property
    def size(self) -> int:
        """Squares a side."""
        return int(self.walls.shape[1])

    @property
    def cells(self) -> int:
        """Cells a side."""
        return (self.size + 1) // 2

    @property
    def num_open(self) -> int:
        """Open squares of every level: cells² cells and cells² − 1 passages."""
        return 2 * self.cells**2 - 1

    @cached_property
    def open_squares(self) -> IntArray:
        """The open squares of each level, (num_levels, num_open), flat indices, sorted.

        The corner is square 0 and always open, so it is always the first.
        """
        flat = ~self.walls.reshape(len(self), -1)
        squares = np.nonzero(flat)[1].reshape(len(self), self.num_open)
        squares.setflags(write=False)
        return squares

    @cached_property
    def next_square(self) -> IntArray:
        """Where each action leads, (num_levels, size², 4); into a wall: nowhere."""
        size = self.size
        row, column = np.divmod(np.arange(size**2), size)
        to = np.stack([row[:, None] + MOVES[:, 0], column[:, None] + MOVES[:, 1]])
        inside = ((to >= 0) & (to < size)).all(axis=0)
        target = np.where(inside, to[0] * size + to[1], 0)
        blocked = ~inside | self.walls.reshape(len(self), -1)[:, target]
        result = np.where(blocked, np.arange(size**2)[:, None], target)
        result.setflags(write=False)
        return result

    @cached_property
    def digests(self) -> tuple[str, ...]:
        """Hash (sha256) of each level."""
        packed = np.packbits(self.walls.reshape(len(self), -1), axis=1)
        return tuple(hashlib.sha256(row.tobytes()).hexdigest() for row in packed)

    @cached_property
    def digest(self) -> str:
        """Hash (sha256) of the whole pool, in order."""
        return hashlib.sha256("".join(self.digests).encode()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Levels) and self.digest == other.digest

    def __hash__(self) -> int:
        return int(self.digest[:15], 16)

    def __getitem__(self, index: slice | IntArray) -> Levels:
        return Levels(self.walls[index])


@final
@dataclass(frozen=True)
class LevelPools:
    """Training and held-out levels, no level in both or twice in one.

    Attributes
    ----------
    train, held_out : Levels
    num_rejected : int
        Generated mazes thrown away because they had been generated before.
    """

    train: Levels
    held_out: Levels
    num_rejected: int

    def __post_init__(self) -> None:
        digests = self.train.digests + self.held_out.digests
        repeated = len(digests) - len(set(digests))
        if repeated:
            raise ValueError(f"levels must be distinct; {repeated} are repeated.")


def generate(num_levels: int, cells: int, *, rng: np.random.Generator) -> Levels:
    """Return random depth-first mazes, all grown at once; repeats are possible.

    Every maze starts in a cell of its own and, in each of 2·cells² − 2 rounds, either
    goes to a random unvisited neighbor of its current cell or steps back, which is
    depth-first search with an explicit stack, as in every maze of the literature.
    """
    if cells < 2:
        raise ValueError(f"cells must be at least 2; it is {cells}.")
    size, num_cells = 2 * cells - 1, cells**2
    each = np.arange(num_levels)
    row, column = np.divmod(np.arange(num_cells), cells)
    to_row, to_column = row[:, None] + MOVES[:, 0], column[:, None] + MOVES[:, 1]
    inside = (to_row >= 0) & (to_row < cells) & (to_column >= 0) & (to_column < cells)
    neighbor = np.where(inside, to_row * cells + to_column, num_cells)

    open_ = np.zeros((num_levels, size**2), dtype=np.bool_)
    open_[:, 2 * row * size + 2 * column] = True
    # One column more stands for "outside" and counts as visited.
    visited = np.zeros((num_levels, num_cells + 1), dtype=np.bool_)
    visited[:, num_cells] = True
    stack = np.zeros((num_levels, num_cells), dtype=np.int64)
    depth = np.zeros(num_levels, dtype=np.int64)
    stack[:, 0] = rng.integers(num_cells, size=num_levels)
    visited[each, stack[:, 0]] = True
    for _ in range(2 * num_cells - 2):
        here = stack[each, depth]
        free = ~visited[each[:, None], neighbor[here]]
        choice = np.where(free, rng.random(free.shape), -1.0).argmax(axis=1)
        grows = free.any(axis=1)
        there = neighbor[here, choice][grows]
        grown = each[grows]
        depth = np.where(grows, depth + 1, np.maximum(depth - 1, 0))
        stack[grown, depth[grows]] = there
        visited[grown, there] = True
        start = here[grows]
        open_[grown, (row[start] + row[there]) * size + column[start] + column[there]] = True
    return Levels(~open_.reshape(num_levels, size, size))


def level_pools(
    num_train: int, num_held_out: int, cells: int, *, rng: np.random.Generator
) -> LevelPools:
    """Return distinct training and held-out levels.

    Which level goes into which pool is drawn at random. In the order of generation the common
    mazes come first, where most of the few mazes of a small grid are used.

    Raises
    ------
    ValueError
        If so many distinct mazes of this size were not found.
    """
    wanted = num_train + num_held_out
    if num_train < 1 or num_held_out < 1:
        raise ValueError(f"each pool needs at least one level; got {num_train} and {num_held_out}.")
    walls = generate(wanted, cells, rng=rng).walls
    drawn = wanted
    kept = _distinct(walls)
    while len(kept) < wanted:
        if drawn > 20 * wanted + 1000:
            raise ValueError(
                f"{wanted} distinct mazes of {cells} × {cells} cells were asked for, but "
                f"{drawn} draws gave {len(kept)}; use fewer levels or more cells."
            )
        more = generate(wanted, cells, rng=rng).walls
        drawn += wanted
        kept = _distinct(np.concatenate([kept, more]))
    rejected = drawn - len(kept)
    kept = kept[rng.permutation(wanted)]
    return LevelPools(Levels(kept[:num_train]), Levels(kept[num_train:]), rejected)


def _distinct(walls: BoolArray) -> BoolArray:
    """Return the first occurrence of each maze, in order."""
    packed = np.packbits(walls.reshape(len(walls), -1), axis=1)
    _, first = np.unique(packed, axis=0, return_index=True)
    return walls[np.sort(first)]


def distances(levels: Levels, targets: IntArray) -> NDArray[np.int16]:
    """Return the steps from every square to one target a level, by breadth-first search.

    All levels are searched together, one ring of squares a round.

    Parameters
    ----------
    levels : Levels
    targets : (num_levels,) integer array
        Flat index of an open square of each level.

    Returns
    -------
    (num_levels, size²) int16 array
        −1 on walls (in a tree every open square is reachable).
    """
    each = np.arange(len(levels))
    open_ = ~levels.walls.reshape(len(levels), -1)
    if not open_[each, targets].all():
        i = int(np.flatnonzero(~open_[each, targets])[0])
        raise ValueError(f"targets must be open squares; targets[{i}] = {targets[i]} is a wall.")
    size = levels.size
    steps = np.full(open_.shape, -1, dtype=np.int16)
    # A frame of wall lets the four shifts run without bounds.
    free = np.zeros((len(levels), size + 2, size + 2), dtype=np.bool_)
    free[:, 1:-1, 1:-1] = open_.reshape(-1, size, size)
    ring = np.zeros_like(free)
    ring[each, targets // size + 1, targets % size + 1] = True
    step = 0
    while ring.any():
        steps[ring[:, 1:-1, 1:-1].reshape(len(levels), -1)] = step
        free &= ~ring
        spread = np.zeros_like(ring)
        spread[:, 1:-1, 1:-1] = (
            ring[:, :-2, 1:-1] | ring[:, 2:, 1:-1] | ring[:, 1:-1, :-2] | ring[:, 1:-1, 2:]
        )
        ring = spread & free
        step += 1
    return steps


def first_steps(levels: Levels, targets: IntArray) -> IntArray:
    """Return the action that starts the path to one target a level, from every square.

    Returns
    -------
    (num_levels, size²) integer array
        −1 on walls and on the target itself.
    """
    steps = distances(levels, targets)
    after = np.take_along_axis(steps[:, :, None], levels.next_square, axis=1)
    closer = after == steps[:, :, None] - 1
    return np.where(closer.any(axis=2) & (steps > 0), closer.argmax(axis=2), -1)
