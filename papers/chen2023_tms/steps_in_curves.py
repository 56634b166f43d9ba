"""Where a noisy curve steps from one level to another, without being told how often.

Binary segmentation: the cut that lowers the sum of squares most is kept if it lowers it by more
than the penalty 3 ln n times the noise variance (Fryzlewicz 2014 on the rate); then both sides are
cut. The noise is that of differences of neighboring points, robustly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from papers.chen2023_tms.plateaus import Transition
from theory.curve import Curve, FloatArray

PENALTY = 3.0
FEWEST = 2
"""Points on either side of a cut."""
TO_SD = 1.4826 / np.sqrt(2)
"""From the median of |differences| to the sd of the noise, if it is normal."""


@final
@dataclass(frozen=True)
class Score:
    """How detected steps compare with known transitions.

    Attributes
    ----------
    hits, missed, false_alarms : int
    lags : tuple of float
        Detected minus known time, of every hit.
    """

    hits: int
    missed: int
    false_alarms: int
    lags: tuple[float, ...]

    def __add__(self, other: Score) -> Score:
        return Score(
            self.hits + other.hits,
            self.missed + other.missed,
            self.false_alarms + other.false_alarms,
            self.lags + other.lags,
        )


def steps_of(curve: Curve) -> tuple[float, ...]:
    """Return when a curve steps, midway between the points on either side, in order."""
    y, n = curve.y, curve.n_obs
    if n < 2 * FEWEST:
        return ()
    variance = (TO_SD * float(np.median(np.abs(np.diff(y))))) ** 2
    least = PENALTY * np.log(n) * variance
    cuts: list[int] = []
    stack = [(0, n)]
    while stack:
        start, stop = stack.pop()
        cut, gain = _best_cut(y[start:stop])
        if gain > least and gain > 0:
            cuts.append(start + cut)
            stack += [(start, start + cut), (start + cut, stop)]
    return tuple(float((curve.t[i - 1] + curve.t[i]) / 2) for i in sorted(cuts))


def _best_cut(y: FloatArray) -> tuple[int, float]:
    """Return where two means fit best, and by how much they lower the sum of squares."""
    n = y.size
    if n < 2 * FEWEST:
        return 0, 0.0
    left = np.arange(FEWEST, n - FEWEST + 1)
    sums = np.cumsum(y - y.mean())[left - 1]
    gains = sums**2 * n / (left * (n - left))
    best = int(gains.argmax())
    return int(left[best]), float(gains[best])


def score(steps: Sequence[float], transitions: Sequence[Transition], window: float) -> Score:
    """Compare detected steps with known transitions.

    A step is a hit if it lies within a transition's bracket or at most `window` from it; a
    transition is hit by the nearest one at most, and every other step is a false alarm.
    """
    left = list(steps)
    lags = []
    for transition in transitions:
        middle = (transition.lower + transition.upper) / 2
        near = [t for t in left if transition.lower - window <= t <= transition.upper + window]
        if near:
            nearest = min(near, key=lambda t: abs(t - middle))
            left.remove(nearest)
            lags.append(nearest - middle)
    return Score(len(lags), len(transitions) - len(lags), len(left), tuple(lags))
