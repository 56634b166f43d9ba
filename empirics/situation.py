"""Where everything is in a maze, how that is drawn, and what the agent sees of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from empirics.levels import Levels

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
    """

    level: IntArray
    mouse: IntArray
    cheese: IntArray
    distractor: IntArray

    def __len__(self) -> int:
        return int(self.level.size)

    @property
    def goal(self) -> IntArray:
        """Flat index of the square that is rewarded."""
        return self.cheese


def draw_situations(
    levels: Levels, level: IntArray, config: MazeConfig, *, rng: np.random.Generator
) -> Situation:
    """Draw where the cheese, the mouse and the distractor are on the given levels.

    The cheese is in the corner with probability 1 − α, else uniform over the open squares;
    the mouse is uniform over the open squares without the cheese, the distractor over those
    without either.
    """
    n, num_open = level.size, levels.num_open
    anywhere = rng.random(n) < config.alpha
    cheese = np.where(anywhere, rng.integers(num_open, size=n), CORNER)
    mouse = rng.integers(num_open - 1, size=n)
    mouse += mouse >= cheese
    squares = levels.open_squares[level]
    each = np.arange(n)
    distractor = np.full(n, NOWHERE)
    if config.distractor:
        place = rng.integers(num_open - 2, size=n)
        place += place >= np.minimum(cheese, mouse)
        place += place >= np.maximum(cheese, mouse)
        distractor = squares[each, place]
    return Situation(level, squares[each, mouse], squares[each, cheese], distractor)


def observe(levels: Levels, situation: Situation, config: MazeConfig) -> FloatArray:
    """Return what the agent sees, (n, planes, size, size): one plane a kind of thing."""
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
    return planes.reshape(n, *config.observation_shape)
