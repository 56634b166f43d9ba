"""A curve with the average over its candidates, the credible band, and its heaviest forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from papers.figures.axes import progress_axis, value_axis
from papers.figures.drawing import BLUE, MUTED, SERIES, Drawing, canvas, inline_svg
from papers.figures.key import Key, dot_key, line_key
from papers.figures.marks import bars, dots
from papers.tables import Table
from papers.wording import name_of, short3, words

HEIGHT = 2.5
MOST_ROWS = 200
LONGEST_LABEL = 40
TURN = 0.1
"""Share of a curve's range by which it must pass both ends to be said to turn."""


def curve_drawing(curve: Mapping[str, Any], key: str, *, most_rows: int = MOST_ROWS) -> Drawing:
    """Draw one entry of ``curves`` of a results document; its table is thinned to `most_rows`."""
    title = f"{name_of(curve)}: points and fitted curves"
    takeaway = takeaway_of(curve)
    with canvas(HEIGHT) as figure:
        axes = figure.add_subplot()
        t, y = np.array(curve["t"]), np.array(curve["y"])
        if curve.get("y_se"):
            y_se = np.array(curve["y_se"])
            bars(axes, t, y - y_se, y + y_se, color=MUTED, width=0.5)
        dots(axes, t, y, color=MUTED, size=2.6 if t.size <= 80 else 1.7)
        keys = [dot_key("observed", MUTED), *_fitted(axes, curve.get("fitted"))]
        progress_axis(axes, t, curve["progress"])
        value_axis(axes)
        axes.set_ylabel(_label(curve))
        axes.margins(y=0.06)
        svg = inline_svg(figure, key, title, takeaway)
    return Drawing(title, takeaway, (svg,), tuple(keys), (points_table(curve, most_rows),))


def _label(curve: Mapping[str, Any]) -> str:
    unit = f" ({curve['unit']})" if curve.get("unit") else ""
    label = f"{curve['observable']}{unit}"
    return label if len(label) <= LONGEST_LABEL else f"…{label[1 - LONGEST_LABEL :]}"


def _fitted(axes: Any, fitted: Mapping[str, Any] | None) -> list[Key]:
    """Draw the average with its band, and the forms that weigh most."""
    if not fitted:
        return []
    keys, series = [], list(SERIES)
    t, average = _numbers(fitted["t"]), fitted["average"]
    if average:
        lower, upper, median = (_numbers(average[k]) for k in ("lower", "upper", "median"))
        axes.fill_between(t, lower, upper, color=BLUE, alpha=0.2, lw=0, zorder=1)
        color, style, _ = series.pop(0)
        axes.plot(t, median, color=color, ls=style, zorder=7)
        keys.append(line_key("average over all candidates, 95 % band", color, style, band=True))
    for i, form in enumerate(fitted["forms"]):
        color, style, _ = series[i % len(series)]
        axes.plot(t, _numbers(form["median"]), color=color, ls=style, lw=1.1, zorder=6 - i)
        keys.append(line_key(_weighed(form), color, style))
    return keys


def _weighed(form: Mapping[str, Any]) -> str:
    weight = form["weight"]
    return words(form["form"]) + ("" if weight is None else f" (weight {weight:.2f})")


def _numbers(values: Any) -> Any:
    """Turn null (not finite there) into a gap of the line."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def takeaway_of(curve: Mapping[str, Any]) -> str:
    """Say in a sentence or two what the curve does, and which forms weigh most."""
    fitted = curve.get("fitted")
    if not fitted or not fitted["average"]:
        first, last = curve["y"][0], curve["y"][-1]
        return f"{curve['observable']} goes from {short3(first)} to {short3(last)}."
    course = _course(_numbers(fitted["average"]["median"]))
    forms = [_weighed(form) for form in fitted["forms"]]
    which = "The heaviest form is" if len(forms) == 1 else "The heaviest forms are"
    return (
        f"Averaged over the candidates by their weights, {curve['observable']} goes {course}. "
        f"{which} {', '.join(forms)}."
    )


def _course(values: Any) -> str:
    """Say where a curve begins, turns and ends."""
    values = values[np.isfinite(values)]
    if not values.size:
        return "where nothing is finite"
    first, last = float(values[0]), float(values[-1])
    top, bottom, far = float(values.max()), float(values.min()), TURN * float(np.ptp(values))
    if top > max(first, last) + far:
        return f"from {short3(first)} up to {short3(top)} and ends at {short3(last)}"
    if bottom < min(first, last) - far:
        return f"from {short3(first)} down to {short3(bottom)} and ends at {short3(last)}"
    return f"from {short3(first)} to {short3(last)}"


def points_table(curve: Mapping[str, Any], most_rows: int = MOST_ROWS) -> Table:
    """Return the observed points beside every drawn line, thinned where there are very many."""
    t, fitted = np.array(curve["t"]), curve.get("fitted")
    columns = [words(curve["progress"]) if curve["progress"] != "unspecified" else "t", "observed"]
    series = [t, np.array(curve["y"])]
    if curve.get("y_se"):
        columns.append("se")
        series.append(np.array(curve["y_se"]))
    if fitted:
        grid = _numbers(fitted["t"])
        for name, values in _lines(fitted):
            columns.append(name)
            series.append(np.interp(t, grid, _numbers(values)))
    step = -(-t.size // most_rows)
    every = f", every {step}. point" if step > 1 else ""
    rows = tuple(
        tuple(float(v) if np.isfinite(v) else None for v in row)
        for row in list(zip(*series, strict=True))[::step]
    )
    return Table(f"Points of {name_of(curve)}{every}", tuple(columns), rows)


def _lines(fitted: Mapping[str, Any]) -> list[tuple[str, Any]]:
    average = fitted["average"]
    names = (("average", "median"), ("2.5 %", "lower"), ("97.5 %", "upper"))
    lines = [(name, average[k]) for name, k in names] if average else []
    return lines + [(words(form["form"]), form["median"]) for form in fitted["forms"]]
