"""Whether probabilities mean what they say: reliability over many simulated truths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_BINS = 10
_REPLICATES = 500


@final
@dataclass(frozen=True)
class ReliabilityBin:
    """Claims of about one probability: how many, their mean, and the share that came true."""

    lower: float
    upper: float
    number: int
    claimed: float
    true: float


@final
@dataclass(frozen=True, eq=False)
class Calibration:
    """Simulation-based calibration of the family probabilities.

    Attributes
    ----------
    number
        Simulated curves with probabilities.
    error
        Expected calibration error of the leading family: the mean, over bins of its probability
        and by their size, of |claimed - true| (Guo, Pleiss, Sun and Weinberger 2017, eq. 3).
    se
        Its standard error, from curves drawn anew with replacement.
    chance
        What it would be on average, with this number of curves, were the probabilities right: it
        never is zero.
    overall
        Mean probability minus share of truths, for each family (5,). Zero but for chance where
        truths are drawn from the priors (Schad, Nicenboim, Bürkner, Betancourt and Vasishth 2022,
        section "Simulation-based calibration"; Modrák et al. 2023 on the test quantity).
    overall_se
        Standard error (5,) of each.
    bins
        Reliability of all probabilities of all families.
    """

    number: int
    error: float
    se: float
    chance: float
    overall: FloatArray
    overall_se: FloatArray
    bins: tuple[ReliabilityBin, ...]


def calibration(
    probabilities: FloatArray, truth: NDArray[np.intp], *, rng: np.random.Generator
) -> Calibration | None:
    """Hold probabilities (N, 5) of families against the true ones, codes (N,).

    None if there are no curves.
    """
    number = len(probabilities)
    if number == 0:
        return None
    top = probabilities.argmax(axis=1)
    claimed = probabilities[np.arange(number), top]
    hit = (top == truth).astype(np.float64)
    rows = rng.integers(number, size=(_REPLICATES, number))
    again = np.array([calibration_error(claimed[r], hit[r]) for r in rows])
    luck = (rng.uniform(size=(_REPLICATES, number)) < claimed).astype(np.float64)
    chance = np.array([calibration_error(claimed, one) for one in luck])
    gaps = probabilities - np.eye(probabilities.shape[1])[truth]
    return Calibration(
        number=number,
        error=calibration_error(claimed, hit),
        se=float(again.std()),
        chance=float(chance.mean()),
        overall=gaps.mean(axis=0),
        overall_se=gaps.std(axis=0) / np.sqrt(number),
        bins=_reliability(probabilities, truth),
    )


def calibration_error(claimed: FloatArray, hit: FloatArray) -> float:
    """Return the error of probabilities (N,) whose claims came true (1) or not (0)."""
    place = np.minimum((claimed * _BINS).astype(np.intp), _BINS - 1)
    gaps = np.bincount(place, weights=claimed - hit, minlength=_BINS)
    return float(np.abs(gaps).sum() / len(claimed))


def _reliability(probabilities: FloatArray, truth: NDArray[np.intp]) -> tuple[ReliabilityBin, ...]:
    claimed = probabilities.ravel()
    hit = np.eye(probabilities.shape[1])[truth].ravel()
    place = np.minimum((claimed * _BINS).astype(np.intp), _BINS - 1)
    found = []
    for b in range(_BINS):
        here = place == b
        if here.any():
            means = float(claimed[here].mean()), float(hit[here].mean())
            found.append(ReliabilityBin(b / _BINS, (b + 1) / _BINS, int(here.sum()), *means))
    return tuple(found)
