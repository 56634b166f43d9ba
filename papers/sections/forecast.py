"""How well the forms foretell the last part of a curve from the first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from papers.tables import scientific, shown

EVEN = 0.05
"""Share by which two errors must differ for one to be called better."""

DIVERGED = 10.0
"""Times the naive error from which an extrapolation has left the curve."""


def forecast(curve: Mapping[str, Any]) -> str:
    """Say how well the last part of the curve was foretold from the first, and what that means."""
    result = curve["forecast"] or {}
    ratio = result.get("rmse_ratio")
    if ratio is None:
        reason = result.get("reason") or ""
        return f"No forecast: {reason[:1].lower()}{reason[1:]}" if reason else ""
    return (
        f"Held against {_part(result)}, the forms {_how(ratio)} the naive forecast "
        f"({result['baseline']}): {times(ratio)} times its error{_alone(result)}."
        f"{_meaning(ratio)}{_inside(result)}"
    )


def _alone(result: Mapping[str, Any]) -> str:
    """Say what the forms do without the naive forecast, with which theirs is averaged."""
    average, best = result.get("average_ratio"), result.get("best_ratio")
    if average is None or best is None:
        return ""
    return (
        f", averaged with it half and half ({times(average)} alone, {times(best)} by the best form "
        "alone)"
    )


def _inside(result: Mapping[str, Any]) -> str:
    if result.get("coverage") is None:
        return ""
    return f" {100 * result['coverage']:.0f} % of the rest lie in its 90 % interval."


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
    if ratio > DIVERGED:
        return (
            " The extrapolation diverges: the forms hold on the window they were fitted to, and "
            "say nothing beyond it."
        )
    return " Do not extrapolate this curve." if ratio > 1 + EVEN else ""


def times(ratio: float) -> str:
    """Write a ratio of errors: three digits, as a power of ten where it has exploded."""
    return shown(float(ratio), 3) if ratio < 1e4 else scientific(ratio, 2)
