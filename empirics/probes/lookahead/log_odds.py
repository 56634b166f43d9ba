"""Log-odds of one action against all others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

LEAST = 1e-12
"""Probabilities below count as this."""


def log_odds(p: FloatArray, action: NDArray[np.int64]) -> FloatArray:
    """Return ln P(action) − ln P(another one), (n,).

    The others are summed, so that odds of a sure action are not lost in 1 − P.

    Parameters
    ----------
    p : (n, num_actions) array
    action : (n,) integer array
    """
    each = np.arange(len(p))
    chosen = p[each, action]
    others = p.copy()
    others[each, action] = 0.0
    odds = np.maximum(chosen, LEAST) / np.maximum(others.sum(axis=1), LEAST)
    return np.asarray(np.log(odds))
