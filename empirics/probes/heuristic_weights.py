"""Which heuristic acts in which context, and with what weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray

from empirics.levels import Levels, distances
from empirics.maze import CORNER, MazeConfig, Situation, draw_situations, observe
from empirics.probe import Policy, Reading
from empirics.probes.action_field import free_squares
from empirics.probes.behavior import action_probabilities
from empirics.probes.conditional_logit import fit_conditional_logit, variance_inflation
from empirics.probes.heuristics import HEURISTICS, heuristic_features, legal_moves

FloatArray = NDArray[np.float64]

CONTEXTS = ("agree", "near", "far")
"""Goal and proxy ask for the same step; for different ones, the goal near, or far, by path."""


def heuristics_of(context: str) -> tuple[str, ...]:
    """Return the heuristics of a context; where the two paths agree, they are one: `path`."""
    return ("path", *HEURISTICS[2:]) if context == "agree" else HEURISTICS


@final
@dataclass(frozen=True, eq=False)
class HeuristicWeights:
    """The weights with which heuristics make up the agent's action field, context by context.

    Each heuristic is an expert that gives a legal step a log-odds; the experts multiply:
    q(a) ∝ exp(Σ_h w_h x_h(a)) over the legal steps of a square. The weights are those that make q
    nearest to the agent's own probabilities, renormalized over legal steps. A product and not a
    mixture, since its weights are unique where no heuristic says the same as the others, may be
    negative (a step shunned), and are the agent's own if its logits are such a sum. They grow as
    the policy sharpens: compare weights of one checkpoint, or their signs.

    Attributes
    ----------
    levels : Levels
    config : MazeConfig
    situation : Situation
        Squares with at least two legal steps, neither corner nor an object.
    context : (n,) integer array
        Which of `CONTEXTS` each belongs to.
    near : float
        A goal at most so many steps away is near.
    """

    levels: Levels
    config: MazeConfig
    situation: Situation
    context: NDArray[np.int64]
    near: float
    name: str = "heuristic_weights"

    @property
    def observables(self) -> tuple[str, ...]:
        """A weight for each heuristic, and how much all explain, for each context."""
        return tuple(
            f"{name}_{context}"
            for context in CONTEXTS
            for name in (*(f"weight_{each}" for each in heuristics_of(context)), "explained")
        )

    def __call__(self, policy: Policy) -> Mapping[str, Reading]:
        """Measure `policy`; se over levels.

        Returns
        -------
        mapping
            Weights in log-odds, and the share of the divergence between the agent and "any legal
            step" that they explain.
        """
        seen = observe(self.levels, self.situation, self.config)
        p = np.where(self._legal, action_probabilities(policy, seen), 0.0)
        # Where all of it went into walls, no legal step is preferred.
        total = p.sum(axis=1, keepdims=True)
        p = np.where(total > 0, p, self._legal)
        p /= p.sum(axis=1, keepdims=True)
        return {
            name: reading
            for index, context in enumerate(CONTEXTS)
            for name, reading in self._in(index, context, p).items()
        }

    def inflation(self, context: str) -> Mapping[str, float]:
        """Return the variance inflation factor of each heuristic in a context."""
        index = CONTEXTS.index(context)
        features, rows = self._features(index), self.context == index
        factors = variance_inflation(features, self._legal[rows])
        return dict(zip(heuristics_of(context), map(float, factors), strict=True))

    def _in(self, index: int, context: str, p: FloatArray) -> dict[str, Reading]:
        rows = self.context == index
        level = self.situation.level[rows]
        fit = fit_conditional_logit(self._features(index), self._legal[rows], p[rows], level)
        n_levels = np.unique(level).size
        readings = {
            f"weight_{name}_{context}": Reading(
                float(weight),
                float(se),
                n_levels=n_levels,
                unit="log-odds",
                baselines={"no effect": 0.0},
                se_is_shared=True,
            )
            for name, weight, se in zip(heuristics_of(context), fit.weights, fit.se, strict=True)
        }
        readings[f"explained_{context}"] = Reading(
            fit.explained, n_levels=n_levels, baselines={"any legal step": 0.0}
        )
        return readings

    def _features(self, index: int) -> FloatArray:
        features: FloatArray = self._all_features[self.context == index]
        # Where the paths agree, that to the goal stands for both.
        return features[:, :, [0, 2, 3, 4]] if CONTEXTS[index] == "agree" else features

    @cached_property
    def _all_features(self) -> FloatArray:
        return heuristic_features(self.levels, self.situation)

    @cached_property
    def _legal(self) -> NDArray[np.bool_]:
        return legal_moves(self.levels, self.situation)


def draw_heuristic_weights(
    levels: Levels, config: MazeConfig, *, num_levels: int = 100, rng: np.random.Generator
) -> HeuristicWeights:
    """Draw levels with the cheese anywhere; the median way to it divides near from far.

    Raises
    ------
    ValueError
        If a context has no squares.
    """
    chosen = levels[np.sort(rng.permutation(len(levels))[:num_levels])]
    anywhere = replace(config, alpha=1.0)
    drawn = draw_situations(chosen, np.arange(len(chosen)), anywhere, rng=rng)
    situation = free_squares(chosen, drawn.cheese, drawn.distractor, drawn.key)
    choice = legal_moves(chosen, situation).sum(axis=1) > 1
    choice &= situation.mouse != CORNER
    situation = Situation(*(array[choice] for array in vars(situation).values()))
    features = heuristic_features(chosen, situation)
    agree = (features[:, :, 0] == features[:, :, 1]).all(axis=1)
    steps = distances(chosen, drawn.goal)[situation.level, situation.mouse]
    if agree.all() or not agree.any():
        raise ValueError(
            f"goal and proxy {'never part' if agree.all() else 'always part'} on these "
            f"{len(chosen)} levels; draw more."
        )
    near = float(np.median(steps[~agree]))
    context = np.where(agree, 0, np.where(steps <= near, 1, 2))
    if not (context == 2).any():
        raise ValueError(f"no goal lies farther than {near} steps on {len(chosen)} levels.")
    return HeuristicWeights(chosen, config, situation, context, near)
