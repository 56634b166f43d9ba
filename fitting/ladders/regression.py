"""The regression that knows no mechanism: onsets as powers of the conditions of a ladder."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from fitting.ladders.hypothesis import SPREAD, Draws, LadderHypothesis, Law
from fitting.ladders.onset_evidence import BEYOND, CV_RANGE
from fitting.ladders.onset_law import Rung
from fitting.ladders.onsets import INTERACTIONS, POWER_LAW
from theory.curve import Condition, FloatArray
from theory.onset_laws import Tails, gamma
from theory.prior import LogUniform, Normal, Prior

EFFECT_SD, INTERACTION_SD = 2.0, 0.5


def power_law(
    ladder: Sequence[str], rungs: Sequence[Rung], *, interactions: bool = False
) -> LadderHypothesis:
    """Return the hypothesis that onsets go as powers of the ladder's conditions.

    The logarithm of the median is a + Σ b_k x_k, with gamma scatter about it. x is the logarithm
    of a condition that is positive, the value of one that is a number, and for words one
    indicator a word but the first; all centered. b ~ N(0, 2²); a lies within the data's range and
    a factor beyond, as the medians of the free reference do.

    Parameters
    ----------
    ladder : sequence of str
        Conditions that may act.
    rungs : sequence of Rung
    interactions : bool
        Whether to add every product of two conditions' x, with b ~ N(0, ½²).
    """
    groups = {name: _columns(name, [dict(rung.conditions)[name] for rung in rungs])
              for name in ladder}  # fmt: skip
    terms: dict[str, tuple[FloatArray, float]] = {
        name: (x, EFFECT_SD) for group in groups.values() for name, x in group.items()
    }
    if interactions:
        for first, second in combinations(groups.values(), 2):
            terms |= {
                f"{a}_x_{b}": (x * y, INTERACTION_SD)
                for a, x in first.items()
                for b, y in second.items()
            }
    bounds = [b for rung in rungs for o in rung.onsets for b in (o.lower, o.upper)]
    positive = [bound for bound in bounds if 0 < bound < math.inf]
    unknowns: dict[str, Prior] = {
        "middle": LogUniform(min(positive) / BEYOND, max(positive) * BEYOND),
        **{name: Normal(0.0, sd) for name, (_, sd) in terms.items()},
        SPREAD: LogUniform(*CV_RANGE),
    }
    laws = tuple(_law({name: float(x[i]) for name, (x, _) in terms.items()})
                 for i in range(len(rungs)))  # fmt: skip
    return LadderHypothesis(INTERACTIONS if interactions else POWER_LAW, unknowns, laws)


def varying(ladder: Sequence[str], rungs: Sequence[Rung]) -> tuple[str, ...]:
    """Return the conditions of a ladder that take more than one value."""
    return tuple(
        name for name in ladder if len({str(dict(rung.conditions)[name]) for rung in rungs}) > 1
    )


def _columns(name: str, values: Sequence[Condition]) -> dict[str, FloatArray]:
    """Return what a condition contributes, centered, by the name of its coefficient."""
    numbers = [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) == len(values):
        positive = all(number > 0 for number in numbers)
        x = np.log(numbers) if positive else np.array(numbers)
        return {f"exponent_of_{name}" if positive else f"slope_in_{name}": x - x.mean()}
    _, *others = dict.fromkeys(str(value) for value in values)
    indicators = {other: np.array([str(v) == other for v in values], float) for other in others}
    return {f"effect_of_{name}_{other}": x - x.mean() for other, x in indicators.items()}


def _law(at: dict[str, float]) -> Law:
    def law(log_t: FloatArray, draws: Draws) -> Tails:
        effects = sum((draws[name] * x for name, x in at.items()), np.log(draws["middle"]))
        return gamma(log_t, effects, draws[SPREAD])

    return law
