"""Plain policy gradients of a bandit, from one rewarded batch to the next.

Without critic, Adam or entropy bonus an update without reward changes nothing. How many updates
pass until a batch holds a reward is geometric, and the number of its rewarded episodes is a
binomial number that is not 0, so that drawing these two is the same process as drawing every
episode: nothing is approximated, neither the curve nor the onset.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from empirics.bandit_cell import BanditCell
from empirics.binomial import LARGEST, binomial
from empirics.run_stream import draw, stream_of
from theory.curve import FloatArray, IntArray

DRAWS_AT_ONCE = 1_000_000
EVENTS_AT_ONCE = 128
LARGEST_BATCH = LARGEST
"""The largest batch whose rewards are one binomial count."""
LARGEST_LOG_ODDS = 690.0
"""Above, the odds would overflow; the chance is 1 long before."""


def run_events(
    jobs: Sequence[tuple[BanditCell, int]], t: IntArray, *, only_onsets: bool = False
) -> tuple[FloatArray, FloatArray]:
    """Train runs that share their batch size.

    Parameters
    ----------
    jobs : sequence of (BanditCell, int)
        Settings and seed of each run; the settings `waits`.
    t : (n,) array
        Updates at which chances are recorded, the first of them 0.
    only_onsets : bool
        Whether runs end with their onset.

    Returns
    -------
    p_correct : (n_runs, n) array
        Zero where a run ended before.
    onsets : (n_runs,) array
        First update after which the chance is at least 1/2, infinite where there is none.
    """
    batch = jobs[0][0].batch_size
    start, jump = (np.array(values) for values in zip(*map(_start_and_jump, jobs), strict=True))
    streams = [stream_of(*job) for job in jobs]
    kept = np.zeros((len(jobs), t.size))
    onsets = np.where(start >= 0, 0.0, np.inf)
    who = np.flatnonzero(start < 0) if only_onsets else np.arange(len(jobs))
    z, clock, slot = start.copy(), np.zeros(len(jobs)), np.zeros(len(jobs), dtype=np.intp)
    moments = np.append(t.astype(np.float64), np.inf)
    while who.size:
        part = _Part(z[who], clock[who], slot[who], jump[who], onsets[who], kept[who])
        events = max(1, min(EVENTS_AT_ONCE, DRAWS_AT_ONCE // who.size))
        u = draw([streams[run] for run in who], (events, 1 + (batch > 1)))
        part.advance(u, batch, moments)
        z[who], clock[who], slot[who] = part.z, part.clock, part.slot
        onsets[who], kept[who] = part.onsets, part.kept
        going = part.clock < t[-1]
        if only_onsets:
            going &= np.isinf(part.onsets)
        who = who[going]
    return kept, onsets


def _start_and_jump(job: tuple[BanditCell, int]) -> tuple[float, float]:
    """Return the log odds of the good arm, and by how much one rewarded episode moves them."""
    cell, p = job[0], job[0].initial_probability
    kappa = cell.n_arms / (cell.n_arms - 1)
    start = float(np.log(p) - np.log1p(-p))
    return start, kappa * cell.learning_rate * cell.reward / cell.batch_size


class _Part:
    """The runs that still go on."""

    def __init__(
        self,
        z: FloatArray,
        clock: FloatArray,
        slot: NDArray[np.intp],
        jump: FloatArray,
        onsets: FloatArray,
        kept: FloatArray,
    ) -> None:
        self.z, self.clock, self.slot = z, clock, slot
        self.jump, self.onsets, self.kept = jump, onsets, kept

    def advance(self, u: FloatArray, batch: int, moments: FloatArray) -> None:
        """Go on by as many rewarded batches as there are draws, u (events, 1 or 2, n_runs)."""
        last = moments[-2]
        due = moments[self.slot]
        exponentials = np.log1p(-u[:, 0])
        for event, exponential in enumerate(exponentials):
            odds = np.exp(np.minimum(self.z, LARGEST_LOG_ODDS))
            log_none = -batch * np.log1p(odds)
            self.clock += np.floor(exponential / log_none) + 1.0
            if (due < self.clock).any():
                due = self._record(odds, moments)
            p = odds / (1.0 + odds)
            hits = 1.0 if batch == 1 else _positive(u[event, 1], batch, p, log_none)
            self.z += self.jump * hits * (1.0 / (1.0 + odds))
            crossed = (self.z >= 0) & np.isinf(self.onsets) & (self.clock <= last)
            if crossed.any():
                self.onsets[crossed] = self.clock[crossed]

    def _record(self, odds: FloatArray, moments: FloatArray) -> FloatArray:
        """Keep the chance at the moments before the next reward; return the moments due next."""
        due = moments[self.slot]
        while (late := np.flatnonzero(due < self.clock)).size:
            self.kept[late, self.slot[late]] = odds[late] / (1.0 + odds[late])
            self.slot[late] += 1
            due = moments[self.slot]
        return due


def _positive(u: FloatArray, batch: int, p: FloatArray, log_none: FloatArray) -> FloatArray:
    """Return binomial counts that are not 0, by inversion."""
    none = np.exp(log_none)
    above = np.minimum(none + u * -np.expm1(log_none), 1.0 - 2.0**-53)
    return np.maximum(binomial(above, np.full(u.size, float(batch)), p), 1.0)
