"""The measure itself: the largest likelihood of a policy under pursuit of a utility."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np

from empirics.goal_directedness.episodes import (
    Cumulant,
    Episodes,
    FloatArray,
    earned,
    soft_cumulant,
)

MOST_STEPS = 500

CLOSE = 1e-10
"""Nats that may be missing from the maximum."""

RIDGE = 1e-13
"""Curvature added to features of unit curvature, which may depend on each other."""

NOTHING = 1e-12
"""Standard deviation, against the mean, of features that no policy changes: rounding."""


@final
@dataclass(frozen=True, eq=False)
class GoalDirectedness:
    """What maximum entropy goal-directedness came to.

    Attributes
    ----------
    per_level : (L,) array
        What each problem contributes, in nats; may be negative in one.
    weights : (K,) array
        Of the features in the utility that foretells the policy best. Where the policy is
        optimal they have no end, and are what sufficed to come within `CLOSE` of the supremum.
    """

    per_level: FloatArray
    weights: FloatArray

    @property
    def value(self) -> float:
        """Mean over problems, in nats an episode; not negative."""
        return max(0.0, float(self.per_level.mean()))

    @property
    def se(self) -> float | None:
        """Standard error over problems; None with one.

        To first order, which is what the maximum over weights allows: they stand still.
        """
        n = self.per_level.size
        return float(self.per_level.std(ddof=1)) / math.sqrt(n) if n > 1 else None


def goal_directedness(
    episodes: Episodes, policy: FloatArray, *, toward: bool = False
) -> GoalDirectedness:
    """Return a policy's maximum entropy goal-directedness, for the best weighting of features.

    With one feature, the utility is known up to scale; with several, it is unknown within their
    linear span. In both cases

        MEG = max over w of w · u - V(w),

    with u what the policy earns of each feature and V the soft value at the start, convex: the
    log likelihood of the soft policy over the uniform one, which the policy meets, telescopes to
    this in deterministic and random worlds alike. So MEG depends on the policy by what it earns
    alone. With one feature it is a function of mean return, whether moves are certain or not; it
    is at least the rate function of the return under random play (`theory.goal_directedness`),
    and equal to it where moves are certain.

    One set of weights serves all L problems: they are what one agent meets.

    Parameters
    ----------
    episodes : Episodes
    policy : (L, S, A) or (horizon, L, S, A) array
    toward : bool
        For one feature: whether only positive weights count. Otherwise policies that avoid the
        feature are directed too.

    References
    ----------
    MacDermott, Fox, Belardinelli and Everitt 2024 (arXiv 2412.04758), algorithms 1 and 2; maximum
    causal entropy after Ziebart 2010. The telescoped form is derived here.
    """
    return maximized(soft_cumulant(episodes), earned(episodes, policy), toward=toward)


def maximized(cumulant: Cumulant, means: FloatArray, *, toward: bool = False) -> GoalDirectedness:
    """Return the maximum over weights of weights · means - cumulant, by Newton's method.

    The problem is concave. Where the supremum is at infinity each step shrinks what is missing
    by e. The result does not depend on the scale of features.

    Parameters
    ----------
    cumulant : Cumulant
    means : (L, K) array
        What the policy earns of each feature in each problem.
    toward : bool
        With one feature, whether only positive weights count.

    Raises
    ------
    ValueError
        If `toward` is asked of several features or the maximum was not reached.
    """
    num_features = means.shape[1]
    if toward and num_features > 1:
        raise ValueError(f"toward needs one feature; there are {num_features}.")
    weights, aim = np.zeros(num_features), means.mean(axis=0)
    value, slope, curvature = cumulant(weights)
    if toward and aim[0] <= slope.mean():
        return GoalDirectedness(np.zeros(len(means)), weights)
    for _ in range(MOST_STEPS):
        rise = aim - slope.mean(axis=0)
        step = _newton_step(rise, curvature, np.abs(slope).mean(axis=0))
        gain = float(rise @ step)
        if gain < CLOSE:
            return GoalDirectedness(means @ weights - value, weights)
        # Damped where the top is far: weights that are too large cost digits.
        height, length = float(weights @ aim - value.mean()), 1 / (1 + math.sqrt(gain))
        while True:
            ahead = weights + length * step
            value, slope, curvature = cumulant(ahead)
            rises = ahead @ aim - value.mean() >= height + 1e-4 * length * gain - CLOSE / 10
            # Not far past the top, where the curvature may underflow.
            if rises and (aim - slope.mean(axis=0)) @ step >= -gain / 2:
                break
            length /= 2
        weights = ahead
    raise ValueError(
        f"the best weights were not reached in {MOST_STEPS} steps; {gain:.2g} nats are missing."
    )


def _newton_step(rise: FloatArray, curvature: FloatArray, size: FloatArray) -> FloatArray:
    """Return the solution of curvature · step = rise, on features of unit curvature.

    A feature whose spread is nothing beside its `size` stays where it is.
    """
    spread = np.sqrt(np.maximum(np.diag(curvature), 0.0))
    scale = np.where(spread > NOTHING * size, spread, np.inf)
    unit = curvature / np.outer(scale, scale) + RIDGE * np.eye(len(rise))
    return np.asarray(np.linalg.solve(unit, rise / scale) / scale)
