"""The goal vector: what the cheese adds to the activations, taken away or added once more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from empirics.activations.site import Site
from empirics.maze import NOWHERE, observe
from empirics.probe import Policy, Reading, level_mean
from empirics.probes.behavior import action_probabilities
from empirics.probes.decision_squares import DecisionSquares
from empirics.probes.edited_behavior import activations, probabilities_with

MIDDLE = Site("stream.2")
"""The middle layer of a `MazePolicy` of the usual depth; all that later layers know."""


@final
@dataclass(frozen=True, eq=False)
class GoalVector:
    """How far P(goal) and P(proxy) move with the goal vector (Mini et al. 2023, section 3).

    The vector is the difference of activations between a level with its cheese and without it,
    with the mouse on *another* square of that level. On the decision square itself, at a layer
    that holds all the later layers know, taking it away would be the same as taking the cheese
    out of the maze, and show nothing about vectors.

    Attributes
    ----------
    squares : DecisionSquares
    elsewhere : (n,) integer array
        Where the mouse is when the vector of each decision square is taken.
    site : Site
        The layer.
    num_random : int
        Random vectors of the goal vector's norm, by which it is measured.
    seed : int
        Of the random vectors; the same at every checkpoint.
    """

    squares: DecisionSquares
    elsewhere: NDArray[np.int64]
    site: Site = field(default_factory=lambda: MIDDLE)
    num_random: int = 4
    seed: int = 0
    name: str = "goal_vector"
    observables: tuple[str, ...] = (
        "goal_vector_subtracted",
        "goal_vector_added",
        "goal_vector_effect",
        "goal_vector_proxy_effect",
    )

    def __call__(self, policy: Policy) -> Mapping[str, Reading]:
        """Measure `policy`; se over levels.

        Returns
        -------
        mapping
            The change of P(goal) when the vector is subtracted and when it is added, beside that
            under random vectors; then how much *less* P(goal), and how much more P(proxy), is
            under subtraction than under random vectors.
        """
        seen, goal = self.squares.observation, self.squares.goal_step
        vector = self._vector(policy)
        without = probabilities_with(policy, self.site, seen, -vector)
        more = probabilities_with(policy, self.site, seen, vector)
        chance = np.mean(
            [
                probabilities_with(policy, self.site, seen, random)
                for random in like(vector, self.num_random, self.seed)
            ],
            axis=0,
        )
        before = action_probabilities(policy, seen)
        by_chance = {"random vectors": float(_taken(chance - before, goal).mean())}
        changes = (
            (_taken(without - before, goal), by_chance),
            (_taken(more - before, goal), by_chance),
            (_taken(chance - without, goal), {"no effect": 0.0}),
            (_taken(without - chance, self.squares.proxy_step), {"no effect": 0.0}),
        )
        return {
            name: change_reading(change, self.squares.situation.level, baselines)
            for name, (change, baselines) in zip(self.observables, changes, strict=True)
        }

    def _vector(self, policy: Policy) -> Tensor:
        here, removed = (activations(policy, self.site, seen) for seen in self._seen_elsewhere)
        return here - removed

    @cached_property
    def _seen_elsewhere(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The levels with the mouse elsewhere, with and without cheese."""
        squares = self.squares
        moved = replace(squares.situation, mouse=self.elsewhere)
        bare = moved.with_goal(np.full(len(squares), NOWHERE))
        seen, removed = (observe(squares.levels, each, squares.config) for each in (moved, bare))
        return seen, removed


def draw_goal_vector(
    squares: DecisionSquares, *, site: Site = MIDDLE, rng: np.random.Generator
) -> GoalVector:
    """Draw another free square of each decision square's level."""
    open_squares = squares.levels.open_squares[squares.situation.level]
    is_free = np.ones(open_squares.shape, dtype=np.bool_)
    for object_ in ("mouse", "cheese", "distractor"):
        is_free &= open_squares != getattr(squares.situation, object_)[:, None]
    chosen = np.where(is_free, rng.random(is_free.shape), -1.0).argmax(axis=1)
    elsewhere = open_squares[np.arange(len(squares)), chosen]
    return GoalVector(squares, elsewhere, site, seed=int(rng.integers(2**31)))


def like(vector: Tensor, number: int, seed: int) -> list[Tensor]:
    """Return random vectors, each row Gaussian and of the norm of the vector's row."""
    generator = torch.Generator().manual_seed(seed)
    norm = vector.flatten(1).norm(dim=1)
    result = []
    for _ in range(number):
        random = torch.randn(vector.shape, generator=generator).to(vector)
        scale = norm / random.flatten(1).norm(dim=1)
        result.append(random * scale.reshape(-1, *[1] * (vector.ndim - 1)))
    return result


def change_reading(
    change: NDArray[np.float64], level: NDArray[np.int64], baselines: Mapping[str, float]
) -> Reading:
    """Return the mean change of a probability, with its standard error over levels."""
    mean, se, n_levels = level_mean(change, level)
    return Reading(
        mean,
        se,
        n_levels=n_levels,
        support=(-1.0, 1.0),
        baselines=baselines,
        se_is_shared=True,
    )


def _taken(probabilities: NDArray[np.float64], step: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(probabilities[np.arange(len(step)), step])
