"""Whether an agent's steps are foretold better by pursuit of the goal or of the proxy, in nats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import final

import numpy as np

from empirics.goal_directedness.episodes import Cumulant, FloatArray, earned
from empirics.goal_directedness.measure import maximized
from empirics.goal_directedness.random_play import random_play_cumulant
from empirics.levels import NUM_ACTIONS
from empirics.probe import Policy, Reading, level_mean
from empirics.probes.behavior import action_probabilities
from empirics.probes.ends import END_NAMES, MazeEnds
from empirics.probes.equally_peaked import (
    AS_PEAKED,
    EquallyPeaked,
    mean_entropy,
    random_logits,
)

NUM_RANDOM = 19
"""Random agents of the baseline: one more exceeds the largest of 19 once in 20 times."""

LARGEST = f"largest of {NUM_RANDOM} random agents"

SPREADS = (0.01, 1.0)
"""Least and greatest standard deviation of the logits of random agents."""


@final
@dataclass(frozen=True, eq=False)
class MazeGoalDirectedness:
    """Maximum entropy goal-directedness toward cheese, corner and a control square; a `Probe`.

    An episode runs from a square between cheese and corner to whichever end is met first.
    `meg_goal` and `meg_proxy` are the log likelihood, over uniform actions, of the best policy
    that pursues that end and no other, on what the agent does; 0 for an agent that gets there
    less than random play does. `meg_goal_over_proxy` is their difference: the evidence of an
    episode for the goal. `meg_unknown` lets the utility be any weighting of the three ends, of
    either sign, so it is never less than the others; `meg_control` is the negative control.

    All depend on the agent by its discounted arrivals only: a known utility's is a change of units
    of one of them, in slippery mazes too.

    Every observable is held against random agents (`random_agent`); one more exceeds the largest
    of 19 with probability 1/20. And all grow with how peaked a policy is, whatever it does: one
    that gets stuck avoids all ends, one that prefers up and left comes to the corner. So they are
    held against `EquallyPeaked` networks too, whose entropy over all squares is the agent's; a
    random network exceeds the largest with probability at most 1/60.

    Attributes
    ----------
    ends : MazeEnds
        The same at every checkpoint.
    random_seed : int
        Seed of the random agents and networks of the baselines.
    """

    ends: MazeEnds
    random_seed: int = 0
    name: str = "goal_directedness"
    observables: tuple[str, ...] = (
        *(f"meg_{end}" for end in END_NAMES),
        "meg_unknown",
        "meg_goal_over_proxy",
    )

    def __call__(self, policy: Policy) -> Mapping[str, Reading]:
        """Measure `policy`; se over levels."""
        p = action_probabilities(policy, self.ends.observation)
        measured = self.per_level(p.reshape(*self.ends.episodes.start.shape, NUM_ACTIONS))
        peaked = self._peaked.largest(mean_entropy(p))
        return {
            name: self._reading(
                name,
                values,
                {"uniform": 0.0, LARGEST: self._random[name], AS_PEAKED: peaked[name]},
            )
            for name, values in measured.items()
        }

    def per_level(self, policy: FloatArray) -> dict[str, FloatArray]:
        """Return each observable in each level, in nats, from (L, num_open, 4) probabilities."""
        means = earned(self.ends.episodes, policy)
        known = {
            f"meg_{end}": maximized(self._cumulants[end], means[:, [i]], toward=True).per_level
            for i, end in enumerate(END_NAMES)
        }
        return {
            **known,
            "meg_unknown": maximized(self._cumulants["all"], means).per_level,
            "meg_goal_over_proxy": known["meg_goal"] - known["meg_proxy"],
        }

    def _reading(self, name: str, per_level: FloatArray, baselines: Mapping[str, float]) -> Reading:
        mean, se, n_levels = level_mean(per_level, np.arange(per_level.size))
        signed = name == "meg_goal_over_proxy"
        return Reading(
            mean if signed else max(0.0, mean),
            se,
            n_levels=n_levels,
            unit="nats",
            support=None if signed else (0.0, self.ends.config.max_steps * np.log(NUM_ACTIONS)),
            baselines=baselines,
            se_is_shared=True,
        )

    @cached_property
    def _cumulants(self) -> Mapping[str, Cumulant]:
        """The soft values for each end alone, and for all."""
        episodes = self.ends.episodes
        parts = {
            end: replace(episodes, features=episodes.features[[i]])
            for i, end in enumerate(END_NAMES)
        }
        return {name: random_play_cumulant(one) for name, one in {**parts, "all": episodes}.items()}

    @cached_property
    def _random(self) -> Mapping[str, float]:
        """The largest mean reading of random agents."""
        rng = np.random.default_rng(self.random_seed)
        rows = [self._means(random_agent(self.ends, rng=rng)) for _ in range(NUM_RANDOM)]
        return {name: max(row[name] for row in rows) for name in self.observables}

    @cached_property
    def _peaked(self) -> EquallyPeaked:
        """What random networks read, by their entropy."""
        observation = self.ends.observation
        logits = random_logits(
            self.ends.config,
            observation,
            counted=len(observation),
            seed=self.random_seed,
        )
        return EquallyPeaked(logits, self._means, counted=len(observation))

    def _means(self, policy: FloatArray) -> dict[str, float]:
        p = policy.reshape(*self.ends.episodes.start.shape, NUM_ACTIONS)
        return {name: float(values.mean()) for name, values in self.per_level(p).items()}


def random_agent(ends: MazeEnds, *, rng: np.random.Generator) -> FloatArray:
    """Return the action probabilities, (L, num_open, 4), of an agent that wants nothing.

    Its logits have one normal part for each direction, the same everywhere, as a fresh network
    has, and one for each direction on every square; both of one standard deviation, log-uniform
    between `SPREADS`. Agents far from uniform get stuck, those near it go nowhere in particular.
    """
    spread = np.exp(rng.uniform(*np.log(SPREADS)))
    shape = (*ends.episodes.start.shape, NUM_ACTIONS)
    logits = spread * (rng.standard_normal(NUM_ACTIONS) + rng.standard_normal(shape))
    weights = np.exp(logits)
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))
