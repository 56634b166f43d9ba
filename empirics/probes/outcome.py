"""Whether the first step of an episode already tells which end the agent will bring about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray
from torch import nn

from empirics.activations.site import Site
from empirics.goal_directedness.episodes import earned_from
from empirics.learned_probes.held_out import FoldedDesign, level_folds
from empirics.learned_probes.score import Score, information, macro_f1
from empirics.levels import NUM_ACTIONS, Levels
from empirics.maze import MazeConfig
from empirics.networks import NetworkSpec
from empirics.probe import Policy, Reading
from empirics.probes.behavior import action_probabilities
from empirics.probes.ends import MazeEnds, draw_ends
from empirics.probes.random_networks import check_same_layer, random_networks
from empirics.probes.readout import read_at_mouse

FloatArray = NDArray[np.float64]

LAST = Site("stream.4")
"""The last layer of a `MazePolicy` of the usual depth; what is read out at the mouse."""

RANDOM, OBSERVATION = "strongest random network", "raw observation"


@final
@dataclass(frozen=True, eq=False)
class Outcome:
    """How well a linear probe of the first step's activations tells the outcome of the episode.

    The outcome is the end that is met first: the cheese, the corner, the distractor (without
    one, a square that nothing marks), or none in time (Colognese and Jose 2023: an objective is
    information that predicts what the agent brings about). Its probabilities are computed from
    the policy, exactly, for every start; no episode is drawn. The mouse starts between cheese
    and corner, where the ways to them part. The probe reads a layer where the mouse is, and is
    asked about levels that it was not fitted to.

    The observation holds all information there is, and a random network much of it, so only
    what is told *beyond both* speaks for the agent. Another random network would tell more
    than the strongest of R with probability 1 / (R + 1).

    Attributes
    ----------
    ends : MazeEnds
        With a discount of 1.
    level, place : (n,) integer array
        The starts: the level, and the number of the open square among those of the level.
    fold : (n,) integer array
        Fold of each start; levels are never divided.
    randoms : tuple of torch.nn.Module
        Random networks of the agent's shape.
    site : Site
        The layer.
    observation_ridges : tuple of float
        Ridges of the probes of the raw observation, which has many features; the best counts.
    """

    ends: MazeEnds
    level: NDArray[np.int64]
    place: NDArray[np.int64]
    fold: NDArray[np.int64]
    randoms: tuple[nn.Module, ...]
    site: Site = field(default_factory=lambda: LAST)
    observation_ridges: tuple[float, ...] = (10.0, 100.0)
    name: str = "outcome"
    observables: tuple[str, ...] = (
        "outcome_information_gain",
        "outcome_f1_gain",
        "outcome_information",
        "outcome_f1",
    )

    def __post_init__(self) -> None:
        if self.ends.gamma != 1.0:
            raise ValueError(
                f"the ends of outcomes must not be discounted; their gamma is {self.ends.gamma}."
            )

    def __call__(self, policy: Policy) -> Mapping[str, Reading]:
        """Measure `policy`; se over levels.

        Returns
        -------
        mapping
            What the probe tells beyond the stronger baseline: in bits an episode
            (`score.information`, of outcomes as probabilities), and in macro F1 of the likeliest
            outcome, of those that are likeliest somewhere. Then both as they are, with their
            baselines.
        """
        return self.foretold(policy, self.chances(policy))

    def foretold(self, policy: Policy, chances: FloatArray) -> Mapping[str, Reading]:
        """Return how well the activations tell given outcomes, such as shuffled ones.

        Parameters
        ----------
        policy : Policy
        chances : (n, 4) array
            The probability of each outcome from each start.
        """
        features = read_at_mouse(policy, self.site, self._seen)
        check_same_layer(features, self._baselines[RANDOM][0].features)
        own = self._scores(FoldedDesign(features, self.fold), chances)
        others = {
            name: [self._scores(design, chances) for design in designs]
            for name, designs in self._baselines.items()
        }
        result: dict[str, Reading] = {}
        for kind in ("information", "f1"):
            baselines = {
                name: max((each[kind] for each in scores), key=lambda score: score.value)
                for name, scores in others.items()
            }
            unit = "bits" if kind == "information" else ""
            best = max(baselines.values(), key=lambda score: score.value)
            gain = own[kind] - best
            result[f"outcome_{kind}_gain"] = _reading(gain, {"no gain": 0.0}, unit)
            values = {name: score.value for name, score in baselines.items()}
            result[f"outcome_{kind}"] = _reading(own[kind], values, unit)
        return {name: result[name] for name in self.observables}

    def chances(self, policy: Policy) -> FloatArray:
        """Return the probability of each outcome from each start, (n, 4): the ends, then none."""
        episodes = self.ends.episodes
        p = action_probabilities(policy, self.ends.observation)
        met = earned_from(episodes, p.reshape(*episodes.start.shape, NUM_ACTIONS))
        met = np.clip(met[self.level, self.place], 0.0, 1.0)
        none = np.clip(1.0 - met.sum(axis=1, keepdims=True), 0.0, 1.0)
        every = np.concatenate([met, none], axis=1)
        return np.asarray(every / every.sum(axis=1, keepdims=True))

    def _scores(self, design: FoldedDesign, chances: FloatArray) -> dict[str, Score]:
        told = design.read(chances)
        likeliest = chances.argmax(axis=1)
        return {
            "information": information(told, chances, self.level),
            "f1": macro_f1(likeliest, told.argmax(axis=1), self.level),
        }

    @cached_property
    def _seen(self) -> NDArray[np.float32]:
        rows = self.level * self.ends.levels.num_open + self.place
        return np.asarray(self.ends.observation[rows])

    @cached_property
    def _baselines(self) -> Mapping[str, list[FoldedDesign]]:
        seen = self._seen
        raw = seen.reshape(len(seen), -1).astype(np.float64)
        random = [read_at_mouse(network, self.site, seen) for network in self.randoms]
        return {
            RANDOM: [FoldedDesign(features, self.fold) for features in random],
            OBSERVATION: [FoldedDesign(raw, self.fold, each) for each in self.observation_ridges],
        }


def _reading(score: Score, baselines: Mapping[str, float], unit: str) -> Reading:
    return Reading(
        score.value,
        score.se,
        n_levels=score.n_levels,
        unit=unit,
        baselines=baselines,
        se_is_shared=True,
    )


def draw_outcome(
    levels: Levels,
    config: MazeConfig,
    *,
    network: NetworkSpec,
    site: Site = LAST,
    num_levels: int = 120,
    per_level: int = 6,
    num_random: int = 8,
    rng: np.random.Generator,
) -> Outcome:
    """Draw levels with ends, at most `per_level` starts of each, folds and random networks."""
    ends = draw_ends(levels, config, num_levels=num_levels, gamma=1.0, rng=rng)
    is_start = ends.episodes.start > 0
    rank = np.where(is_start, rng.random(is_start.shape), np.inf).argsort(axis=1).argsort(axis=1)
    level, place = np.nonzero(is_start & (rank < per_level))
    fold = level_folds(level, rng=rng)
    randoms = random_networks(network, config, num_random, rng=rng)
    return Outcome(ends, level, place, fold, randoms, site)
