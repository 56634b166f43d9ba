"""What ``orders`` of a results document holds: the order in which observables form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from papers.json_checks import list_of, maybe, number, one_of, record, text
from papers.study_schema import ESTIMATE

TEXTS = list_of(text)
ORDERED = ("onset", "midpoint")
"""The times by which curves of any kind are ordered; a rise is asked of mechanisms alone."""
QUANTITY = one_of(*ORDERED)
ORDER = {
    **{name: number for name in ("a_first", "b_first", "neither", "se")},
    "lowest": maybe(number),
    "first": maybe(text),
    "difference": maybe(ESTIMATE),
    "sentence": text,
    "doubts": TEXTS,
}
FREQUENCY = record(
    {
        **{n: number for n in ("runs", "expected", "lower", "upper", "above_half", "lowest")},
        "sentence": text,
        "doubts": TEXTS,
    }
)
FORMATION = record(
    {
        **{name: text for name in ("observable", "run", "progress", "reason")},
        "quantity": QUANTITY,
        "time": maybe(ESTIMATE),
        "never": number,
    }
)
OBSERVABLES = record(
    {
        **{name: text for name in ("a", "b", "progress", "reason")},
        "quantity": QUANTITY,
        "orders": list_of(record({"run": text, **ORDER}), least=1),
        "frequency": maybe(FREQUENCY),
    }
)
RANK = record({"run": text, **{name: number for name in ("expected", "lower", "upper", "first")}})
RUNS = record(
    {
        **{name: text for name in ("observable", "progress", "sentence")},
        "quantity": QUANTITY,
        "ranks": list_of(RANK, least=2),
        "orders": list_of(record({"a": text, "b": text, **ORDER})),
        "doubts": TEXTS,
    }
)
ORDERS = record(
    {
        "formations": list_of(FORMATION),
        "observables": list_of(OBSERVABLES),
        "runs": list_of(RUNS),
        "left_out": TEXTS,
    }
)
# Sums of some hundred products are exact to this.
_ROUNDING = 1e-6


def check_orders(orders: Mapping[str, Any], place: str) -> None:
    """Check that the probabilities of every order sum to 1.

    Raises
    ------
    ValueError
        In one sentence: what is wrong, and where.
    """
    for kind in ("observables", "runs"):
        for i, entry in enumerate(orders[kind]):
            for j, one in enumerate(entry["orders"]):
                total = one["a_first"] + one["b_first"] + one["neither"]
                if abs(total - 1.0) > _ROUNDING:
                    raise ValueError(
                        f"{place}.{kind}[{i}].orders[{j}]: a_first, b_first and neither must sum "
                        f"to 1; they sum to {total:.6g}."
                    )
            if entry.get("frequency", 0) is None and not entry["reason"]:
                raise ValueError(f"{place}.{kind}[{i}] has neither a frequency nor a reason.")
