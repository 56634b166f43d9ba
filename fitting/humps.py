"""Where one developmental stage of a smooth curve ends and the next begins.

A stage is a stretch of one direction with one hump of the rate of change. The family says whether
there is none, one, or two and more; which ones count is decided as for the family: taking a hump
away, down to the valley beside it, must cost more than `PROMINENCE` of the whole change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from theory.family import PROMINENCE, Family

FloatArray = NDArray[np.float64]

# Below this share of the whole change a step is rounding, whose sign means nothing.
_ROUNDING = 1e-9


@final
@dataclass(frozen=True, eq=False)
class Humps:
    """The humps of one curve's rate.

    Attributes
    ----------
    steps
        Shape (n - 1,): change of y over each interval, small reversals taken as pauses.
    pieces
        First and last grid index of each hump, in order; consecutive ones share an index.
    """

    steps: FloatArray
    pieces: tuple[tuple[int, int], ...]


def humps(t: FloatArray, y: FloatArray, family: Family) -> Humps:
    """Cut one smooth curve (n,) on a grid into the humps of its rate.

    Parameters
    ----------
    t, y
        Shape (n,).
    family
        What `theory.family.classify` says of it.
    """
    steps = np.diff(y)
    if family is Family.NONE:
        return Humps(steps, ())
    if family is not Family.TRANSIENT:
        direction = 1.0 if steps.sum() >= 0 else -1.0
        steps = direction * np.maximum(direction * steps, 0.0)
    up = np.maximum(steps, 0.0).sum()
    total = max(up, up - steps.sum())
    if family not in (Family.MULTISTAGE, Family.TRANSIENT):
        return Humps(steps, ((0, len(steps)),))
    steps = np.where(np.abs(steps) < _ROUNDING * total, 0.0, steps)
    pieces = _cut(steps / np.diff(t))
    while len(pieces) > 2:
        excess, neighbor = _excess(steps, np.diff(t), pieces)
        k = int(np.argmin(excess))
        if excess[k] > PROMINENCE * total:
            break
        left = min(k, neighbor[k])
        pieces[left : left + 2] = [(pieces[left][0], pieces[left + 1][1])]
    return Humps(steps, tuple(pieces))


def _cut(speed: FloatArray) -> list[tuple[int, int]]:
    """Cut at every slowest place and every change of direction."""
    size = np.abs(speed)
    cuts = {0, len(speed)}
    slope = np.sign(np.diff(size))
    sloping = np.flatnonzero(slope)
    for a, b in zip(sloping[:-1], sloping[1:], strict=True):
        if slope[a] < 0 < slope[b]:
            cuts.add(int((a + b + 2) // 2))
    moving = np.flatnonzero(speed)
    for a, b in zip(moving[:-1], moving[1:], strict=True):
        if speed[a] * speed[b] < 0:
            cuts.add(int((a + b + 1) // 2))
    places = sorted(cuts)
    return list(zip(places[:-1], places[1:], strict=True))


def _excess(
    steps: FloatArray, gaps: FloatArray, pieces: list[tuple[int, int]]
) -> tuple[FloatArray, list[int]]:
    """Change that each piece has above the higher of the valleys beside it, and whose that is."""
    speed = np.abs(steps) / gaps
    sums = [float(steps[a:b].sum()) for a, b in pieces]
    valleys = [
        min(speed[b - 1], speed[b]) if sums[k] * sums[k + 1] > 0 else 0.0
        for k, (_, b) in enumerate(pieces[:-1])
    ]
    excess, neighbor = np.empty(len(pieces)), []
    for k, (a, b) in enumerate(pieces):
        beside = [(valleys[j], j + (j >= k)) for j in (k - 1, k) if 0 <= j < len(valleys)]
        level, other = max(beside)
        excess[k] = np.maximum(speed[a:b] - level, 0.0) @ gaps[a:b]
        neighbor.append(other)
    return excess, neighbor
