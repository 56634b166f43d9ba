"""Where everything is in a maze, how that is drawn, and what the agent sees of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from empirics.levels import Levels
from empirics.path_lengths import is_between, path_lengths

if TYPE_CHECKING:
    from empirics.maze import MazeConfig

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

CORNER = 0
"""Flat index of the corner square; also its place among the open squares."""

NOWHERE = -1
"""An object that is not in the maze."""


@final
@dataclass(frozen=True, eq=False)
class Situation:
    """A batch of maze positions: which level, and where everything is.

    Attributes
    ----------
    level : (n,) integer array
        Index into the pool.
    mouse, cheese, distractor : (n,) integer array
        Flat index of the square, or `NOWHERE`.
    key : (n,) integer array
        Which object is the goal: 0 the cheese, 1 the distractor. Always 0 but with two keys.
    """

    level: IntArray
    mouse: IntArray
    cheese: IntArray
    distractor: IntArray
    key: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __post_init__(self) -> None:
        if not self.key.size:
            object.__setattr__(self, "key", np.zeros_like(self.level))

    def __len__(self) -> int:
        return int(self.level.size)

    @property
    def goal(self) -> IntArray:
        """Square of the object that is rewarded."""
        return np.where(self.key, self.distractor, self.cheese) if self.key.any() else self.cheese

    @property
    def other(self) -> IntArray:
        """Square of the object that is not rewarded."""
        return np.where(self.key, self.cheese, self.distractor)

    def with_goal(self, square: IntArray) -> Situation:
        """Return the situations with the rewarded object on other squares, or `NOWHERE`."""
        return self._with(square, self.other)

    def with_other(self, square: IntArray) -> Situation:
        """Return the situations with the object that is not rewarded moved."""
        return self._with(self.goal, square)

    def _with(self, goal: IntArray, other: IntArray) -> Situation:
        cheese, distractor = (np.where(self.key == k, goal, other) for k in (0, 1))
        return replace(self, cheese=cheese, distractor=distractor)


def draw_situations(
    levels: Levels, level: IntArray, config: MazeConfig, *, rng: np.random.Generator
) -> Situation:
    """Draw where the cheese, the mouse and the distractor are on the given levels.

    The cheese is in the corner with probability 1 − α, else uniform over the open squares;
    the mouse is uniform over the open squares without the cheese, the distractor over those
    without either. With two keys the key is a fair coin, and mouse and distractor are drawn
    again while the object that is not rewarded lies on the way to the other.
    """
    n, num_open = level.size, levels.num_open
    anywhere = rng.random(n) < config.alpha
    cheese = np.where(anywhere, rng.integers(num_open, size=n), CORNER)
    mouse, distractor = _draw_beside(cheese, num_open, config.distractor, rng=rng)
    key = np.zeros(n, dtype=np.int64)
    if config.two_keys:
        key, lengths, again = rng.integers(2, size=n), path_lengths(levels), np.arange(n)
        while again.size:
            pair = np.stack([cheese, distractor])[:, again]
            goal, other = np.where(key[again], pair[::-1], pair)
            again = again[is_between(lengths, level[again], mouse[again], other, goal)]
            mouse[again], distractor[again] = _draw_beside(cheese[again], num_open, True, rng=rng)
    squares, each = levels.open_squares[level], np.arange(n)
    there = squares[each, distractor] if config.distractor else distractor
    return Situation(level, squares[each, mouse], squares[each, cheese], there, key)


def _draw_beside(
    cheese: IntArray, num_open: int, has_distractor: bool, *, rng: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """Return places of mouse and distractor: uniform, and neither where another object is."""
    mouse = rng.integers(num_open - 1, size=cheese.size)
    mouse += mouse >= cheese
    if not has_distractor:
        return mouse, np.full(cheese.size, NOWHERE)
    distractor = rng.integers(num_open - 2, size=cheese.size)
    distractor += distractor >= np.minimum(cheese, mouse)
    distractor += distractor >= np.maximum(cheese, mouse)
    return mouse, distractor


def observe(levels: Levels, situation: Situation, config: MazeConfig) -> FloatArray:
    """Return what the agent sees, (n, planes, size, size): one plane a kind of thing.

    The key is a plane of zeros or of ones.
    """
    n, area = len(situation), levels.size**2
    planes = np.zeros((n, config.num_planes, area), dtype=np.float32)
    planes[:, 0] = levels.walls[situation.level].reshape(n, area)
    objects = [situation.mouse, situation.cheese]
    if config.proxy_object:
        objects.append(np.full(n, CORNER))
    if config.distractor:
        objects.append(situation.distractor)
    for plane, square in enumerate(objects, start=1):
        there = np.flatnonzero(square != NOWHERE)
        planes[there, plane, square[there]] = 1.0
    if config.two_keys:
        planes[:, -1] = situation.key[:, None]
    return planes.reshape(n, *config.observation_shape)
