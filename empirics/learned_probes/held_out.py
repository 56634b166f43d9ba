"""Probes asked about levels that they were not fitted to."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from empirics.coerce import whole
from empirics.learned_probes.linear_probe import Design, LinearProbe

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def level_folds(level: ArrayLike, num_folds: int = 2, *, rng: np.random.Generator) -> IntArray:
    """Return a fold for each row, (n,), all rows of a level in the same one.

    Folds differ by at most one level. Two folds are a split into halves, each read once.

    Raises
    ------
    ValueError
        If there are fewer levels than folds, or fewer than two folds.
    """
    names, place = np.unique(np.asarray(level), return_inverse=True)
    number = whole("num_folds", num_folds, 2)
    if names.size < number:
        raise ValueError(f"{number} folds need at least as many levels; there are {names.size}.")
    return np.asarray(rng.permutation(np.arange(names.size) % number)[place])


def held_out_log_probabilities(
    features: ArrayLike, target: ArrayLike, fold: IntArray, *, ridge: float = 1.0
) -> FloatArray:
    """Return the log probabilities that a probe fitted to the other folds gives each row, (n, k).

    Parameters
    ----------
    features : (n, d) array
    target : (n, k) array
        Probabilities of the classes; see `linear_probe.one_hot`.
    fold : (n,) integer array
        As `level_folds` gives them.
    ridge : float
    """
    return FoldedDesign(np.asarray(features, dtype=np.float64), fold, ridge).read(target)


class FoldedDesign:
    """Features with folds, for probes of many labels.

    Parameters
    ----------
    features : (n, d) array
    fold : (n,) integer array
    ridge : float

    Raises
    ------
    ValueError
        If there is not one fold a row, or there are fewer than two folds.
    """

    def __init__(self, features: FloatArray, fold: IntArray, ridge: float = 1.0) -> None:
        if fold.shape != (len(features),) or np.unique(fold).size < 2:
            raise ValueError(
                f"fold must be a number for each of {len(features)} rows, at least two different "
                f"ones; its shape is {fold.shape}."
            )
        self.features, self.fold = features, fold
        self._designs = {f: Design(features[fold != f], ridge) for f in np.unique(fold).tolist()}

    def fit(self, target: ArrayLike) -> dict[int, LinearProbe]:
        """Return, for each fold, the probe fitted to all others."""
        rows = np.asarray(target, dtype=np.float64)
        return {f: design.fit(rows[self.fold != f]) for f, design in self._designs.items()}

    def read(self, target: ArrayLike) -> FloatArray:
        """Return the log probabilities that the probe of the other folds gives each row, (n, k)."""
        result = np.empty(np.shape(target))
        for f, probe in self.fit(target).items():
            result[self.fold == f] = probe.log_probabilities(self.features[self.fold == f])
        return result
