"""Plain policy gradients of one skill or of a chain of alike ones, from reward to reward.

Without critic, Adam or entropy bonus an update without reward changes nothing. How many updates
pass until a batch holds a reward is geometric, and the number of its rewarded episodes is a
binomial number that is not 0, so that drawing these two is the same process as drawing every
episode: nothing is approximated, neither the curve nor the onset.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from empirics.binomial import LARGEST, binomial
from empirics.run_stream import draw
from theory.curve import FloatArray, IntArray

DRAWS_AT_ONCE = 1_000_000
EVENTS_AT_ONCE = 128
LARGEST_BATCH = LARGEST
"""The largest batch whose rewards are one binomial count."""
LARGEST_LOG_ODDS = 690.0
"""Above, the odds would overflow; the chance is 1 long before."""


@final
@dataclass(frozen=True)
class Skills:
    """Runs that share the size of their batches and the steps that a reward takes.

    Attributes
    ----------
    log_odds : (n_runs,) array
        Of the right action at each step, before training; there are but right and wrong actions.
    jump : (n_runs,) array
        What a rewarded episode adds to the log odds, over the chance of a wrong action.
    steps : int
        Right actions that a reward takes; all are learned alike.
    batch_size : int
        Episodes in an update, at most `LARGEST_BATCH`.
    streams : sequence of numpy.random.Generator
    """

    log_odds: FloatArray
    jump: FloatArray
    steps: int
    batch_size: int
    streams: Sequence[np.random.Generator]


def run_events(
    skills: Skills, t: IntArray, *, only_onsets: bool = False
) -> tuple[FloatArray, FloatArray]:
    """Train runs together.

    Parameters
    ----------
    skills : Skills
    t : (n,) array
        Updates at which chances are recorded, the first of them 0.
    only_onsets : bool
        Whether runs end with their onset.

    Returns
    -------
    p : (n_runs, n) array
        Chance of the right action at each step; zero where a run ended before.
    onsets : (n_runs,) array
        First update after which the chance of a reward, p^steps, is at least 1/2: 0 where it is
        so from the start, infinite where it never is.
    """
    some = _Some(skills, t)
    while some.who.size:
        n = some.who.size
        events = max(1, min(EVENTS_AT_ONCE, DRAWS_AT_ONCE // n))
        streams = [skills.streams[run] for run in some.who.tolist()]
        u = draw(streams, (events, 1 + (skills.batch_size > 1)))
        some.advance(u)
        some.leave(only_onsets)
    return some.p, some.onsets


class _Some:
    """The runs that still go on, (n,) arrays, and what is known of all."""

    def __init__(self, skills: Skills, t: IntArray) -> None:
        self.steps, self.batch = skills.steps, skills.batch_size
        self.moments = np.append(t.astype(np.float64), np.inf)
        # The log odds of 2^(-1/steps).
        self.level = -np.log(np.expm1(np.log(2.0) / skills.steps))
        self.z, self.jump = skills.log_odds.copy(), skills.jump
        self.who = np.arange(self.z.size)
        self.clock = np.zeros(self.z.size)
        self.slot = np.zeros(self.z.size, dtype=np.intp)
        self.p = np.zeros((self.z.size, t.size))
        self.onsets = np.where(self.z >= self.level, 0.0, np.inf)

    def advance(self, u: FloatArray) -> None:
        """Go on by as many rewarded batches as there are draws, u (events, 1 or 2, n)."""
        due = self.moments[self.slot]
        waits = np.log1p(-u[:, 0])
        with np.errstate(divide="ignore"):  # a sure reward: the wait is 1
            for event, wait in enumerate(waits):
                odds = np.exp(np.minimum(self.z, LARGEST_LOG_ODDS))
                wrong = 1.0 / (1.0 + odds)
                right = odds / (1.0 + odds)
                reward = right if self.steps == 1 else right**self.steps
                log_none = self.batch * np.log1p(-reward)
                self.clock += np.floor(wait / log_none) + 1.0
                if (due < self.clock).any():
                    due = self._record(right)
                gain = self.jump * wrong
                if self.batch > 1:
                    gain *= _positive(u[event, 1], self.batch, reward, log_none)
                before = self.z
                self.z = before + gain
                crossing = (before < self.level) & (self.z >= self.level)
                if crossing.any():
                    self._cross(np.flatnonzero(crossing))

    def leave(self, only_onsets: bool) -> None:
        """Part with the runs that are done."""
        # A reward at the last moment itself is recorded with the one that follows it.
        going = self.slot < self.moments.size - 1
        if only_onsets:
            going &= np.isinf(self.onsets[self.who])
        self.who, self.z, self.jump = self.who[going], self.z[going], self.jump[going]
        self.clock, self.slot = self.clock[going], self.slot[going]

    def _record(self, right: FloatArray) -> FloatArray:
        """Keep the chance at the moments before the next reward; return the moments due next."""
        due = self.moments[self.slot]
        while (late := np.flatnonzero(due < self.clock)).size:
            self.p[self.who[late], self.slot[late]] = right[late]
            self.slot[late] += 1
            due = self.moments[self.slot]
        return due

    def _cross(self, runs: NDArray[np.intp]) -> None:
        in_time = runs[self.clock[runs] <= self.moments[-2]]
        self.onsets[self.who[in_time]] = self.clock[in_time]


def _positive(u: FloatArray, batch: int, p: FloatArray, log_none: FloatArray) -> FloatArray:
    """Return binomial counts that are not 0, by inversion."""
    none = np.exp(log_none)
    above = np.minimum(none + u * -np.expm1(log_none), 1.0 - 2.0**-53)
    return np.maximum(binomial(above, np.full(u.size, float(batch)), p), 1.0)
