"""Several observables of the same runs over training, one panel a rung."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from papers.figures.drawing import (
    SERIES,
    Drawing,
    canvas,
    inline_svg,
    legend,
    progress_axis,
    value_axis,
)
from papers.tables import Table

COLUMNS = 3


def development_drawing(
    development: Mapping[str, Any], curves: Sequence[Mapping[str, Any]], key: str
) -> Drawing | None:
    """Draw one entry of ``developments``: every run its own line, never an average.

    Parameters
    ----------
    development : mapping
        ``title``, ``condition``, ``observables`` and ``takeaway``.
    curves : sequence of mapping
        The ``curves`` of the results document, from which the lines are picked.
    key : str
        Prefix of identifiers.
    """
    condition, observables = development["condition"], development["observables"]
    picked = [
        curve
        for curve in curves
        if curve["observable"] in observables and condition in curve["conditions"]
    ]
    rungs = sorted({curve["conditions"][condition] for curve in picked})
    if not rungs:
        return None
    columns = min(COLUMNS, len(rungs))
    rows = -(-len(rungs) // columns)
    with canvas(0.5 + 1.8 * rows, width=2.2 + 2.0 * (columns - 1)) as figure:
        grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
        for i, axes in enumerate(grid.flat):
            if i >= len(rungs):
                axes.set_visible(False)
                continue
            inside = [curve for curve in picked if curve["conditions"][condition] == rungs[i]]
            _panel(axes, inside, observables)
            axes.set_title(f"{condition.replace('_', ' ')} = {rungs[i]:g}", loc="left")
            if i < len(rungs) - columns:
                axes.set_xlabel("")
        handles, labels = grid.flat[0].get_legend_handles_labels()
        figure.subplots_adjust(wspace=0.1, hspace=0.4)
        legend(figure, dict(zip(labels, handles, strict=True)), columns=3, below=0.18)
        svg = inline_svg(figure, key, development["title"], development["takeaway"])
    return Drawing(development["title"], development["takeaway"], svg, _ends(picked, condition))


def _panel(axes: Any, curves: Sequence[Mapping[str, Any]], observables: Sequence[str]) -> None:
    for i, observable in enumerate(observables):
        color, style, _ = SERIES[i % len(SERIES)]
        shown = [curve for curve in curves if curve["observable"] == observable]
        for j, curve in enumerate(shown):
            label = observable if j == 0 else None
            axes.plot(
                curve["t"], curve["y"], color=color, ls=style, lw=1.0, alpha=0.85, label=label
            )
    longest = max(curves, key=lambda curve: curve["t"][-1])
    progress_axis(axes, longest["t"], longest["progress"], ticks=3)
    value_axis(axes)


def _ends(curves: Sequence[Mapping[str, Any]], condition: str) -> Table:
    rows = tuple(
        (
            curve["conditions"][condition],
            curve["run"],
            curve["observable"],
            float(curve["y"][0]),
            float(min(curve["y"])),
            float(max(curve["y"])),
            float(curve["y"][-1]),
        )
        for curve in sorted(
            curves, key=lambda c: (c["conditions"][condition], c["run"], c["observable"])
        )
    )
    columns = (condition.replace("_", " "), "run", "observable", "first", "least", "most", "last")
    return Table("Ends and extremes of every curve", columns, rows)
