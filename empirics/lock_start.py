"""Where a lock's policy stands before its first reward: untrained, or after demonstrations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from theory.curve import FloatArray

if TYPE_CHECKING:
    from empirics.lock_cell import LockCell


def start_log_odds(cells: Sequence[LockCell]) -> FloatArray:
    """Return the log odds of the right action at each step after any supervised updates.

    All demonstrated actions are right, so that a batch of any size has the expected gradient: an
    update lifts the logit of the right action by learning_rate · (1 - p) and lowers the others
    together by as much, which moves the log odds by n_arms/(n_arms - 1) times that.

    Parameters
    ----------
    cells : sequence of LockCell

    Returns
    -------
    (n_cells,) array
    """
    p0, rate, arms, updates = (
        np.array([getattr(cell, name) for cell in cells])
        for name in ("initial_probability", "learning_rate", "n_arms", "pretrained_updates")
    )
    z = np.log(p0) - np.log1p(-p0)
    for update in range(int(updates.max())):
        wrong = np.exp(-np.logaddexp(0.0, z))
        z = np.where(update < updates, z + rate * arms / (arms - 1) * wrong, z)
    return np.asarray(z)
