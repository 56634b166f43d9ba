"""Hypotheses side by side, on threads: their work is mostly array operations, which let go."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(
    function: Callable[[Item], Result], items: Iterable[Item], *, workers: int
) -> list[Result]:
    """Return the function of every item, in order; the result does not depend on `workers`."""
    items = list(items)
    if workers < 2 or len(items) < 2:
        return [function(item) for item in items]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(function, items))
