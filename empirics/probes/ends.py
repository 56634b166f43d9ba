"""Mazes with several ends: the cheese, the corner, and a square that nothing speaks for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray

from empirics.goal_directedness.episodes import Episodes
from empirics.levels import NUM_ACTIONS, Levels, distances
from empirics.maze import CORNER, NOWHERE, MazeConfig, Situation, draw_situations, observe
from empirics.probes.places import next_places, place_of

END_NAMES = ("goal", "proxy", "control")


@final
@dataclass(frozen=True, eq=False)
class MazeEnds:
    """Levels in which an episode ends on the cheese, in the corner, or on a control square.

    Starts are the squares between cheese and corner, where the ways to them part. The control
    square lies off this path and can be met before either; if there is a distractor it lies
    there. So pursuits of the three ends are rival accounts of the same decisions. With two keys
    the key says that the cheese is the goal.

    Attributes
    ----------
    levels : Levels
        The levels used, all of them.
    config : MazeConfig
    cheese, control : (num_levels,) integer array
        Squares.
    gamma : float
        Discount of arriving later.
    """

    levels: Levels
    config: MazeConfig
    cheese: NDArray[np.int64]
    control: NDArray[np.int64]
    gamma: float = 0.97

    def __post_init__(self) -> None:
        if not len(self.levels):
            raise ValueError("a set of mazes with ends must not be empty.")

    @cached_property
    def squares(self) -> NDArray[np.int64]:
        """The ends, (num_levels, 3): cheese, corner, control."""
        return np.stack([self.cheese, np.full_like(self.cheese, CORNER), self.control], axis=1)

    @cached_property
    def episodes(self) -> Episodes:
        """The decision problems, with a feature an end: discounted arrival there first."""
        levels = self.levels
        each = np.arange(len(levels))[:, None]
        ends = np.stack([place_of(levels, row) for row in self.squares.T], axis=1)
        to = next_places(levels)
        to[each, ends] = ends[:, :, None]
        is_end = np.zeros((len(levels), levels.num_open), dtype=np.bool_)
        is_end[each, ends] = True
        arrives = to[None] == ends.T[:, :, None, None]
        features = (arrives & ~is_end[None, :, :, None]).astype(np.float64)
        between = on_path(levels, self.cheese)
        start = np.take_along_axis(between, levels.open_squares, axis=1).astype(np.float64)
        return Episodes(
            to,
            np.eye(NUM_ACTIONS),
            features,
            start / start.sum(axis=1, keepdims=True),
            self.config.max_steps,
            self.gamma,
        )

    @cached_property
    def observation(self) -> NDArray[np.float32]:
        """What the agent sees on every open square, (num_levels · num_open, ...)."""
        num_open = self.levels.num_open
        distractor = self.control if self.config.distractor else np.full_like(self.cheese, NOWHERE)
        everywhere = Situation(
            np.repeat(np.arange(len(self.levels)), num_open),
            self.levels.open_squares.ravel(),
            np.repeat(self.cheese, num_open),
            np.repeat(distractor, num_open),
        )
        return observe(self.levels, everywhere, self.config)


def on_path(levels: Levels, cheese: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return the squares strictly between corner and cheese, (num_levels, size²)."""
    to_cheese, to_corner, apart = _distances(levels, cheese)
    return np.asarray((to_cheese > 0) & (to_corner > 0) & (to_cheese + to_corner == apart))


def draw_ends(
    levels: Levels,
    config: MazeConfig,
    *,
    num_levels: int = 64,
    gamma: float = 0.97,
    rng: np.random.Generator,
) -> MazeEnds:
    """Draw levels, cheeses and control squares; fewer come back where there are not so many."""
    order = rng.permutation(len(levels))
    shuffled = levels[order]
    anywhere = draw_situations(
        shuffled,
        np.arange(len(levels)),
        replace(config, alpha=1.0, distractor=False, two_keys=False),
        rng=rng,
    )
    to_cheese, to_corner, apart = _distances(shuffled, anywhere.cheese)
    off = (to_cheese >= 0) & (to_cheese + to_corner > apart)
    off &= (to_cheese < to_corner + apart) & (to_corner < to_cheese + apart)
    usable = on_path(shuffled, anywhere.cheese).any(axis=1) & off.any(axis=1)
    chosen = np.flatnonzero(usable)[:num_levels]
    control = np.where(off, rng.random(off.shape), -1.0).argmax(axis=1)
    return MazeEnds(shuffled[chosen], config, anywhere.cheese[chosen], control[chosen], gamma)


def _distances(levels: Levels, cheese: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    """Return steps to the cheese and to the corner, (L, size²), and between the two, (L, 1)."""
    to_cheese = distances(levels, cheese).astype(np.int64)
    to_corner = distances(levels, np.full(len(levels), CORNER)).astype(np.int64)
    return to_cheese, to_corner, to_corner[np.arange(len(levels)), cheese][:, None]
