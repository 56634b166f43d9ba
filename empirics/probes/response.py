"""What an agent in the maze responds to, and whether it acts for the sake of the goal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray

from empirics.maze import NOWHERE, observe
from empirics.probe import Policy, Reading, level_mean
from empirics.probes.behavior import action_probabilities
from empirics.probes.decision_squares import DecisionSquares


@final
@dataclass(frozen=True, eq=False)
class Response:
    """Response to objects at decision squares and intent; a `Probe`.

    `response_to_goal` and `response_to_distractor` are the mean total variation between what the
    agent does and what it does with that object moved to another square. `intent_goal` is the
    same with the goal taken away, as after it is got: whoever acts for the sake of the goal acts
    otherwise when there is none left to get. A maze without cheese never occurs in training, so
    that confusion counts too.

    Every network answers to its input, a random one with logits of some size as well. So the
    readings have no baselines, and `status` refuses them: they say how much an agent responds, not
    that it has learned to.

    Attributes
    ----------
    squares : DecisionSquares
        The same at every checkpoint.
    moved_goal, moved_distractor : (n,) integer array
        Where the objects are moved; `NOWHERE` without a distractor. With two keys the distractor
        is the object that is not rewarded.

    References
    ----------
    Everitt et al. 2021 (response); Ward et al. 2024 (arXiv 2402.07221), intent as a change of
    behavior once the outcome is guaranteed.
    """

    squares: DecisionSquares
    moved_goal: NDArray[np.int64]
    moved_distractor: NDArray[np.int64]
    name: str = "response"

    @property
    def observables(self) -> tuple[str, ...]:
        """Names of the readings, in order."""
        return tuple(self._changed)

    def __call__(self, policy: Policy) -> Mapping[str, Reading]:
        """Measure `policy`; se over levels."""
        before = action_probabilities(policy, self.squares.observation)
        found = {}
        for name, observation in self._changed.items():
            after = action_probabilities(policy, observation)
            variation = np.abs(after - before).sum(axis=1) / 2
            found[name] = _mean(variation, self.squares.situation.level)
        return found

    @cached_property
    def _changed(self) -> Mapping[str, NDArray[np.float32]]:
        """What is seen after each change."""
        squares, now = self.squares, self.squares.situation
        moved = {"response_to_goal": now.with_goal(self.moved_goal)}
        if squares.config.distractor:
            elsewhere = now.with_other(self.moved_distractor)
            moved["response_to_distractor"] = elsewhere
        seen = {
            name: observe(squares.levels, situation, squares.config)
            for name, situation in moved.items()
        }
        return {**seen, "intent_goal": squares.observation_without_goal}


def draw_response(squares: DecisionSquares, *, rng: np.random.Generator) -> Response:
    """Draw where the objects are moved, uniformly over the free squares of each level."""
    goal = free_squares(squares, rng=rng)
    distractor = np.full(len(squares), NOWHERE)
    if squares.config.distractor:
        distractor = free_squares(squares, rng=rng)

    return Response(squares, goal, distractor)


def free_squares(squares: DecisionSquares, *, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return one open square each, without mouse, cheese or distractor."""
    now = squares.situation
    open_ = squares.levels.open_squares[now.level]
    order = rng.random(open_.shape)
    for taken in (now.mouse, now.cheese, now.distractor):
        order[open_ == taken[:, None]] = -1.0
    return np.asarray(open_[np.arange(len(squares)), order.argmax(axis=1)])


def _mean(values: NDArray[np.float64], levels: NDArray[np.int64]) -> Reading:
    mean, se, n_levels = level_mean(values, levels)
    return Reading(min(mean, 1.0), se, n_levels=n_levels, support=(0.0, 1.0), se_is_shared=True)
