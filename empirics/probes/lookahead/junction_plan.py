"""Plans at junctions: does a square ahead hold which way the agent will go there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray
from torch import nn

from empirics.learned_probes.held_out import FoldedDesign, level_folds
from empirics.learned_probes.linear_probe import one_hot
from empirics.learned_probes.score import Score, macro_f1, mean_score
from empirics.levels import NUM_ACTIONS, Levels
from empirics.maze import MazeConfig, Situation, draw_situations, observe
from empirics.probe import Policy, Reading
from empirics.probes.lookahead.junctions import Junctions, junctions_on
from empirics.probes.lookahead.routes import own_routes
from empirics.probes.lookahead.score_reading import score_reading
from empirics.probes.lookahead.sources import Sources
from empirics.probes.lookahead.stages import STAGES
from empirics.probes.lookahead.steering import followed
from empirics.probes.lookahead.untrained import decided, untrained

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

FEWEST = 20
"""Junctions without which no probe is fitted."""

NUM_RANDOM = 39
"""Random networks that are steered: one more exceeds the largest of them once in 40 times."""


@final
@dataclass(frozen=True, eq=False)
class JunctionPlan:
    """Macro F1 of linear probes for the agent's own next step at junctions ahead; a `Probe`.

    The mouse is at the start of the agent's route, and the probe reads the state on a junction
    farther on; it is fitted to some levels and tested on others. `junction_plan` is F1 at the end
    minus that of the strongest control (`sources.CONTROLS`), on the same junctions.
    `plan_steering` is causal: with the mouse on the junction, the direction from the step that the
    agent takes to another one is added there half-way, and P(that other step) compared with that
    under the strongest of two controls of equal norm, a random direction and the direction of a
    probe of mazes without cheese. A random network that is as decided as a trained one can be
    steered so as well, a little: it has no plan, but answers to what its state holds of the cheese.
    So the gain is held against the largest of `NUM_RANDOM` such networks; the baseline's name says
    how many of them came to `FEWEST` junctions.

    Attributes
    ----------
    levels : Levels
    config : MazeConfig
    situation : Situation
        (n,) one of each level.
    fold : (n,) integer array
        Of `level_folds`.
    fresh : torch.nn.Module
        An untrained network of the policy's shape.
    randoms : tuple of torch.nn.Module
        Others, as decided as trained ones (`untrained.decided`).
    strength : float
        Norm of what is added, as a multiple of the spread of states over junctions.
    seed : int
        Of random directions.

    References
    ----------
    Bush et al. 2025 (arXiv 2504.01871), sections on probing and on interventions. There a plan is
    read on all squares; in mazes a random network gives the next step in a corridor away, hence
    junctions alone.
    """

    levels: Levels
    config: MazeConfig
    situation: Situation
    fold: IntArray
    fresh: nn.Module
    randoms: tuple[nn.Module, ...]
    strength: float = 1.0
    seed: int = 0
    name: str = "junction_plan"
    observables: tuple[str, ...] = (
        "junction_plan",
        *(f"junction_f1_{stage}" for stage in STAGES),
        "plan_steering",
        "p_steered",
    )

    def __call__(self, policy: Policy) -> Mapping[str, Reading]:
        """Measure `policy`; se over levels.

        Raises
        ------
        ValueError
            If the routes have fewer than `FEWEST` junctions.
        """
        ahead = self._ahead(policy)
        if len(ahead) < FEWEST:
            raise ValueError(
                f"plans are read at {FEWEST} junctions at least; the routes in {len(self.fold)} "
                f"mazes have {len(ahead)}. Draw from more or larger levels."
            )
        states = self._sources.read(policy)
        scores = {stage: self._scores(ahead, states, stage) for stage in STAGES}
        return {
            "junction_plan": score_reading(_gain(scores["end"]), {"no plan": 0.0}),
            **{f"junction_f1_{stage}": _with_controls(scores[stage]) for stage in STAGES},
            **self._steering(policy, ahead, states),
        }

    def _ahead(self, policy: Policy) -> Junctions:
        routes = own_routes(policy, self.levels, self.config, self.situation)
        return junctions_on(routes, self.levels.next_square[self.situation.level])

    def _scores(
        self, ahead: Junctions, states: Mapping[str, Mapping[str, FloatArray]], stage: str
    ) -> dict[str, Score]:
        """Return macro F1 on held-out levels from each source."""
        features = {
            name: by_stage[stage][ahead.row, ahead.square] for name, by_stage in states.items()
        }
        features["observation"] = self._sources.seen_around(ahead.row, ahead.square)
        target, level = one_hot(ahead.step, NUM_ACTIONS), self.situation.level[ahead.row]
        told = {
            name: FoldedDesign(rows, self.fold[ahead.row]).read(target).argmax(axis=1)
            for name, rows in features.items()
        }
        return {name: macro_f1(ahead.step, each, level) for name, each in told.items()}

    def _steering(
        self,
        policy: Policy,
        ahead: Junctions,
        states: Mapping[str, Mapping[str, FloatArray]],
    ) -> dict[str, Reading]:
        scores = self._steered(policy, ahead, states)
        return {
            "plan_steering": score_reading(_gain(scores), self._steering_baselines),
            "p_steered": _with_controls(scores),
        }

    def _steered(
        self,
        policy: Policy,
        ahead: Junctions,
        states: Mapping[str, Mapping[str, FloatArray]],
    ) -> dict[str, Score]:
        """Return P(the other step) under each direction."""
        there = Situation(*(array[ahead.row] for array in vars(self.situation).values()))
        there = replace(there, mouse=ahead.square)
        p = followed(
            policy,
            self.levels,
            self.config,
            there,
            ahead,
            {
                name: states[name]["middle"][ahead.row, ahead.square]
                for name in ("own", "without cheese")
            },
            self.fold[ahead.row],
            strength=self.strength,
            seed=self.seed,
        )
        return {name: mean_score(each, there.level) for name, each in p.items()}

    @cached_property
    def _steering_baselines(self) -> dict[str, float]:
        """No effect, and the largest gain of the random networks that come to enough junctions."""
        gains = [
            _gain(self._steered(network, ahead, self._sources.read(network))).value
            for network in self.randoms
            if len(ahead := self._ahead(network)) >= FEWEST
        ]
        largest = {f"largest of {len(gains)} random networks": max(gains)} if gains else {}
        return {"no effect": 0.0, **largest}

    @cached_property
    def _sources(self) -> Sources:
        return Sources(self.levels, self.config, self.situation, self.fresh, STAGES)


def draw_junction_plan(
    levels: Levels,
    config: MazeConfig,
    network: nn.Module,
    *,
    num_levels: int = 400,
    rng: np.random.Generator,
) -> JunctionPlan:
    """Draw a mouse and a cheese, anywhere, on so many levels, and untrained networks."""
    level = rng.permutation(len(levels))[:num_levels]
    situation = draw_situations(levels, level, replace(config, alpha=1.0), rng=rng)
    fold = level_folds(level, rng=rng)
    fresh = untrained(network, rng=rng)
    seed = int(rng.integers(2**31))
    seen = observe(levels, situation, config)
    randoms = tuple(decided(untrained(network, rng=rng), seen) for _ in range(NUM_RANDOM))
    return JunctionPlan(levels, config, situation, fold, fresh, randoms, seed=seed)


def _split(scores: Mapping[str, Score]) -> tuple[Score, dict[str, Score]]:
    """Return the agent's own score, and those of controls."""
    return scores["own"], {name: score for name, score in scores.items() if name != "own"}


def _gain(scores: Mapping[str, Score]) -> Score:
    """Return how far the agent's own score is above the strongest control."""
    own, controls = _split(scores)
    return own - max(controls.values(), key=lambda score: score.value)


def _with_controls(scores: Mapping[str, Score]) -> Reading:
    own, controls = _split(scores)
    return score_reading(own, {name: score.value for name, score in controls.items()}, (0.0, 1.0))
