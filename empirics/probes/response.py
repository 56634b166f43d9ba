"""What an agent in the maze responds to, and whether it acts for the sake of the goal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray

from empirics.levels import distances, first_steps
from empirics.maze import NOWHERE, observe
from empirics.probe import Policy, Reading, share_reading
from empirics.probes.behavior import action_probabilities
from empirics.probes.decision_squares import DecisionSquares
from empirics.probes.equally_peaked import (
    AS_PEAKED,
    EquallyPeaked,
    mean_entropy,
    random_logits,
)

MOVED_ALIKE = "moved to where the way begins alike"


@final
@dataclass(frozen=True, eq=False)
class Response:
    """Response to objects at decision squares and intent; a `Probe`.

    `response_to_goal` and `response_to_distractor` are the mean total variation between what the
    agent does and what it does with that object moved to another square. `intent_goal` is the
    same with the goal taken away, as after it is got: whoever acts for the sake of the goal acts
    otherwise when there is none left to get. A maze without cheese never occurs in training, so
    that confusion counts too.

    Every network answers to its input, a random one the more the more peaked it is. So a reading
    has two baselines. One is the largest of `EquallyPeaked` networks, whose entropy on the squares
    is the agent's: a random network exceeds it with probability at most 1/60. The other is the
    response to a move of the same object that asks for no other step, to a square to which the way
    begins alike: whoever goes for the object, or avoids it, need not answer to that. `intent_goal`
    is held against that move of the goal.

    Attributes
    ----------
    squares : DecisionSquares
        The same at every checkpoint.
    moved_goal, moved_distractor : (n,) integer array
        Where the objects are moved; `NOWHERE` without a distractor. With two keys the distractor
        is the object that is not rewarded.
    alike_goal, alike_distractor : (n,) integer array
        The same to which the way begins alike; `NOWHERE` where there is no such square.
    random_seed : int
        Seed of the random networks of the baseline.

    References
    ----------
    Everitt et al. 2021 (response); Ward et al. 2024 (arXiv 2402.07221), intent as a change of
    behavior once the outcome is guaranteed.
    """

    squares: DecisionSquares
    moved_goal: NDArray[np.int64]
    moved_distractor: NDArray[np.int64]
    alike_goal: NDArray[np.int64]
    alike_distractor: NDArray[np.int64]
    random_seed: int = 0
    name: str = "response"

    @property
    def observables(self) -> tuple[str, ...]:
        """Names of the readings, in order."""
        return tuple(self._changed)

    def __call__(self, policy: Policy) -> Mapping[str, Reading]:
        """Measure `policy`; se over levels."""
        before = action_probabilities(policy, self.squares.observation)
        alike = {}
        for name, (shown, observation) in self._alike.items():
            after = action_probabilities(policy, observation)
            alike[name] = {MOVED_ALIKE: float(variation(after, before[shown]).mean())}
        alike["intent_goal"] = alike.get("response_to_goal", {})
        peaked = self._peaked.largest(mean_entropy(before))
        found = {}
        for name, observation in self._changed.items():
            after = action_probabilities(policy, observation)
            baselines = {AS_PEAKED: peaked[name], **alike.get(name, {})}
            found[name] = share_reading(
                variation(after, before), self.squares.situation.level, baselines
            )
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

    @cached_property
    def _alike(self) -> Mapping[str, tuple[NDArray[np.bool_], NDArray[np.float32]]]:
        """Where an object can be moved on the same way, and what is seen there then."""
        squares, now = self.squares, self.squares.situation
        moved = {
            "response_to_goal": (self.alike_goal, now.with_goal(self.alike_goal)),
            "response_to_distractor": (
                self.alike_distractor,
                now.with_other(self.alike_distractor),
            ),
        }
        found = {}
        for name, (square, situation) in moved.items():
            is_moved = square != NOWHERE
            if is_moved.any():
                seen = observe(squares.levels, situation, squares.config)
                found[name] = is_moved, seen[is_moved]
        return found

    @cached_property
    def _peaked(self) -> EquallyPeaked:
        """The readings of random networks, by their entropy on the squares."""
        count = len(self.squares)
        logits = random_logits(
            self.squares.config,
            np.concatenate([self.squares.observation, *self._changed.values()]),
            counted=count,
            seed=self.random_seed,
        )
        return EquallyPeaked(logits, self._read_random, counted=count)

    def _read_random(self, policy: NDArray[np.float64]) -> dict[str, float]:
        count = len(self.squares)
        before, *afters = np.split(policy, range(count, len(policy), count))
        return {
            name: float(variation(after, before).mean())
            for name, after in zip(self._changed, afters, strict=True)
        }


def variation(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the total variation between action probabilities, (n,)."""
    return np.asarray(np.abs(one - other).sum(axis=1) / 2)


def draw_response(
    squares: DecisionSquares, *, random_seed: int = 0, rng: np.random.Generator
) -> Response:
    """Draw where the objects are moved, uniformly over the free squares of each level."""
    (own,) = rng.spawn(1)  # what is drawn with `rng` after this does not depend on the baselines
    goal = free_squares(squares, rng=rng)
    distractor = np.full(len(squares), NOWHERE)
    alike_distractor = distractor
    if squares.config.distractor:
        distractor = free_squares(squares, rng=rng)
        other = squares.situation.other
        alike_distractor = free_squares(squares, beyond=_step_to(squares, other), rng=own)
    alike_goal = free_squares(squares, beyond=squares.goal_step, rng=own)
    return Response(squares, goal, distractor, alike_goal, alike_distractor, random_seed)


def free_squares(
    squares: DecisionSquares,
    *,
    beyond: NDArray[np.int64] | None = None,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Return one open square each, without mouse, cheese or distractor.

    Given a step each, one to which the way begins with it; `NOWHERE` if none is free.
    """
    now = squares.situation
    open_ = squares.levels.open_squares[now.level]
    order = rng.random(open_.shape)
    for taken in (now.mouse, now.cheese, now.distractor):
        order[open_ == taken[:, None]] = -1.0
    if beyond is not None:
        order[~_behind(squares, beyond, open_)] = -1.0
    chosen = open_[np.arange(len(squares)), order.argmax(axis=1)]
    return np.where(order.max(axis=1) < 0, NOWHERE, chosen)


def _step_to(squares: DecisionSquares, target: NDArray[np.int64]) -> NDArray[np.int64]:
    now = squares.situation
    steps = first_steps(squares.levels[now.level], target)
    return np.asarray(steps[np.arange(len(squares)), now.mouse])


def _behind(
    squares: DecisionSquares, step: NDArray[np.int64], open_: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Tell of each open square whether the way to it begins with a step, (n, num_open)."""
    now, levels = squares.situation, squares.levels[squares.situation.level]
    after = squares.levels.next_square[now.level, now.mouse, step]
    nearer = distances(levels, after) < distances(levels, now.mouse)
    return np.asarray(np.take_along_axis(nearer, open_, axis=1))
