"""Corruptions that turn the strong agent and that the weak one hardly notices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from empirics.probe import Policy
from empirics.probes.behavior import action_probabilities
from empirics.probes.lookahead.inputs import Filters
from empirics.probes.lookahead.log_odds import log_odds

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


def judged(
    clean: NDArray[np.float32],
    corrupted: NDArray[np.float32],
    best: NDArray[np.int64],
    *,
    weak: Policy,
    strong: Policy,
    filters: Filters,
) -> tuple[BoolArray, BoolArray, FloatArray]:
    """Return whether each corruption turns the strong agent, escapes the weak, and how much.

    Parameters
    ----------
    clean, corrupted : (n, planes, size, size) float32 array
        What is seen before and after.
    best : (n,) integer array
        The action that was best before.
    weak, strong : Policy
    filters : Filters

    Returns
    -------
    falls : (n,) bool array
        The strong agent hardly takes the action any more.
    is_unnoticed : (n,) bool array
        The weak agent takes it nearly as before, and all others.
    divergence : (n,) array
        Of the weak agent's policies before and after, in nats.
    """
    if not len(best):
        return np.zeros(0, dtype=np.bool_), np.zeros(0, dtype=np.bool_), np.zeros(0)
    falls = action_probabilities(strong, corrupted)[np.arange(len(best)), best] < filters.corrupted
    p, q = (action_probabilities(weak, seen) for seen in (clean, corrupted))
    divergence = jensen_shannon(p, q)
    is_unnoticed = log_odds(p, best) - log_odds(q, best) <= filters.noticed
    return falls, is_unnoticed & (divergence <= filters.divergence), divergence


def jensen_shannon(p: FloatArray, q: FloatArray) -> FloatArray:
    """Return the divergence between rows of probabilities, in nats, from 0 to ln 2."""
    middle = (p + q) / 2

    def relative(of: FloatArray) -> FloatArray:
        ratio = np.where(of > 0, of / np.where(middle > 0, middle, 1.0), 1.0)
        return np.asarray((of * np.log(ratio)).sum(axis=1))

    return (relative(p) + relative(q)) / 2
