"""Runs of one thing: whether curves are, and what to call each of them."""

from __future__ import annotations

from collections.abc import Sequence

from theory.curve import Curve


def run_names(curves: Sequence[Curve]) -> tuple[str, ...]:
    """Check that curves are runs of one thing, and name them: by label or hash, else by number.

    Raises
    ------
    ValueError
        If they differ in observable, unit or progress.
    """
    first = curves[0]
    for curve in curves[1:]:
        for what in ("observable", "unit", "progress"):
            one, other = getattr(first, what), getattr(curve, what)
            if one != other:
                raise ValueError(f"runs must share their {what}; got {one!r} and {other!r}.")
    names = tuple(curve.run or curve.run_id for curve in curves)
    if len(set(names)) < len(names) or "" in names:
        return tuple(f"run {i}" for i in range(len(curves)))
    return names
