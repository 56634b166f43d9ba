"""What seeing the goal is worth to an agent in the maze, and what it controls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray

from empirics.levels import NUM_ACTIONS
from empirics.probe import Policy, Reading, level_mean
from empirics.probes.behavior import action_probabilities
from empirics.probes.ends import MazeEnds
from empirics.probes.places import next_places, place_of
from empirics.probes.response import share
from empirics.probes.success import FloatArray, arrivals


@final
@dataclass(frozen=True, eq=False)
class InformationAndControl:
    """What seeing the goal is worth to the agent, and what it controls; a `Probe`.

    `value_of_goal_information` is the discounted return with the goal seen where it is, less that
    with the goal seen elsewhere; both are exact, from the squares between cheese and corner.
    `control_of_goal` and `control_of_corner` are by how much the agent changes the chance to get to
    that square in time, against uniform actions, in the mean over levels.

    Attributes
    ----------
    ends : MazeEnds
        Levels and cheeses, the same at every checkpoint.
    shown : (num_levels,) integer array
        Where the cheese is seen when it is not seen where it is.
    """

    ends: MazeEnds
    shown: NDArray[np.int64]
    name: str = "information_and_control"
    observables: tuple[str, ...] = (
        "value_of_goal_information",
        "control_of_goal",
        "control_of_corner",
    )

    def __call__(self, policy: Policy) -> Mapping[str, Reading]:
        """Measure `policy`; se over levels."""
        ends, shape = self.ends, (*self.ends.episodes.start.shape, NUM_ACTIONS)
        seen = action_probabilities(policy, ends.observation).reshape(shape)
        misled = action_probabilities(policy, self._misleading).reshape(shape)
        worth = self._return(seen) - self._return(misled)
        mean, se, n_levels = level_mean(worth, np.arange(worth.size))
        value = Reading(
            mean,
            se,
            n_levels=n_levels,
            unit="discounted reward",
            baselines={"uniform": 0.0},
            se_is_shared=True,
        )
        control = {
            f"control_of_{end}": share(
                np.abs(self._reached(seen, end) - self._reached(uniform(shape), end)),
                np.arange(len(ends.levels)),
            )
            for end in ("goal", "corner")
        }
        return {"value_of_goal_information": value, **control}

    def _return(self, p: FloatArray) -> FloatArray:
        discount = self.ends.gamma ** np.arange(self.ends.config.max_steps)
        return np.asarray(self._arrivals(p, "goal") @ discount)

    def _reached(self, p: FloatArray, end: str) -> FloatArray:
        return np.asarray(self._arrivals(p, end).sum(axis=1))

    def _arrivals(self, p: FloatArray, end: str) -> FloatArray:
        """Return the chance to be first at an end at each step, (L, max_steps).

        The episode ends at the cheese, so that a corner behind it is not reached.
        """
        levels, start = self.ends.levels, self.ends.episodes.start
        cheese = place_of(levels, self.ends.cheese)
        to = next_places(levels)
        to[np.arange(len(levels)), cheese] = cheese[:, None]
        goal = cheese if end == "goal" else np.zeros_like(cheese)
        return arrivals(p, to, goal, start, self.ends.config.max_steps)

    @cached_property
    def _misleading(self) -> NDArray[np.float32]:
        return replace(self.ends, cheese=self.shown).observation


def uniform(shape: tuple[int, ...]) -> FloatArray:
    """Return uniform action probabilities."""
    return np.full(shape, 1 / shape[-1])


def draw_information_and_control(
    ends: MazeEnds, *, rng: np.random.Generator
) -> InformationAndControl:
    """Draw where the cheese is seen instead, uniformly over the other open squares."""
    open_ = ends.levels.open_squares
    taken = (open_ == ends.cheese[:, None]) | (open_ == ends.control[:, None])
    order = np.where(taken, -1.0, rng.random(open_.shape))
    shown = open_[np.arange(len(open_)), order.argmax(axis=1)]
    return InformationAndControl(ends, shown)
