"""Small agents trained update by update: their chances along the way, and when each rises."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from theory.curve import FloatArray, IntArray

Draws = Iterator[FloatArray | None]
"""What updates draw, one after the other; nothing where they follow the expectation."""


class Agents(Protocol):
    """The runs of a group, trained together."""

    def chances(self) -> FloatArray:
        """Return the chances that are recorded, (rows, n_runs)."""
        ...

    def draws(self, streams: Sequence[np.random.Generator]) -> Draws:
        """Yield what updates draw, without end."""
        ...

    def update(self, u: FloatArray | None) -> None:
        """Make one step with what it drew."""
        ...


def train_stepping(
    agents: Agents,
    streams: Sequence[np.random.Generator],
    t: IntArray,
    *,
    only_onsets: bool = False,
) -> tuple[FloatArray, FloatArray]:
    """Train runs together.

    Parameters
    ----------
    agents : Agents
    streams : sequence of numpy.random.Generator
        One a run.
    t : (n,) array
        Updates at which chances are recorded, the first of them 0.
    only_onsets : bool
        Whether training ends when every chance of every run had its onset.

    Returns
    -------
    p : (n_runs, n, rows) array
        Chances; zero where training ended before.
    onsets : (n_runs, rows) array
        First update after which each chance is at least 1/2, or infinity.
    """
    seen = agents.chances()
    p = np.zeros((t.size, *seen.shape))
    p[0] = seen
    onsets = np.where(seen >= 0.5, 0.0, np.inf)
    slot, draws = 1, agents.draws(streams)
    for done in range(1, int(t[-1]) + 1):
        if only_onsets and np.isfinite(onsets).all():
            break
        agents.update(next(draws))
        seen = agents.chances()
        onsets[(seen >= 0.5) & np.isinf(onsets)] = done
        if done == t[slot]:
            p[slot] = seen
            slot += 1
    return np.moveaxis(p, -1, 0), onsets.T
