"""How much is drawn at each scale."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from empirics.llc.chains import ChainPlan

CHAINS: Mapping[str, tuple[int, int, int]] = MappingProxyType(
    {"tiny": (4, 5, 3), "quick": (24, 40, 20), "full": (60, 120, 60)}
)
"""Chains, draws of each and moves before the first; tiny only shows that a rung runs."""


def chain_plan(scale: str, nbeta: float, localization: float) -> ChainPlan:
    """Return the plan of exact chains at a scale.

    Raises
    ------
    ValueError
        If the scale is unknown.
    """
    if scale not in CHAINS:
        raise ValueError(f"no scale {scale!r}; choose from {', '.join(CHAINS)}.")
    chains, draws, burnin = CHAINS[scale]
    return ChainPlan(nbeta, localization, chains, draws, burnin)
