"""Small agents trained update by update: their chances along the way, and when each rises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from empirics.run_stream import draw
from theory.curve import FloatArray, IntArray

DRAWS_AT_ONCE = 1_000_000
UPDATES_AT_ONCE = 100
Draws = Sequence[FloatArray | None] | FloatArray
"""What updates draw, one after the other; nothing where they follow the expectation."""


class Agents(Protocol):
    """The runs of a group, trained together."""

    def chances(self) -> FloatArray:
        """Return the chances that are recorded, (rows, n_runs)."""
        ...

    def draws(self, streams: Sequence[np.random.Generator], updates: int) -> Draws:
        """Return what some of the next updates draw."""
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
    done, slot = 0, 1
    while done < t[-1] and not (only_onsets and np.isfinite(onsets).all()):
        for u in agents.draws(streams, min(UPDATES_AT_ONCE, int(t[-1]) - done)):
            agents.update(u)
            done += 1
            seen = agents.chances()
            onsets[(seen >= 0.5) & np.isinf(onsets)] = done
            if done == t[slot]:
                p[slot] = seen
                slot += 1
    return np.moveaxis(p, -1, 0), onsets.T


def draw_updates(
    streams: Sequence[np.random.Generator], updates: int, shape: tuple[int, ...]
) -> FloatArray:
    """Return uniform numbers for as many of the updates as are drawn at once, each (*shape, n)."""
    at_once = DRAWS_AT_ONCE // (int(np.prod(shape)) * len(streams))
    return draw(streams, (max(1, min(updates, at_once)), *shape))
