"""Scores of a probe on held-out levels, with standard errors over levels, also of differences."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class Score:
    """A score and how each level moves it.

    Attributes
    ----------
    value : float
    influence : (num_levels,) array
        To first order, what the level contributes to the score's deviation; they sum to 0.
    """

    value: float
    influence: FloatArray

    @property
    def n_levels(self) -> int:
        """Number of levels."""
        return int(self.influence.size)

    @property
    def se(self) -> float | None:
        """Standard error with levels as clusters (Liang and Zeger 1986); None with one level."""
        n = self.n_levels
        if n < 2:
            return None
        return math.sqrt(n / (n - 1) * float(self.influence @ self.influence))

    def __sub__(self, other: Score) -> Score:
        """Return the difference of two scores on the same levels, level by level.

        Raises
        ------
        ValueError
            If the levels are not so many.
        """
        if self.n_levels != other.n_levels:
            raise ValueError(
                f"scores can be compared on the same levels; they have {self.n_levels} and "
                f"{other.n_levels}."
            )
        return Score(self.value - other.value, self.influence - other.influence)


def mean_score(values: ArrayLike, level: ArrayLike) -> Score:
    """Return the mean of one value a row, such as its log-loss.

    Parameters
    ----------
    values : (n,) array
    level : (n,) integer array
    """
    rows = np.asarray(values, dtype=np.float64)
    mean = float(rows.mean())
    return Score(mean, _by_level((rows - mean) / rows.size, level))


def accuracy(labels: ArrayLike, predicted: ArrayLike, level: ArrayLike) -> Score:
    """Return the share of rows that were told rightly."""
    return mean_score(np.asarray(labels) == np.asarray(predicted), level)


def class_f1(labels: ArrayLike, predicted: ArrayLike, level: ArrayLike, c: int) -> Score:
    """Return F1 of one class: 2 · true positives / (rows labeled + rows predicted so).

    Parameters
    ----------
    labels, predicted, level : (n,) integer array
    c : int
        The class; it must occur in the labels.

    Raises
    ------
    ValueError
        If it does not.
    """
    has, told = np.asarray(labels) == c, np.asarray(predicted) == c
    if not has.any():
        raise ValueError(f"class {c} does not occur in the labels, so it has no F1.")
    both, size = has & told, float(has.sum() + told.sum())
    f1 = 2.0 * float(both.sum()) / size
    slope = (2.0 * both - f1 * (has.astype(np.float64) + told)) / size
    return Score(f1, _by_level(slope, level))


def macro_f1(labels: ArrayLike, predicted: ArrayLike, level: ArrayLike) -> Score:
    """Return the mean of F1 over the classes that occur in the labels."""
    classes = np.unique(np.asarray(labels))
    each = [class_f1(labels, predicted, level, int(c)) for c in classes]
    value = float(np.mean([score.value for score in each]))
    return Score(value, np.mean([score.influence for score in each], axis=0))


def information(log_probabilities: FloatArray, target: FloatArray, level: ArrayLike) -> Score:
    """Return the bits a row that a probe takes off the length of the labels.

    The cross-entropy of the labels under their own mean minus that under the probe: what of
    their information a reader of this kind can use (Xu et al. 2020, "A theory of usable
    information under computational constraints", definition 2, with the probe held out). It is
    below 0 where the probe does harm.

    Parameters
    ----------
    log_probabilities : (n, k) array
        In nats, of a probe that was fitted to other levels.
    target : (n, k) array
        The labels as probabilities.
    level : (n,) integer array
    """
    share = target.mean(axis=0)
    log_share = np.log(np.where(share > 0, share, 1.0))
    gain = (target * (log_probabilities - log_share)).sum(axis=1) / math.log(2)
    return mean_score(gain, level)


def _by_level(rows: FloatArray, level: ArrayLike) -> FloatArray:
    _, place = np.unique(np.asarray(level), return_inverse=True)
    return np.bincount(place, weights=rows).astype(np.float64)
