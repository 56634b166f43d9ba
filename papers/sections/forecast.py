"""How well the forms foretell the last part of a curve from the first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from papers.tables import scientific, shown

EVEN = 0.05
"""Share by which two errors must differ for one to be called better."""

HINDSIGHT = (
    "Their noise is the one that weighs most on the whole curve, so it was chosen with hindsight."
)
DIVERGED = 10.0
"""Times the naive error from which an extrapolation has left the curve."""


def forecast(curve: Mapping[str, Any]) -> str:
    """Say how well the forms foretold the last quarter, and what they were told of it."""
    result = curve["forecast"] or {}
    ratio = result.get("rmse_ratio")
    if ratio is None:
        reason = result.get("reason") or ""
        return f"No forecast: {reason[:1].lower()}{reason[1:]}" if reason else ""
    return (
        f"Held against {_part(result)}, the forms {_how(ratio)} the naive forecast "
        f"({result['baseline']}): {times(ratio)} times its error.{_meaning(ratio)} {HINDSIGHT}"
    )


def _part(result: Mapping[str, Any]) -> str:
    if result.get("n_train") and result.get("n_test"):
        return f"the first {result['n_train']} points and scored on the last {result['n_test']}"
    return "the first part of the curve and scored on the rest"


def _how(ratio: float) -> str:
    if ratio > DIVERGED:
        return "fail beside"
    if ratio > 1 + EVEN:
        return "foretell worse than"
    return "foretell better than" if ratio < 1 - EVEN else "foretell no better than"


def _meaning(ratio: float) -> str:
    if ratio <= DIVERGED:
        return ""
    return (
        " The extrapolation diverges: the forms hold on the window they were fitted to, and say "
        "nothing beyond it."
    )


def times(ratio: float) -> str:
    """Write a ratio of errors: three digits, as a power of ten where it has exploded."""
    return shown(float(ratio), 3) if ratio < 1e4 else scientific(ratio, 2)
