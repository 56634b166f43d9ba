"""The verdict of a comparison: decided, tied, or inconclusive with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import final

import numpy as np
from numpy.typing import NDArray

from theory.family import Family

FloatArray = NDArray[np.float64]

THRESHOLD = 0.95
"""Probability that two families together must keep to be TIED, and forms to be named."""

DECISIVE = 0.925
"""Probability from which on a family is DECIDED: what `fitting.trials.threshold` derives from the
study of simulated curves (benchmarks/calibration.md)."""

_FAMILIES = tuple(Family)


class VerdictKind(StrEnum):
    """How far the comparison got."""

    DECIDED = "decided"
    TIED = "tied"
    INCONCLUSIVE = "inconclusive"


@final
@dataclass(frozen=True)
class Verdict:
    """What the comparison may be quoted for.

    Attributes
    ----------
    kind
        DECIDED (one family), TIED (two), or INCONCLUSIVE.
    families
        The family decided on, or the two tied ones; empty if inconclusive.
    forms
        Names of the forms that share the leading 95 % of the posterior, best first: seldom one.
        Empty if inconclusive.
    reason
        One sentence.
    lowest
        Smallest probability of the likeliest family over Monte-Carlo error and the band: the
        verdict would be DECIDED at any threshold up to here. None where nothing may be concluded
        whatever the probabilities are.
    """

    kind: VerdictKind
    families: tuple[Family, ...]
    forms: tuple[str, ...]
    reason: str
    lowest: float | None = None


def judge(
    probabilities: FloatArray,
    replicates: FloatArray,
    bands: Sequence[tuple[float, FloatArray]],
    forms: Sequence[tuple[str, float]],
    failures: Sequence[str] = (),
) -> Verdict:
    """Judge family probabilities.

    Parameters
    ----------
    probabilities
        Shape (5,): family probabilities.
    replicates
        Shape (M, 5): the same with their Monte-Carlo errors redrawn.
    bands
        Pairs (scale, family probabilities) for other widths of the priors.
    forms
        Pairs (name, posterior probability), best first.
    failures
        Sentences: why nothing may be concluded, whatever the probabilities are.

    Returns
    -------
    Verdict
        DECIDED if one family keeps `DECISIVE` at the nominal prior, at every prior of the band and
        in 95 % of the replicates, and nothing failed. TIED if no family has as much and two keep
        95 % together. Else INCONCLUSIVE: also where one family has enough, but not beyond
        Monte-Carlo error or over the band.
    """
    if probabilities.sum() <= 0.0:
        return inconclusive("No candidate has an evidence to compare.")
    if failures:
        return inconclusive(failures[0])
    order = np.argsort(-probabilities, kind="stable")
    decided = probabilities[order[0]] >= DECISIVE
    top, needed = (order[:1], DECISIVE) if decided else (order[:2], THRESHOLD)
    alone = _lowest(order[:1], probabilities, replicates, bands)
    if _lowest(top, probabilities, replicates, bands) < needed:
        return inconclusive(_why_not(order, probabilities, replicates), alone)
    names = tuple(_FAMILIES[i] for i in top)
    own = probabilities[top]
    if decided:
        return Verdict(
            VerdictKind.DECIDED,
            names,
            credible(forms),
            f"The shape is {names[0]} with probability {_said(own[0])}; at least {_said(alone)} "
            "over Monte-Carlo error and priors half and twice as wide.",
            alone,
        )
    return Verdict(
        VerdictKind.TIED,
        names,
        credible(forms),
        f"The shape is {names[0]} ({own[0]:.2f}) or {names[1]} ({own[1]:.2f}); "
        "these data do not separate the two.",
        alone,
    )


def _said(probability: float) -> str:
    """Write a probability so that rounding never makes it certain."""
    return ">0.999" if probability > 0.9995 else f"{probability:.3f}"


def inconclusive(reason: str, lowest: float | None = None) -> Verdict:
    """Make the verdict that names nothing."""
    return Verdict(VerdictKind.INCONCLUSIVE, (), (), reason, lowest)


def credible(forms: Sequence[tuple[str, float]], level: float = THRESHOLD) -> tuple[str, ...]:
    """Fewest forms, best first, that hold `level` of the posterior together."""
    ranked = sorted(forms, key=lambda pair: -pair[1])
    total = sum(weight for _, weight in ranked)
    kept: list[str] = []
    held = 0.0
    for name, weight in ranked:
        if held >= level * total:
            break
        kept.append(name)
        held += weight
    return tuple(kept)


def _lowest(
    top: NDArray[np.intp],
    probabilities: FloatArray,
    replicates: FloatArray,
    bands: Sequence[tuple[float, FloatArray]],
) -> float:
    """Smallest joint probability of families over prior widths and Monte-Carlo error."""
    values = [probabilities[top].sum(), *(p[top].sum() for _, p in bands)]
    if len(replicates):
        values.append(float(np.quantile(replicates[:, top].sum(axis=1), 0.05)))
    return float(min(values))


def _why_not(order: NDArray[np.intp], probabilities: FloatArray, replicates: FloatArray) -> str:
    for size, needed in ((1, DECISIVE), (2, THRESHOLD)):
        top = order[:size]
        if probabilities[top].sum() < needed:
            continue
        who = " or ".join(f"{_FAMILIES[i]}" for i in top)
        if _lowest(top, probabilities, replicates, ()) < needed:
            return f"The lead of {who} lies within the Monte-Carlo error of the evidence."
        return f"The lead of {who} depends on the width of the priors (half to twice as wide)."
    listed = ", ".join(f"{_FAMILIES[i]} {probabilities[i]:.2f}" for i in order[:3])
    one, two = f"{100 * DECISIVE:g} %", f"{100 * THRESHOLD:g} %"
    return f"No shape has {one} of the probability and no two have {two}: {listed}."
