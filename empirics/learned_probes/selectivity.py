"""Selectivity: how much better a probe tells the labels than it memorizes random ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from empirics.learned_probes.held_out import FoldedDesign
from empirics.learned_probes.linear_probe import one_hot
from empirics.learned_probes.score import Score, accuracy

IntArray = NDArray[np.int64]


def control_labels(types: ArrayLike, labels: ArrayLike, *, rng: np.random.Generator) -> IntArray:
    """Return random labels, one for all rows of an input type, (n,).

    A control task (Hewitt and Liang 2019, section 2): the label of a type is drawn from the
    labels' own distribution. Such labels say nothing of the world, so a probe can only tell them
    by knowing each type by heart.

    Parameters
    ----------
    types : (n,) integer array
        The input type of each row, such as what surrounds it; types must recur across levels.
    labels : (n,) integer array
        Of the task that is controlled.
    """
    names, place = np.unique(np.asarray(types), return_inverse=True)
    return np.asarray(rng.choice(np.asarray(labels), size=names.size)[place])


def selectivity(
    features: ArrayLike,
    labels: ArrayLike,
    types: ArrayLike,
    level: ArrayLike,
    fold: IntArray,
    *,
    ridge: float = 1.0,
    rng: np.random.Generator,
) -> Score:
    """Return accuracy on the task minus accuracy on a control task, both on held-out levels.

    Parameters
    ----------
    features : (n, d) array
    labels, types, level : (n,) integer array
    fold : (n,) integer array
        As `held_out.level_folds` gives them.
    ridge : float
    rng : numpy.random.Generator
        Draws the control task.
    """
    design = FoldedDesign(np.asarray(features, dtype=np.float64), fold, ridge)
    num_classes = int(np.max(np.asarray(labels))) + 1
    scores = []
    for wanted in (np.asarray(labels), control_labels(types, labels, rng=rng)):
        told = design.read(one_hot(wanted, num_classes)).argmax(axis=1)
        scores.append(accuracy(wanted, told, level))
    return scores[0] - scores[1]
