"""Why an order of formation is to be doubted."""

from __future__ import annotations

from collections.abc import Sequence

from fitting.comparison import Comparison
from fitting.runs.precedence import Times
from fitting.verdict import THRESHOLD, VerdictKind
from theory.family import Family

# What is less probable than this cannot turn an order.
_RELEVANT = 1.0 - THRESHOLD


def obstacle(comparison: Comparison) -> str:
    """Why nothing may be concluded from a comparison, whatever its probabilities are; or empty."""
    verdict = comparison.verdict
    failed = verdict.kind is VerdictKind.INCONCLUSIVE and verdict.lowest is None
    return verdict.reason if failed else ""


def order_doubts(
    pair: tuple[Comparison, Comparison],
    times: Sequence[Times],
    names: Sequence[str],
    quantity: str,
) -> tuple[str, ...]:
    """Sentences, the gravest first.

    Parameters
    ----------
    pair
        The two comparisons, both with a formation.
    times
        Their draws, those after the end of the common window as never.
    names
        What the two are called.
    quantity
        The time that is ordered.
    """
    named = list(zip(pair, names, strict=True))
    return (
        *(sentence for one, name in named for sentence in _inconclusive(one, name)),
        *_windows(pair, times, names, quantity),
        *(sentence for one, name in named for sentence in _window(one, name, quantity)),
    )


def _inconclusive(comparison: Comparison, name: str) -> list[str]:
    if failed := obstacle(comparison):
        return [f"Nothing may be concluded for {name}: {failed}"]
    if comparison.verdict.kind is VerdictKind.INCONCLUSIVE:
        return [
            f"The shape of {name} is inconclusive, so its times are averaged over shapes: "
            f"{comparison.verdict.reason}"
        ]
    return []


def _windows(
    pair: tuple[Comparison, Comparison],
    times: Sequence[Times],
    names: Sequence[str],
    quantity: str,
) -> list[str]:
    """Say what the parts of the windows that only one curve has may hide."""
    found = []
    for i, name in enumerate(names):
        formation, other = pair[i].formation, pair[1 - i].formation
        assert formation is not None and other is not None  # checked by the order
        late = times[i].never - formation.never(quantity)
        if late >= _RELEVANT:
            found.append(
                f"The record of {names[1 - i]} ends at {other.end:g}; {name} forms after that "
                f"with probability {late:.2f}, which counts as not formed."
            )
        early = float(times[i].weight[times[i].draws < other.start].sum())
        if early >= _RELEVANT:
            found.append(
                f"The record of {names[1 - i]} begins at {other.start:g}; {name} forms before "
                f"that with probability {early:.2f}, and whether {names[1 - i]} had too is not "
                "known."
            )
    return found


def _window(comparison: Comparison, name: str, quantity: str) -> list[str]:
    """Say what the window of one curve cuts off, and what its shape leaves open."""
    formation = comparison.formation
    assert formation is not None  # checked by the order
    found = []
    never = formation.never(quantity)
    if never >= _RELEVANT:
        form = "rise" if quantity == "rise" else "form"
        found.append(
            f"{name} does not {form} within its window with probability {never:.2f}; it may have "
            f"{'risen' if quantity == 'rise' else 'formed'} later, or before."
        )
    if formation.unsettled >= _RELEVANT:
        found.append(
            f"{name} still changes at more than half of its highest rate when its record ends, "
            f"with probability {formation.unsettled:.2f}: its times are those of the change "
            "within the window, not of a whole one."
        )
    turns = comparison.family_probabilities.get(Family.TRANSIENT, 0.0)
    if quantity == "midpoint" and turns >= _RELEVANT:
        found.append(
            f"{name} turns back with probability {turns:.2f}: its largest stage, "
            "of which the midpoint is taken, may be the way back."
        )
    return found
