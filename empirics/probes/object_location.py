"""Where in a layer the objective is, and where the distractor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray
from torch import nn

from empirics.activations.site import Site
from empirics.learned_probes.held_out import level_folds
from empirics.learned_probes.score import Score, mean_score
from empirics.levels import Levels
from empirics.maze import MazeConfig, Situation, draw_situations, observe
from empirics.networks import NetworkSpec
from empirics.probe import Policy, Reading
from empirics.probes.conditional_logit import fit_conditional_logit
from empirics.probes.outcome import LAST, OBSERVATION, RANDOM
from empirics.probes.random_networks import check_same_layer, random_networks
from empirics.probes.readout import observed_places, read_places

FloatArray = NDArray[np.float64]

OBJECTS = ("cheese", "distractor")
"""The objective, rewarded; and what is never rewarded."""

PENALTY = 1.0
"""Of the probe's weights, for features of variance 1."""


@final
@dataclass(frozen=True, eq=False)
class ObjectLocation:
    """How well one linear reader, the same at every place, tells where each object is.

    The reader gives each place of the layer a log-odds, linear in the channels there, and places
    compete (a 1 × 1 convolution with a softmax over places; Colognese and Jose 2023 compare such
    probes of the objective with those of other objects). The score is in bits: how much
    likelier than chance it finds an object, on levels that it was not fitted to.

    Where both objects are can be read off the observation, so neither score can say anything by
    itself; an agent that has its objective in view and disregards the rest holds *more of the one
    than of the other*, more so than random networks, whose channels prefer one of the two by
    accident. Another random network would exceed the largest gap of R with probability 1/(R + 1).

    Attributes
    ----------
    levels : Levels
    config : MazeConfig
    situation : Situation
        (n,) with the cheese anywhere and a distractor, one a level.
    fold : (n,) integer array
    randoms : tuple of torch.nn.Module
        Random networks of the agent's shape.
    site : Site
        The layer.

    Raises
    ------
    ValueError
        If the mazes have no distractor.
    """

    levels: Levels
    config: MazeConfig
    situation: Situation
    fold: NDArray[np.int64]
    randoms: tuple[nn.Module, ...]
    site: Site = field(default_factory=lambda: LAST)
    name: str = "object_location"
    observables: tuple[str, ...] = (
        "objective_location_gap",
        "objective_location",
        "distractor_location",
    )

    def __post_init__(self) -> None:
        if not self.config.distractor:
            raise ValueError(
                "an objective is compared with a distractor, and there is none; set "
                "distractor=True in the environment."
            )

    def __call__(self, policy: Policy) -> Mapping[str, Reading]:
        """Measure `policy`; se over levels.

        Returns
        -------
        mapping
            Bits of the objective beyond its stronger baseline, minus those of the distractor
            beyond its own; then the bits of each, with their baselines.
        """
        features = read_places(policy, self.site, self._seen)
        check_same_layer(features[:1], read_places(self.randoms[0], self.site, self._seen[:1]))
        own = self._scores(features)
        baselines = {name: self._baselines(name) for name in OBJECTS}
        gap = own["cheese"] - own["distractor"]
        shift = max(baselines["distractor"].values()) - max(baselines["cheese"].values())
        return {
            "objective_location_gap": _reading(
                replace(gap, value=gap.value + shift),
                {"no gap": 0.0, "largest of random networks": self._largest_gap + shift},
            ),
            "objective_location": _reading(own["cheese"], baselines["cheese"]),
            "distractor_location": _reading(own["distractor"], baselines["distractor"]),
        }

    def _scores(self, features: FloatArray) -> dict[str, Score]:
        """Return the bits of each object, from the features of places, (n, places, channels)."""
        spread = features.std(axis=(0, 1))
        standard = (features - features.mean(axis=(0, 1))) / np.where(spread > 1e-9, spread, 1.0)
        return {name: self._score(standard, self._target(name)) for name in OBJECTS}

    def _score(self, features: FloatArray, target: FloatArray) -> Score:
        free = np.ones(target.shape, dtype=np.bool_)
        logits = np.empty(target.shape)
        for fold in np.unique(self.fold):
            rows = self.fold != fold
            fit = fit_conditional_logit(
                features[rows], free[rows], target[rows], self._level[rows], penalty=PENALTY
            )
            logits[~rows] = features[~rows] @ fit.weights
        logits -= logits.max(axis=1, keepdims=True)
        log_q = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        gain = (target * (log_q + np.log(target.shape[1]))).sum(axis=1) / np.log(2)
        return mean_score(gain, self._level)

    def _target(self, name: str) -> FloatArray:
        return object_places(getattr(self.situation, name), self.levels.size, self._stride)

    def _baselines(self, name: str) -> dict[str, float]:
        raw, random = self._others
        return {
            RANDOM: max(each[name].value for each in random),
            OBSERVATION: raw[name].value,
        }

    @property
    def _largest_gap(self) -> float:
        return max(each["cheese"].value - each["distractor"].value for each in self._others[1])

    @cached_property
    def _others(self) -> tuple[dict[str, Score], tuple[dict[str, Score], ...]]:
        """The scores of the raw observation, and of each random network."""
        raw = self._scores(observed_places(self._seen, self._stride))
        random = (read_places(network, self.site, self._seen) for network in self.randoms)
        return raw, tuple(self._scores(features) for features in random)

    @cached_property
    def _stride(self) -> int:
        num_places = read_places(self.randoms[0], self.site, self._seen[:1]).shape[1]
        return 1 if num_places == self.levels.size**2 else 2

    @cached_property
    def _level(self) -> NDArray[np.int64]:
        return self.situation.level

    @cached_property
    def _seen(self) -> NDArray[np.float32]:
        return observe(self.levels, self.situation, self.config)


def _reading(score: Score, baselines: Mapping[str, float]) -> Reading:
    return Reading(
        score.value,
        score.se,
        n_levels=score.n_levels,
        unit="bits",
        baselines=baselines,
        se_is_shared=True,
    )


def object_places(square: NDArray[np.int64], size: int, stride: int) -> FloatArray:
    """Return where objects are among the places of a layer, (n, places²), as shares.

    With stride 2 the places are cells, and an object between two cells is half in each.

    Parameters
    ----------
    square : (n,) integer array
        Flat indices of squares.
    size : int
        Squares a side.
    stride : int
    """
    places = (size + stride - 1) // stride
    row, column = np.divmod(square, size)
    shares = np.zeros((len(square), places, places))
    each = np.arange(len(square))
    for r in (row // stride, -(-row // stride)):
        for c in (column // stride, -(-column // stride)):
            np.add.at(shares, (each, r, c), 0.25)
    return shares.reshape(len(square), -1)


def draw_object_location(
    levels: Levels,
    config: MazeConfig,
    *,
    network: NetworkSpec,
    site: Site = LAST,
    num_levels: int = 200,
    num_random: int = 19,
    rng: np.random.Generator,
) -> ObjectLocation:
    """Draw levels with their objects and the mouse anywhere, folds and random networks.

    Raises
    ------
    ValueError
        If the mazes have no distractor.
    """
    level = np.sort(rng.permutation(len(levels))[:num_levels])
    situation = draw_situations(levels, level, replace(config, alpha=1.0), rng=rng)
    fold = level_folds(level, rng=rng)
    randoms = random_networks(network, config, num_random, rng=rng)
    return ObjectLocation(levels, config, situation, fold, randoms, site)
