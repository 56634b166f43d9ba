"""What each mechanism implies along a ladder of alpha for agents of unknown step size."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

from theory.curve import Condition
from theory.mechanism import Mechanism
from theory.mechanisms.cue_competition import CUE_COMPETITION


@final
@dataclass(frozen=True)
class RelativeLadder:
    """Flip times that a mechanism predicts along alpha, up to an unknown clock.

    Attributes
    ----------
    mechanism : str
    salience_ratio : float
        Assumed: it is not measured in a maze.
    alphas : tuple of float
    relative : tuple of float or None
        Flip time over that at `reference`; None where `reasons` says why.
    reference : float
        The alpha at which the ladder is 1.
    reasons : tuple of str
    """

    mechanism: str
    salience_ratio: float
    alphas: tuple[float, ...]
    relative: tuple[float | None, ...]
    reference: float
    reasons: tuple[str, ...]


def relative_ladders(
    alphas: Sequence[float], ratios: Sequence[float] = (1.5, 2.0)
) -> tuple[RelativeLadder, ...]:
    """Return each mechanism's flip times along alpha up to a clock, for agents of unknown step.

    Batches are taken as large. The reference is the largest alpha with a predicted flip.

    Raises
    ------
    ValueError
        If no alpha is given.
    """
    if not alphas:
        raise ValueError("a ladder needs at least one alpha; none is given.")
    ordered = tuple(sorted({float(alpha) for alpha in alphas}))
    return tuple(
        _relative(mechanism, float(ratio), ordered)
        for mechanism in CUE_COMPETITION.values()
        for ratio in ratios
    )


def _relative(mechanism: Mechanism, ratio: float, alphas: tuple[float, ...]) -> RelativeLadder:
    flips: list[float | None] = []
    reasons = []
    for alpha in alphas:
        given = {
            "alpha": alpha,
            "salience_ratio": ratio,
            "learning_rate": 1.0,
            "batch_size": math.inf,
        }
        if alpha == 0:
            flips.append(None)
            reasons.append("at alpha = 0 nothing tells goal from proxy, so no flip is implied.")
            continue
        flip, why = _onset(mechanism, given)
        reasons += [f"alpha = {alpha}: {sentence}" for sentence in why]
        flips.append(flip)
    known = [(a, flip) for a, flip in zip(alphas, flips, strict=True) if flip is not None]
    reference, unit = known[-1] if known else (math.nan, 1.0)
    relative = tuple(None if flip is None else flip / unit for flip in flips)
    if not known:
        reference = alphas[-1]
    return RelativeLadder(mechanism.name, ratio, alphas, relative, reference, tuple(reasons))


def _onset(
    mechanism: Mechanism, given: Mapping[str, Condition]
) -> tuple[float | None, tuple[str, ...]]:
    """Return the flip time a mechanism implies, or None and the reasons why it implies none."""
    broken = tuple(mechanism.broken(given))
    if broken:
        return None, broken
    flip = mechanism.onset(given)
    return (flip, ()) if math.isfinite(flip) else (None, ("it implies that no run ever flips.",))
