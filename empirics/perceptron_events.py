"""Rewarded episodes of perceptrons, one after the other, drawn exactly.

An episode without reward changes nothing, so runs go from one rewarded episode to the next, after
a geometric wait. Inputs are normal, so that all that matters of the student's weights is their
component along the teacher and the length of what is left, and that of an input its part in
the plane of the two, and its length outside:

- in the plane the direction of an input is uniform and its squared length a chi-square of two
  degrees of freedom; an input whose answer is -1 is turned round, which leaves the half-plane
  of the student. Right answers are those in the teacher's half-plane too, a wedge of π - θ out of
  π, with θ the angle between student and teacher; wrong ones are in the wedge of θ beside it;
- outside the plane answer and input are independent: the sum over T decisions is normal, its
  squared length T times a chi-square of dimension - 2 degrees of freedom.

This is the law of perceptrons with weights, at every dimension; nothing is approximated.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import betainc

from empirics.agent_training import Jobs, Measured
from empirics.perceptron_cell import PerceptronCell
from empirics.run_stream import draw, stream_of
from theory.curve import FloatArray, IntArray

EVENTS_AT_ONCE = 64
DRAWS_AT_ONCE = 1_000_000


def run_perceptrons(
    jobs: Jobs, t: IntArray, *, only_onsets: bool = False
) -> tuple[Measured, FloatArray]:
    """Train runs that share their numbers of decisions and of mistakes allowed.

    Parameters
    ----------
    jobs : sequence of (PerceptronCell, int)
        Settings and seed of each run.
    t : (n,) array
        Episodes at which curves are recorded, the first of them 0.
    only_onsets : bool
        Whether runs end with their onset.

    Returns
    -------
    measured : mapping of str to (n_runs, n) array
        That of a right angle where a run ended before.
    onsets : (n_runs,) array
        First episode after which the alignment is at least 1/2, infinite where it never is.
    """
    some = _Some(jobs, t)
    while some.who.size:
        for u, outside in some.draws():
            some.advance(u, outside)
        some.leave(only_onsets)
    alignment, right = np.cos(some.angles), 1.0 - some.angles / np.pi
    return {
        "alignment": alignment,
        "p_correct": right,
        "episodic_return": rewarded(right, some.decisions, some.mistakes),
    }, some.onsets


def rewarded(right: FloatArray, decisions: int, mistakes: int) -> FloatArray:
    """Return the chance of at most so many mistakes if each decision is `right` by itself."""
    if mistakes == 0:
        return np.asarray(right**decisions)
    return np.asarray(betainc(decisions - mistakes, mistakes + 1, right))


def mistakes_of(u: FloatArray, right: FloatArray, decisions: int, mistakes: int) -> IntArray:
    """Return how many decisions of a rewarded episode are wrong, by inversion of `u`."""
    below = u * rewarded(right, decisions, mistakes)
    chance, sum_, wrong = right**decisions, right**decisions, np.zeros(u.shape, dtype=np.int64)
    for k in range(1, mistakes + 1):
        wrong += below >= sum_
        chance = chance * (decisions - k + 1) / k * (1.0 - right) / right
        sum_ = sum_ + chance
    return wrong


class _Some:
    """The runs that still go on, and what was recorded of all."""

    def __init__(self, jobs: Jobs, t: IntArray) -> None:
        cells: list[PerceptronCell] = [cell for cell, _ in jobs]
        self.decisions, self.mistakes = cells[0].n_decisions, cells[0].n_mistakes
        streams = [stream_of(*job).spawn(2) for job in jobs]
        self.streams, self.outside = [one for one, _ in streams], [other for _, other in streams]
        self.dimension = np.array([float(cell.dimension) for cell in cells])
        self.step = np.array([cell.learning_rate / cell.n_decisions for cell in cells])
        start = np.array([cell.initial_alignment for cell in cells])
        length = np.sqrt([cell.initial_squared_norm for cell in cells])
        # The overlap with the teacher, and the length beside it, over sqrt(dimension).
        self.along, self.beside = length * start, length * np.sqrt(1.0 - start**2)
        self.moments = np.append(t.astype(float), np.inf)
        self.who = np.arange(len(cells))
        self.clock = np.zeros(len(cells))
        self.slot = np.zeros(len(cells), dtype=np.intp)
        self.angles = np.full((len(cells), t.size), np.pi / 2)
        self.onsets = np.where(start >= 0.5, 0.0, np.inf)

    def draws(self) -> Iterator[tuple[FloatArray, FloatArray]]:
        """Yield what the next rewarded episodes draw: (2 + 2 n_decisions, n), and (n,)."""
        size = 2 + 2 * self.decisions
        n = self.who.size
        events = max(1, min(EVENTS_AT_ONCE, DRAWS_AT_ONCE // (size * n)))
        streams = [self.streams[run] for run in self.who.tolist()]
        squares = np.stack(
            [
                self.outside[run].chisquare(self.dimension[row] - 2.0, events)
                for row, run in enumerate(self.who.tolist())
            ],
            axis=1,
        )
        yield from zip(draw(streams, (events, size)), squares, strict=True)

    def advance(self, u: FloatArray, outside: FloatArray) -> None:
        """Go on to the next rewarded episode."""
        angle = np.arctan2(self.beside, self.along)
        right = 1.0 - angle / np.pi
        with np.errstate(divide="ignore"):  # a sure reward: the wait is 1
            log_none = np.log1p(-rewarded(right, self.decisions, self.mistakes))
        self.clock += np.floor(np.log1p(-u[0]) / log_none) + 1.0
        self._record(angle)
        along, beside = self._plane(u[1:], angle, right)
        self.along = self.along + self.step * along / self.dimension
        self.beside = np.hypot(
            self.beside + self.step * beside / self.dimension,
            self.step * np.sqrt(self.decisions * outside) / self.dimension,
        )
        aligned = np.arctan2(self.beside, self.along) <= np.pi / 3
        now = np.flatnonzero(aligned & np.isinf(self.onsets[self.who]))
        in_time = now[self.clock[now] <= self.moments[-2]]
        self.onsets[self.who[in_time]] = self.clock[in_time]

    def _plane(
        self, u: FloatArray, angle: FloatArray, right: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return the sums of answer times input along the teacher and beside it, (n,) each."""
        wrong = mistakes_of(u[0], right, self.decisions, self.mistakes)
        is_wrong = np.arange(self.decisions)[:, None] < wrong
        turn, square = u[1 : 1 + self.decisions], u[1 + self.decisions :]
        direction = np.where(
            is_wrong, np.pi / 2 + turn * angle, angle - np.pi / 2 + turn * (np.pi - angle)
        )
        length = np.sqrt(-2.0 * np.log1p(-square))
        # Sums by cumsum add in one order, however many runs there are.
        along = np.cumsum(length * np.cos(direction), axis=0)[-1]
        return along, np.cumsum(length * np.sin(direction), axis=0)[-1]

    def leave(self, only_onsets: bool) -> None:
        """Part with the runs that are done."""
        going = self.slot < self.moments.size - 1
        if only_onsets:
            going &= np.isinf(self.onsets[self.who])
        for name in ("who", "along", "beside", "dimension", "step", "clock", "slot"):
            setattr(self, name, getattr(self, name)[going])

    def _record(self, angle: FloatArray) -> None:
        """Keep the angle at the moments before the reward that now comes."""
        while (late := np.flatnonzero(self.moments[self.slot] < self.clock)).size:
            self.angles[self.who[late], self.slot[late]] = angle[late]
            self.slot[late] += 1
