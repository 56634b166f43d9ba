"""Words for what reading did: counts with their nouns, and names in a row that stays short."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

SHOWN = 6


def counted(n: int, noun: str) -> str:
    """Return a count with its noun: "1 point", "3 points"."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def listed(names: Iterable[str], shown: int = SHOWN) -> str:
    """Return names in a row; beyond the first few they are counted."""
    names = list(names)
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def tally(counts: Mapping[str, int]) -> str:
    """Return names in a row, each with its count."""
    return listed(f"{name} ({n})" for name, n in counts.items())
