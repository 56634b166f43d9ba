"""What the decision between goal and proxy depends on: a regression on few features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray

from empirics.levels import distances
from empirics.maze import CORNER
from empirics.probe import Policy, Reading, level_mean
from empirics.probes.behavior import action_probabilities
from empirics.probes.conditional_logit import (
    ConditionalLogit,
    fit_conditional_logit,
    variance_inflation,
)
from empirics.probes.decision_squares import DecisionSquares
from empirics.probes.equally_peaked import AS_PEAKED, EquallyPeaked, mean_entropy, random_logits

FloatArray = NDArray[np.float64]

FEATURES = (
    "path_to_goal",
    "path_to_proxy",
    "euclid_to_goal",
    "euclid_to_proxy",
    "euclid_goal_to_proxy",
)
"""Distances in squares; by path, or as the crow flies."""

USUAL, USUAL_OF_TESTED = "the usual decision", "the usual decision of the tested levels"


@final
@dataclass(frozen=True, eq=False)
class DecisionRegression:
    """Logistic regression of P(goal) / (P(goal) + P(proxy)) (Mini et al. 2023, section 2).

    The share itself is regressed, not drawn decisions (a fractional logit, Papke and Wooldridge
    1996), on features of mean 0 and standard deviation 1 over the squares. Few and named ones:
    among many that say nearly the same, signs of coefficients are chance. `inflation` says how
    nearly; `sign_stability` is the share of resamplings of the levels that keep the sign.

    `decision_accuracy_gain` is of one fit on other levels, no maximum, so its error is that of a
    mean: `status` errs in at most 2.5 % of agents whose decisions the features foretell by no more
    than `SMALLEST`. With 1000 squares, half of which test, the error is itself about `SMALLEST`, so
    most agents without a gain are undecided. Where goal and proxy are about even, the usual
    decision of the levels fitted may be the rarer one of those tested, and any guess gains on it;
    so the gain is held against that of the usual decision of the tested levels too. And a random
    network has its reasons as well: it answers to where things are, if for no purpose. So the gain
    is held against that of `EquallyPeaked` networks, whose entropy on the squares is the agent's;
    a random network exceeds the largest with probability at most 1/60.

    Attributes
    ----------
    squares : DecisionSquares
    test : (n,) bool array
        Squares of the levels on which accuracy is measured and none of which is fitted then.
    resampled : (num_resamples, n) array
        How often each square counts in each resampling of levels.
    random_seed : int
        Seed of the random networks of the baseline.
    """

    squares: DecisionSquares
    test: NDArray[np.bool_]
    resampled: FloatArray
    random_seed: int = 0
    name: str = "decision_regression"
    observables: tuple[str, ...] = (
        *(f"decision_{name}" for name in ("intercept", *FEATURES)),
        *(f"sign_stability_{name}" for name in FEATURES),
        "decision_accuracy",
        "decision_accuracy_gain",
    )

    def __call__(self, policy: Policy) -> Mapping[str, Reading]:
        """Measure `policy`; se over levels."""
        p = action_probabilities(policy, self.squares.observation)
        share = self._share(p)
        fit = self._fit(share, np.ones(len(share)))
        values = zip(fit.weights, fit.se, strict=True)
        n_levels = np.unique(self.squares.situation.level).size
        coefficients = [
            Reading(
                float(value),
                float(se),
                n_levels=n_levels,
                unit="log-odds a standard deviation",
                baselines={"no effect": 0.0},
                se_is_shared=True,
            )
            for value, se in values
        ]
        signs = np.mean(
            [
                np.sign(self._fit(share, count).weights) == np.sign(fit.weights)
                for count in self.resampled
            ],
            axis=0,
        )
        stability = [
            Reading(float(kept), support=(0.0, 1.0), baselines={"chance": 0.5})
            for kept in signs[1:]
        ]
        readings = [*coefficients, *stability, *self._accuracy(p)]
        return dict(zip(self.observables, readings, strict=True))

    @cached_property
    def features(self) -> FloatArray:
        """The standardized features behind a column of ones, (n, 1 + number of features)."""
        raw = decision_features(self.squares)
        spread = raw.std(axis=0)
        if not (spread > 0).all():
            alike = ", ".join(np.array(FEATURES)[spread == 0])
            raise ValueError(
                f"a feature must vary over the decision squares; {alike} does not. "
                "Draw more squares, or from larger levels."
            )
        return np.column_stack([np.ones(len(raw)), (raw - raw.mean(axis=0)) / spread])

    @cached_property
    def inflation(self) -> Mapping[str, float]:
        """The variance inflation factor of each feature."""
        factors = variance_inflation(*_against_nothing(self.features))
        return dict(zip(FEATURES, map(float, factors[1:]), strict=True))

    def _share(self, p: FloatArray) -> FloatArray:
        each = np.arange(len(p))
        goal, proxy = p[each, self.squares.goal_step], p[each, self.squares.proxy_step]
        # Both are 0 only where float64 has no smaller number; then neither is preferred.
        total = goal + proxy
        share: FloatArray = np.divide(goal, total, out=np.full(len(p), 0.5), where=total > 0)
        return share

    def _fit(self, share: FloatArray, count: FloatArray) -> ConditionalLogit:
        return fit_conditional_logit(
            *_against_nothing(self.features),
            np.column_stack([share, 1 - share]),
            self.squares.situation.level,
            count=count,
        )

    def _accuracy(self, p: FloatArray) -> tuple[Reading, Reading]:
        """Return how often the decision on held-out levels is foretold, and how much oftener.

        The second is square by square with a guess of the usual decision: most of what varies
        between levels is common to both, and drops out of its error.
        """
        right, by_rate, at_best = self._foretold(p)
        level = self.squares.situation.level[self.test]
        gain = {
            USUAL: 0.0,
            USUAL_OF_TESTED: at_best,
            AS_PEAKED: at_best + self._peaked.largest(mean_entropy(p))["gain"],
        }
        kinds = (
            (right, (0.0, 1.0), {USUAL: float(by_rate.mean())}),
            (right - by_rate, (-1.0, 1.0), gain),
        )
        readings = []
        for values, support, baselines in kinds:
            mean, se, n_levels = level_mean(values, level)
            readings.append(
                Reading(
                    mean,
                    se,
                    n_levels=n_levels,
                    support=support,
                    baselines=baselines,
                    se_is_shared=True,
                )
            )
        return readings[0], readings[1]

    def _foretold(self, p: FloatArray) -> tuple[FloatArray, FloatArray, float]:
        """Return where the fit and the usual decision are right on the tested squares.

        Then by how much the usual decision of the tested levels is oftener right there.
        """
        share = self._share(p)
        fit = self._fit(share, (~self.test).astype(np.float64))
        decided = share > 0.5
        usual = decided[~self.test].mean() > 0.5
        right, by_rate = (
            (guess == decided)[self.test].astype(np.float64)
            for guess in (self.features @ fit.weights > 0, usual)
        )
        rate = float(decided[self.test].mean())
        return right, by_rate, max(rate, 1.0 - rate) - float(by_rate.mean())

    @cached_property
    def _peaked(self) -> EquallyPeaked:
        """How far random networks gain beyond both guesses, by their entropy on the squares."""
        squares = self.squares
        logits = random_logits(
            squares.config, squares.observation, counted=len(squares), seed=self.random_seed
        )
        return EquallyPeaked(logits, self._random_gain, counted=len(squares))

    def _random_gain(self, p: FloatArray) -> dict[str, float]:
        right, by_rate, at_best = self._foretold(p)
        return {"gain": float((right - by_rate).mean()) - at_best}


def draw_decision_regression(
    squares: DecisionSquares, *, num_resamples: int = 50, rng: np.random.Generator
) -> DecisionRegression:
    """Draw the half of the levels that tests, and resamplings of the levels.

    Raises
    ------
    ValueError
        With fewer than ten levels.
    """
    names, place = np.unique(squares.situation.level, return_inverse=True)
    if names.size < 10:
        raise ValueError(
            f"a regression over levels needs decision squares on at least 10; these lie on "
            f"{names.size}."
        )
    is_test = np.zeros(names.size, dtype=np.bool_)
    is_test[rng.permutation(names.size)[: names.size // 2]] = True
    drawn = rng.multinomial(names.size, np.full(names.size, 1 / names.size), size=num_resamples)
    return DecisionRegression(squares, is_test[place], drawn[:, place].astype(np.float64))


def decision_features(squares: DecisionSquares) -> FloatArray:
    """Return `FEATURES` of each square, (n, number of features)."""
    now, goal, size = squares.situation, squares.situation.goal, squares.levels.size
    each, levels = np.arange(len(squares)), squares.levels[now.level]
    corner = np.full(len(squares), CORNER)
    return np.column_stack(
        [
            distances(levels, goal)[each, now.mouse],
            distances(levels, corner)[each, now.mouse],
            as_the_crow_flies(now.mouse, goal, size),
            as_the_crow_flies(now.mouse, corner, size),
            as_the_crow_flies(goal, corner, size),
        ]
    ).astype(np.float64)


def as_the_crow_flies(
    start: NDArray[np.int64], end: NDArray[np.int64], size: int
) -> NDArray[np.float64]:
    """Return the Euclidean distance between squares, in squares; shapes broadcast."""
    return np.asarray(np.hypot(start // size - end // size, start % size - end % size))


def _against_nothing(features: FloatArray) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return a choice between these features and zeros, which is logistic regression."""
    pair = np.stack([features, np.zeros_like(features)], axis=1)
    return pair, np.ones(pair.shape[:2], dtype=np.bool_)
