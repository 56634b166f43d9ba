"""The action field: what an agent would do on every free square of a maze, in one batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from empirics.levels import Levels
from empirics.maze import MazeConfig, Situation, observe
from empirics.probe import Policy
from empirics.probes.behavior import action_probabilities


@final
@dataclass(frozen=True, eq=False)
class ActionField:
    """Action probabilities on squares of mazes (the vector field of Mini et al. 2023).

    Attributes
    ----------
    situation : Situation
        (n,) where the mouse was put, and what else was in the maze.
    probabilities : (n, num_actions) array
    """

    situation: Situation
    probabilities: NDArray[np.float64]


def action_field(
    policy: Policy,
    levels: Levels,
    config: MazeConfig,
    cheese: NDArray[np.int64],
    distractor: NDArray[np.int64],
    key: NDArray[np.int64] | None = None,
) -> ActionField:
    """Return what a policy does on every free square of some levels.

    Parameters
    ----------
    policy : Policy
    levels : Levels
    config : MazeConfig
    cheese, distractor : (num_levels,) integer array
        Where they lie in each level, or `NOWHERE`. The mouse is on neither of them.
    key : (num_levels,) integer array, optional
        Which of them is the goal (`Situation`); the cheese if not given.

    Raises
    ------
    ValueError
        If there is not one cheese and one distractor a level.
    """
    situation = free_squares(levels, cheese, distractor, key)
    seen = observe(levels, situation, config)
    return ActionField(situation, action_probabilities(policy, seen))


def free_squares(
    levels: Levels,
    cheese: NDArray[np.int64],
    distractor: NDArray[np.int64],
    key: NDArray[np.int64] | None = None,
) -> Situation:
    """Return the mouse on every open square without cheese or distractor, level by level."""
    for name, squares in (("cheese", cheese), ("distractor", distractor)):
        if np.shape(squares) != (len(levels),):
            raise ValueError(
                f"{name} must be one square for each of the {len(levels)} levels; its shape is "
                f"{np.shape(squares)}."
            )
    everything = everywhere(levels, np.arange(len(levels)), cheese, distractor, key)
    is_free = (everything.mouse != everything.cheese) & (everything.mouse != everything.distractor)
    return Situation(*(array[is_free] for array in vars(everything).values()))


def everywhere(
    levels: Levels,
    level: NDArray[np.int64],
    cheese: NDArray[np.int64],
    distractor: NDArray[np.int64],
    key: NDArray[np.int64] | None = None,
) -> Situation:
    """Return the mouse on every open square of each of n mazes, (n · num_open,) situations.

    Parameters
    ----------
    levels : Levels
    level, cheese, distractor : (n,) integer array
        The level of each maze, and where its objects lie.
    key : (n,) integer array, optional
        Which of them is the goal; the cheese if not given.
    """
    return Situation(
        np.repeat(level, levels.num_open),
        levels.open_squares[level].ravel(),
        np.repeat(cheese, levels.num_open),
        np.repeat(distractor, levels.num_open),
        np.repeat(np.zeros_like(level) if key is None else key, levels.num_open),
    )
