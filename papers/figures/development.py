"""Several observables of the same runs over training, one panel a rung."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from papers.figures.axes import progress_axis, value_axis
from papers.figures.drawing import SERIES, Drawing, canvas, inline_svg
from papers.figures.key import line_key
from papers.tables import Cell, Table
from papers.wording import run_of, words

MOST_ROWS = 400
HEIGHT, PANEL = 2.1, 3.0


def development_drawing(
    development: Mapping[str, Any], curves: Sequence[Mapping[str, Any]], key: str
) -> Drawing | None:
    """Draw one entry of ``developments``: every run its own line, never an average.

    Parameters
    ----------
    development : mapping
        ``title``, ``condition``, ``observables`` and ``takeaway``; ``where``, if it is there, holds
        the conditions of the runs that are meant.
    curves : sequence of mapping
        The ``curves`` of the results document, from which the lines are picked.
    key : str
        Prefix of identifiers.
    """
    condition, observables = development["condition"], development["observables"]
    meant = development.get("where", {}).items()
    picked = [
        curve
        for curve in curves
        if curve["observable"] in observables
        and condition in curve["conditions"]
        and meant <= curve["conditions"].items()
    ]
    rungs = sorted({curve["conditions"][condition] for curve in picked})
    if not rungs:
        return None
    title, takeaway = development["title"], development["takeaway"]
    low = min(min(curve["y"]) for curve in picked)
    high = max(max(curve["y"]) for curve in picked)
    room = 0.05 * ((high - low) or 1.0)
    panels = []
    for i, rung in enumerate(rungs):
        inside = [curve for curve in picked if curve["conditions"][condition] == rung]
        said = f"{words(condition)} = {rung:g}"
        with canvas(HEIGHT, width=PANEL, top=0.26) as figure:
            axes = figure.add_subplot()
            _panel(axes, inside, observables)
            axes.set_ylim(low - room, high + room)
            axes.set_title(said, loc="left")
            panels.append(inline_svg(figure, f"{key}-{i + 1}", f"{title}: {said}", takeaway))
    keys = [
        line_key(observable, *SERIES[i % len(SERIES)][:2])
        for i, observable in enumerate(observables)
    ]
    table = points(picked, condition, observables)
    return Drawing(title, takeaway, tuple(panels), tuple(keys), (table,))


def _panel(axes: Any, curves: Sequence[Mapping[str, Any]], observables: Sequence[str]) -> None:
    for i, observable in enumerate(observables):
        color, style, _ = SERIES[i % len(SERIES)]
        for curve in (curve for curve in curves if curve["observable"] == observable):
            axes.plot(curve["t"], curve["y"], color=color, ls=style, lw=1.0, alpha=0.85)
    longest = max(curves, key=lambda curve: curve["t"][-1])
    progress_axis(axes, longest["t"], longest["progress"], ticks=4)
    value_axis(axes)


def points(
    curves: Sequence[Mapping[str, Any]], condition: str, observables: Sequence[str]
) -> Table:
    """Return every drawn point; where they are too many for a page, ends and extremes."""
    found: dict[tuple[Any, str, float], dict[str, float]] = {}
    for curve in curves:
        for t, y in zip(curve["t"], curve["y"], strict=True):
            place = (curve["conditions"][condition], run_of(curve), float(t))
            found.setdefault(place, {})[curve["observable"]] = float(y)
    if len(found) > MOST_ROWS:
        return _ends(curves, condition)
    rows = tuple((*place, *(found[place].get(o) for o in observables)) for place in sorted(found))
    return Table("All points drawn", (words(condition), "run", "t", *observables), rows)


def _ends(curves: Sequence[Mapping[str, Any]], condition: str) -> Table:
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            curve["conditions"][condition],
            run_of(curve),
            curve["observable"],
            float(curve["y"][0]),
            float(min(curve["y"])),
            float(max(curve["y"])),
            float(curve["y"][-1]),
        )
        for curve in sorted(
            curves, key=lambda c: (c["conditions"][condition], run_of(c), c["observable"])
        )
    )
    columns = (words(condition), "run", "observable", "first", "least", "most", "last")
    caption = "Ends and extremes of every curve drawn; all its points stand with the curve itself"
    return Table(caption, columns, rows)
