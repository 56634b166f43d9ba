"""What a single run does in the whole: rises, falls, turns, or stays; cheaply, from block means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import final

import numpy as np
from scipy.special import ndtri

from theory.curve import Curve, FloatArray

BLOCKS = 12
SURE = 6.0
"""Standard errors of a block mean: the range of twelve means of white noise exceeds 6 of them in
less than one set in a thousand."""

SMALLER = 0.4
"""The share of differences that must be of noise alone: a run may move in more than half of its
blocks."""

STAYS, UNCLEAR = 0.15, 0.3
"""A run stays if its range is below the first share of the largest among its group, and changes if
it is above the second."""

ONE_WAY, TURNS = 0.25, 0.5
"""A run turns if it takes back more than the second share of its range, and goes one way if it
takes back less than the first."""


class Kind(StrEnum):
    """What a run does in the whole."""

    RISES = "rises"
    FALLS = "falls"
    TURNS = "turns"
    STAYS = "stays"
    UNCLEAR = "unclear"


@final
@dataclass(frozen=True)
class RunShape:
    """The block means of a run in short.

    Attributes
    ----------
    extent : float
        Range of the block means.
    net : float
        Last minus first block mean.
    taken_back : float
        The most that the run goes in both directions, one after the other.
    se : float
        Standard error of a block mean.
    """

    extent: float
    net: float
    taken_back: float
    se: float


def run_shape(curve: Curve) -> RunShape:
    """Return the shape of a run from the means of blocks of as many points each."""
    parts = np.array_split(curve.y, min(BLOCKS, curve.n_obs))
    means = np.array([part.mean() for part in parts])
    return RunShape(
        float(np.ptp(means)),
        float(means[-1] - means[0]),
        max(_hill(means), _hill(-means)),
        _block_error(curve, means),
    )


def _hill(means: FloatArray) -> float:
    """Return by how much the highest hill stands above the lower grounds on both of its sides."""
    before = np.minimum.accumulate(means)
    after = np.minimum.accumulate(means[::-1])[::-1]
    return float(np.max(np.minimum(means - before, means - after)))


def _block_error(curve: Curve, means: FloatArray) -> float:
    """Return the standard error of a block mean: by points, or by blocks where noise lasts.

    Successive points tell of white noise, successive blocks also of noise that lasts longer (and
    of a slow rise, which costs a little power); their smaller differences, so that steps do not
    count.
    """
    points = curve.n_obs / means.size
    if curve.y_se is not None:
        by_points = float(np.median(curve.y_se))
    else:
        by_points = _sd_of(np.diff(curve.y)) if curve.n_obs > 2 else 0.0
    by_blocks = _sd_of(np.diff(means)) if means.size > 4 else 0.0
    return max(by_points / math.sqrt(points), by_blocks)


def _sd_of(differences: FloatArray) -> float:
    """Return the sd of normals that have these differences, told from one of the smaller ones."""
    size = float(np.quantile(np.abs(differences), SMALLER))
    return size / (math.sqrt(2) * float(ndtri(0.5 + SMALLER / 2)))


def kinds(shapes: Sequence[RunShape]) -> tuple[Kind, ...]:
    """Tell the kind of each run of a group, against the largest change among them."""
    largest = max(shape.extent for shape in shapes)
    return tuple(_kind(shape, largest) for shape in shapes)


def _kind(shape: RunShape, largest: float) -> Kind:
    sure = SURE * shape.se
    if shape.extent < STAYS * largest and sure < largest:
        return Kind.STAYS
    if shape.extent <= max(sure, UNCLEAR * largest):
        return Kind.UNCLEAR
    if shape.taken_back > max(sure, TURNS * shape.extent):
        return Kind.TURNS
    if shape.taken_back >= ONE_WAY * shape.extent:
        return Kind.UNCLEAR
    return Kind.RISES if shape.net > 0 else Kind.FALLS
