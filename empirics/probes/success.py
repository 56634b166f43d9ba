"""Success and return on and off distribution, exactly.

A maze with its cheese is a Markov chain on its open squares once the policy is fixed. So the
chance of reaching the cheese in time needs no rollouts: one forward pass on every square of a
level, then `max_steps` products with the transition matrix, give the mean over all starts and
all action draws. What is left to sample are the levels, and those are the same at every
checkpoint. Holds for policies without memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray

from empirics.levels import NUM_ACTIONS, Levels
from empirics.maze import CORNER, NOWHERE, MazeConfig, Situation, draw_situations, observe
from empirics.probe import Policy, Reading, share_reading
from empirics.probes.action_field import everywhere
from empirics.probes.behavior import action_probabilities
from empirics.probes.places import next_places, place_of, reached_first

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class Success:
    """Success within `max_steps` and discounted return, averaged over starts.

    *On distribution* is the mixture trained on (cheese in the corner with probability 1 − α),
    *off distribution* has the cheese anywhere. Both are on held-out levels. With two keys success
    is to reach the object that the key makes the goal, from where the other is not on the way.

    Attributes
    ----------
    levels : Levels
        The levels used, all of them.
    config : MazeConfig
    cheese : (num_levels,) integer array
        Where the cheese lies when it lies anywhere.
    distractor, key : (2, num_levels) integer array
        Where the distractor lies and which object is the goal, when the cheese is in the corner,
        and when it is anywhere.
    gamma : float
        Discount of the return. Undiscounted it would equal success: the reward is 1, once.
    """

    levels: Levels
    config: MazeConfig
    cheese: NDArray[np.int64]
    distractor: NDArray[np.int64]
    key: NDArray[np.int64]
    gamma: float = 0.97
    name: str = "success"
    observables: tuple[str, ...] = (
        "success_on_distribution",
        "success_off_distribution",
        "episodic_return_on_distribution",
        "episodic_return_off_distribution",
    )

    def __call__(self, policy: Policy) -> Mapping[str, Reading]:
        """Measure `policy`; se over levels."""
        n, num_open = len(self.levels), self.levels.num_open
        p = action_probabilities(policy, self._observation)
        values = self._evaluate(p.reshape(2 * n, num_open, NUM_ACTIONS))
        return {
            name: self._reading(name, per_level, float(self._uniform[name].mean()))
            for name, per_level in values.items()
        }

    def _reading(self, name: str, per_level: FloatArray, uniform: float) -> Reading:
        unit = "discounted reward" if name.startswith("episodic_return") else ""
        each = np.arange(per_level.size)
        return share_reading(per_level, each, {"uniform": uniform}, unit=unit)

    def _evaluate(self, p: FloatArray) -> dict[str, FloatArray]:
        """Return each observable a level, from (2·num_levels, num_open, 4) probabilities.

        The first half has the cheese in the corner, the second anywhere.
        """
        n, alpha = len(self.levels), self.config.alpha
        arrived = arrivals(
            p, self._next_place, self._goal_place, self._start, self.config.max_steps
        )
        discount = self.gamma ** np.arange(self.config.max_steps)
        success, discounted = arrived.sum(axis=1), arrived @ discount
        return {
            f"{name}_{where}_distribution": value
            for name, both in (("success", success), ("episodic_return", discounted))
            for where, value in (
                ("on", (1 - alpha) * both[:n] + alpha * both[n:]),
                ("off", both[n:]),
            )
        }

    @cached_property
    def _uniform(self) -> dict[str, FloatArray]:
        """The observables of the uniform policy."""
        n, num_open = len(self.levels), self.levels.num_open
        return self._evaluate(np.full((2 * n, num_open, NUM_ACTIONS), 1.0 / NUM_ACTIONS))

    @cached_property
    def _mazes(self) -> Situation:
        """The mazes of both halves, without mouse."""
        n = len(self.levels)
        cheese = np.concatenate([np.full(n, CORNER), self.cheese])
        level, mouse = np.tile(np.arange(n), 2), np.full(2 * n, NOWHERE)
        return Situation(level, mouse, cheese, self.distractor.ravel(), self.key.ravel())

    @cached_property
    def _observation(self) -> NDArray[np.float32]:
        mazes = self._mazes
        objects = (mazes.cheese, mazes.distractor, mazes.key)
        return observe(self.levels, everywhere(self.levels, mazes.level, *objects), self.config)

    @cached_property
    def _next_place(self) -> NDArray[np.int64]:
        """Where each action leads, as places among the open squares, both halves."""
        to = np.tile(next_places(self.levels), (2, 1, 1))
        if self.config.two_keys:  # whoever is there has ended without the goal
            other = self._places(self._mazes.other)
            to[np.arange(other.size), other] = other[:, None]
        return to

    @cached_property
    def _goal_place(self) -> NDArray[np.int64]:
        return self._places(self._mazes.goal)

    @cached_property
    def _start(self) -> FloatArray:
        """The chance to start on each place, both halves: not on the cheese or distractor."""
        free = np.ones((2 * len(self.levels), self.levels.num_open))
        if self.config.two_keys:
            free *= self._starts_that_can_win
        each = np.arange(len(free))
        free[each, self._goal_place] = 0.0
        if self.config.distractor:
            free[each, self._places(self._mazes.distractor)] = 0.0
        return np.asarray(free / free.sum(axis=1, keepdims=True))

    @property
    def _starts_that_can_win(self) -> NDArray[np.bool_]:
        goals, others = (x.reshape(2, -1) for x in (self._mazes.goal, self._mazes.other))
        halves = zip(goals, others, strict=True)
        wins = np.concatenate([reached_first(self.levels, *half) for half in halves])
        return np.take_along_axis(wins, np.tile(self.levels.open_squares, (2, 1)), axis=1)

    def _places(self, square: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the place of one square in each maze of both halves."""
        return np.concatenate([place_of(self.levels, half) for half in square.reshape(2, -1)])


def draw_success(
    levels: Levels,
    config: MazeConfig,
    *,
    num_levels: int = 200,
    gamma: float = 0.97,
    rng: np.random.Generator,
) -> Success:
    """Draw the levels and cheeses on which `Success` is measured."""
    chosen = levels[np.sort(rng.permutation(len(levels))[:num_levels])]
    each = np.arange(len(chosen))
    anywhere, corner = (
        draw_situations(chosen, each, replace(config, alpha=alpha), rng=rng) for alpha in (1.0, 0.0)
    )
    # Each place of the cheese has its own: a distractor never shares the cheese's square.
    distractor = np.stack([corner.distractor, anywhere.distractor])
    key = np.stack([corner.key, anywhere.key])
    return Success(chosen, config, anywhere.cheese, distractor, key, gamma)


def arrivals(
    probabilities: FloatArray,
    next_place: NDArray[np.int64],
    goal: NDArray[np.int64],
    start: FloatArray,
    max_steps: int,
) -> FloatArray:
    """Return the chance to arrive at the goal at each step.

    Parameters
    ----------
    probabilities : (n, places, actions) array
        What is done at each place of each of n mazes.
    next_place : (n, places, actions) integer array
        Where that leads.
    goal : (n,) integer array
        The absorbing place.
    start : (n, places) array
        The chance to start on each place; 0 at the goal.
    max_steps : int

    Returns
    -------
    (n, max_steps) array
        Element [i, t]: the probability that step t + 1 reaches the goal.
    """
    n, places, _ = probabilities.shape
    each = np.arange(n)
    transition = np.zeros((n, places, places))
    np.add.at(
        transition, (each[:, None, None], np.arange(places)[:, None], next_place), probabilities
    )
    mass = start[:, None]
    arrived = np.empty((n, max_steps))
    for step in range(max_steps):
        mass = mass @ transition
        arrived[:, step] = mass[each, 0, goal]
        mass[each, 0, goal] = 0.0
    return arrived
