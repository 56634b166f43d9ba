"""Runs that a hypothesis about a ladder would have given: onsets drawn from its laws."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from fitting.ladders.evidence import DISCREPANCY
from fitting.ladders.hypothesis import Law, log_quantiles
from theory.curve import Condition, FloatArray
from theory.onset import Onset


def draw_onsets(
    law: Law, at: Mapping[str, FloatArray], n_runs: int, *, rng: np.random.Generator
) -> FloatArray:
    """Draw the onsets of runs that share a rung, its discrepancy included, (n_runs,).

    Parameters
    ----------
    law : callable
        Of the rung.
    at : mapping of str to (1, 1) array
        One draw of the unknowns, and of the size of discrepancies.
    n_runs : int
    rng : numpy.random.Generator
    """
    (times,) = log_quantiles(law, at, np.log(rng.random(n_runs)))
    shift = rng.normal(0.0, float(at[DISCREPANCY][0, 0]))
    return np.asarray(np.exp(times + shift))


def observed(
    onsets: FloatArray, checkpoints: FloatArray, conditions: Mapping[str, Condition]
) -> tuple[Onset, ...]:
    """Return onsets as checkpoints bracket them; later ones than the last are censored.

    Parameters
    ----------
    onsets : (n_runs,) array
    checkpoints : (n,) array
        Positive and increasing.
    conditions : mapping
        Of the rung.
    """
    edges = np.concatenate([[0.0], checkpoints, [math.inf]])
    place = np.searchsorted(edges, onsets, side="left").clip(1, edges.size - 1)
    return tuple(Onset(float(edges[i - 1]), float(edges[i]), conditions) for i in place)
