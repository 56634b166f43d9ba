"""The plateaus of a training run: which k-gon's loss it holds, from when to when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import final

import numpy as np

from theory.curve import Curve, FloatArray
from theory.learning_coefficients.k_gons import name_by_loss

SHORTEST = 2
"""Checkpoints at one level, from which it is a plateau."""


@final
@dataclass(frozen=True)
class Plateau:
    """A stretch of checkpoints at the loss of one k-gon.

    Attributes
    ----------
    name : str
        Of the k-gon.
    first, last : float
        Progress of its first and last checkpoint.
    """

    name: str
    first: float
    last: float


@final
@dataclass(frozen=True)
class Transition:
    """A change from one plateau to another.

    Attributes
    ----------
    source, target : str
        Names of the k-gons.
    lower, upper : float
        Progress of the last checkpoint on the one and of the first on the other.
    """

    source: str
    target: str
    lower: float
    upper: float


def plateaus_of(loss: Curve, num_features: int, tolerance: float) -> tuple[Plateau, ...]:
    """Return the plateaus of a loss curve.

    What lies at no level is left out; the same level before and after it is one plateau.
    """
    names = name_by_loss(loss.y, num_features, tolerance)
    held = [i for i, name in enumerate(names) if name]
    found: list[Plateau] = []
    for name, group in groupby(held, key=lambda i: str(names[i])):
        members = list(group)
        if len(members) < SHORTEST:
            continue
        if found and found[-1].name == name:
            found[-1] = Plateau(name, found[-1].first, float(loss.t[members[-1]]))
        else:
            found.append(Plateau(name, float(loss.t[members[0]]), float(loss.t[members[-1]])))
    return tuple(found)


def transitions_of(plateaus: Sequence[Plateau]) -> tuple[Transition, ...]:
    """Return the changes between plateaus that follow one another."""
    pairs = zip(plateaus[:-1], plateaus[1:], strict=True)
    return tuple(Transition(a.name, b.name, a.last, b.first) for a, b in pairs)


def path_of(plateaus: Sequence[Plateau]) -> str:
    """Return the names of the plateaus in their order."""
    return " → ".join(plateau.name for plateau in plateaus)


def share_at_levels(losses: FloatArray, num_features: int, tolerance: float) -> float:
    """Return the share of losses that lie at a k-gon's level."""
    return float(np.mean(name_by_loss(losses, num_features, tolerance) != ""))
