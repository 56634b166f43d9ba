"""A curve with its best forms and the credible band of the best."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from papers.figures.drawing import (
    BLUE,
    MUTED,
    SERIES,
    Drawing,
    bars,
    canvas,
    dots,
    inline_svg,
    legend,
    progress_axis,
    short,
    value_axis,
)
from papers.tables import Table

HEIGHT = 2.75
MOST_ROWS = 200
LONGEST_LABEL = 40


def curve_drawing(curve: Mapping[str, Any], key: str, *, most_rows: int = MOST_ROWS) -> Drawing:
    """Draw one entry of ``curves`` of a results document; its table is thinned to `most_rows`."""
    title = f"{name_of(curve)}: points and best forms"
    takeaway = takeaway_of(curve)
    with canvas(HEIGHT) as figure:
        axes = figure.add_subplot()
        t, y = np.array(curve["t"]), np.array(curve["y"])
        if curve.get("y_se"):
            y_se = np.array(curve["y_se"])
            bars(axes, t, y - y_se, y + y_se, color=MUTED, width=0.5)
        size = 2.6 if t.size <= 80 else 1.7
        entries = {"observed": dots(axes, t, y, color=MUTED, size=size)}
        entries |= _forms(axes, curve.get("best"))
        progress_axis(axes, t, curve["progress"])
        value_axis(axes)
        axes.set_ylabel(_label(curve))
        axes.margins(y=0.06)
        legend(figure, entries, columns=len(entries) if len(entries) < 4 else 2)
        svg = inline_svg(figure, key, title, takeaway)
    return Drawing(title, takeaway, svg, points_table(curve, most_rows))


def name_of(curve: Mapping[str, Any]) -> str:
    """Name a curve as a reader would: its observable and its run."""
    run = curve["run"] or curve["run_id"]
    return f"{curve['observable']} · {run}" if run else str(curve["observable"])


def _label(curve: Mapping[str, Any]) -> str:
    unit = f" ({curve['unit']})" if curve.get("unit") else ""
    label = f"{curve['observable']}{unit}"
    return label if len(label) <= LONGEST_LABEL else f"…{label[1 - LONGEST_LABEL :]}"


def _forms(axes: Any, best: Mapping[str, Any] | None) -> dict[str, Any]:
    if not best:
        return {}
    t = np.array(best["t"])
    lower, upper = np.array(best["lower"]), np.array(best["upper"])
    axes.fill_between(t, lower, upper, color=BLUE, alpha=0.2, lw=0, zorder=1)
    has_band = bool((upper > lower).any())
    forms = [{"form": best["form"], "median": best["median"]}, *best.get("others", [])]
    entries = {}
    for i, form in enumerate(forms[:3]):
        color, style, _ = SERIES[i]
        label = form["form"].replace("_", " ") + (", 95 % band" if i == 0 and has_band else "")
        (entries[label],) = axes.plot(t, form["median"], color=color, ls=style, zorder=6 - i)
    return entries


def takeaway_of(curve: Mapping[str, Any]) -> str:
    """Say in a sentence what the curve does and what the comparison made of it."""
    best, verdict = curve.get("best"), curve["verdict"]
    first, last = curve["y"][0], curve["y"][-1]
    if best:
        first, last = best["median"][0], best["median"][-1]
        if "transient" in verdict.get("families", ()):
            peak = max(best["median"], key=lambda value: abs(value - first))
            said = f"goes from {short3(first)} over {short3(peak)} to {short3(last)}"
        else:
            said = f"goes from {short3(first)} to {short3(last)}"
        form = best["form"].replace("_", " ")
        return f"{curve['observable']} {said}; the best form is {form}. {verdict['reason']}"
    return f"{curve['observable']} goes from {short3(first)} to {short3(last)}. {verdict['reason']}"


def short3(value: float) -> str:
    """Write a value with three significant digits."""
    return short(float(f"{value:.3g}"))


def points_table(curve: Mapping[str, Any], most_rows: int = MOST_ROWS) -> Table:
    """Return the observed points beside the best form, thinned where there are very many."""
    t, best = np.array(curve["t"]), curve.get("best")
    columns, series = ["t", "observed"], [t, np.array(curve["y"])]
    if curve.get("y_se"):
        columns.append("se")
        series.append(np.array(curve["y_se"]))
    if best:
        columns += [best["form"].replace("_", " "), "lower", "upper"]
        series += [np.interp(t, best["t"], best[k]) for k in ("median", "lower", "upper")]
    step = -(-t.size // most_rows)
    every = f", every {step}. point" if step > 1 else ""
    rows = tuple(tuple(float(v) for v in row) for row in list(zip(*series, strict=True))[::step])
    return Table(f"Points of {name_of(curve)}{every}", tuple(columns), rows)
