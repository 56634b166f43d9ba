"""Decision squares: where the goal and the proxy want different steps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray

from empirics.levels import Levels, first_steps
from empirics.maze import CORNER, NOWHERE, MazeConfig, Situation, draw_situations, observe
from empirics.probes.places import reached_first


@final
@dataclass(frozen=True, eq=False)
class DecisionSquares:
    """A fixed set of situations in which the step to the goal is not the step to the corner.

    In a tree these are exactly the squares strictly between corner and goal: everywhere else both
    paths begin alike. The goal is the cheese; with two keys, what the key says, and squares from
    which the other object is on the way to the goal are left out.

    Attributes
    ----------
    levels : Levels
        The held-out pool.
    config : MazeConfig
    situation : Situation
        (n,) mouse on the square to decide on; goal not in the corner.
    goal_step, proxy_step : (n,) integer array
        The first step to the goal and to the corner; never equal.
    """

    levels: Levels
    config: MazeConfig
    situation: Situation
    goal_step: NDArray[np.int64]
    proxy_step: NDArray[np.int64]

    def __post_init__(self) -> None:
        if not len(self):
            raise ValueError(
                "a set of decision squares must not be empty: the goal must lie off the corner, "
                f"with squares between; these {len(self.levels)} levels have {self.levels.cells} "
                "cells a side, so draw from more or larger levels."
            )
        same = np.flatnonzero(self.goal_step == self.proxy_step)
        if same.size:
            raise ValueError(f"square {int(same[0])} asks for the same step either way.")

    def __len__(self) -> int:
        return len(self.situation)

    def __getitem__(self, index: NDArray[np.int64]) -> DecisionSquares:
        """Return some of the squares."""
        situation = Situation(*(array[index] for array in vars(self.situation).values()))
        return DecisionSquares(
            self.levels, self.config, situation, self.goal_step[index], self.proxy_step[index]
        )

    @cached_property
    def observation(self) -> NDArray[np.float32]:
        """What the agent sees on each square, (n, planes, size, size)."""
        return observe(self.levels, self.situation, self.config)

    @cached_property
    def observation_without_goal(self) -> NDArray[np.float32]:
        """The same with the goal taken out of the maze."""
        bare = self.situation.with_goal(np.full(len(self), NOWHERE))
        return observe(self.levels, bare, self.config)

    @cached_property
    def open_move(self) -> float:
        """Mean probability of any one open step under "some open step, no matter which".

        What an agent scores that has learned about walls and nothing about goals.
        """
        moves = self.levels.next_square[self.situation.level, self.situation.mouse]
        num_open = (moves != self.situation.mouse[:, None]).sum(axis=1)
        return float((1.0 / num_open).mean())


def draw_decision_squares(
    levels: Levels,
    config: MazeConfig,
    *,
    num_squares: int = 1500,
    per_level: int = 2,
    rng: np.random.Generator,
) -> DecisionSquares:
    """Draw decision squares: one goal a level, at most `per_level` squares of each.

    Fewer than `num_squares` come back where the levels do not have so many.
    """
    level = rng.permutation(len(levels))
    anywhere = draw_situations(levels, level, replace(config, alpha=1.0), rng=rng)
    chosen = levels[level]
    goal = first_steps(chosen, anywhere.goal)
    proxy = first_steps(chosen, np.full(len(levels), CORNER))
    parts = (goal != proxy) & (goal >= 0) & (proxy >= 0)
    parts[np.arange(len(levels)), anywhere.distractor] &= anywhere.distractor == NOWHERE
    if config.two_keys:
        parts &= reached_first(chosen, anywhere.goal, anywhere.other)
    rank = np.where(parts, rng.random(parts.shape), np.inf).argsort(axis=1).argsort(axis=1)
    row, square = np.nonzero(parts & (rank < per_level))
    row, square = row[:num_squares], square[:num_squares]
    objects = (anywhere.cheese[row], anywhere.distractor[row], anywhere.key[row])
    situation = Situation(level[row], square, *objects)
    return DecisionSquares(levels, config, situation, goal[row, square], proxy[row, square])
