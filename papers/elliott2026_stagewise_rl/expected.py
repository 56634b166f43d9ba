"""What a reading should be where the energy is a quadratic, and whether it is."""

from __future__ import annotations

import torch
from torch import Tensor

from empirics.llc.reading import LLCReading
from papers.llc_ladder.rung import Check, Trust

SURE = 3.0
"""Standard errors within which a reading agrees with an exact value."""
RANK = 1e-9
"""Share of the largest curvature from which a direction counts."""


def rank(hessian: Tensor, *, least: float = RANK) -> int:
    """Return how many directions of a (d, d) Hessian are curved upwards."""
    values = torch.linalg.eigvalsh(hessian)
    return int((values > least * values[-1]).sum())


def localized_llc(
    hessian: Tensor, nbeta: float, localization: float, scales: Tensor | None = None
) -> float:
    """Return ½ Σ nbeta·h/(nbeta·h + localization), h the eigenvalues of a (d, d) Hessian.

    It is exact for a quadratic energy, and half the rank where nbeta is large.

    Parameters
    ----------
    hessian : (d, d) tensor
    nbeta, localization : float
    scales : (d,) tensor, optional
        Unit of length of every parameter.
    """
    if scales is not None:
        hessian = hessian * scales[:, None] * scales
    steepness = nbeta * torch.linalg.eigvalsh(hessian).clamp(min=0)
    return float((steepness / (steepness + localization)).sum()) / 2


def said(reading: LLCReading) -> str:
    """Write a reading with its standard error."""
    return "none" if reading.llc is None else f"{reading.llc:.3f} ± {reading.llc_se:.3f}"


def agrees(asked: str, reading: LLCReading, exact: float) -> Check:
    """Return whether a reading is within three standard errors of an exact value."""
    measured = f"{said(reading)}, exact {exact:.3f}"
    if reading.llc is None or reading.llc_se is None:
        return Check(asked, f"{measured}. {reading.status}", None)
    return Check(asked, measured, abs(reading.llc - exact) <= SURE * reading.llc_se)


def trust(estimator: str, checks: tuple[Check, ...], because: str) -> Trust:
    """Return an estimator trusted where all of its checks hold; None if one cannot tell."""
    held = [check.holds for check in checks]
    trusted = False if False in held else None if None in held else True
    failed = [check.asked for check in checks if check.holds is False]
    return Trust(estimator, trusted, because if not failed else f"Does not hold: {failed[0]}.")


def distrust(estimator: str, checks: tuple[Check, ...], because: str) -> Trust:
    """Return an estimator that is not trusted where checks hold that show what is wrong with it."""
    shown = all(check.holds for check in checks)
    said_so = because if shown else "What is wrong with it did not show here."
    return Trust(estimator, False if shown else None, said_so)


def share_below(reading: LLCReading) -> float:
    """Return the share of all draws that lie below the center."""
    return sum(reading.below_center) / len(reading.below_center)
