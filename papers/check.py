"""How agents' readings answer a claim."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from empirics.probe import Reading
from empirics.probes.status import is_present
from papers.claim import Claim, Outcome, in_all

Readings = Mapping[str, Reading]


@final
@dataclass(frozen=True)
class Check:
    """How one agent's readings answer a claim.

    Attributes
    ----------
    judge : callable
        Readings to whether they agree, or None.
    numbers : callable
        Readings to the numbers that stand beside the published ones.
    differs : str
        What is different here.
    needs : str
        An observable without which it cannot be told; some agents lack it.
    """

    judge: Callable[[Readings], bool | None]
    numbers: Callable[[Readings], Mapping[str, float]]
    differs: str
    needs: str = ""


def present(name: str) -> Callable[[Readings], bool | None]:
    """Return the judgment whether an observable is present (`status`)."""
    return lambda found: is_present(name, found[name])


def answered(claim: Claim, check: Check, judged: Sequence[Readings]) -> Outcome:
    """Return what the agents say of a claim: all of them, none, or it cannot be told."""
    can = [not check.needs or check.needs in found for found in judged]
    each = [check.judge(found) if it else None for found, it in zip(judged, can, strict=True)]
    rows = [check.numbers(found) for found, it in zip(judged, can, strict=True) if it]
    here = {name: float(np.mean([row[name] for row in rows])) for name in (rows[0] if rows else ())}
    count = f"{sum(one is True for one in each)} of {len(each)} agents"
    lacking = len(judged) - len(rows)
    unasked = f"; {lacking} without a reading of {check.needs}" if lacking else ""
    return Outcome(
        claim, here, in_all(each), f"{count}, numbers their means{unasked}; {check.differs}."
    )
