"""What the leading form was expected to look like, beside what was observed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from papers.figures.axes import progress_axis, value_axis
from papers.figures.curve import HEIGHT
from papers.figures.drawing import BLUE, FAINT, MUTED, Drawing, canvas, inline_svg
from papers.figures.key import dot_key, line_key
from papers.figures.marks import dots
from papers.tables import Table
from papers.wording import name_of, plural, words

REACH = 1.0
"""How far beyond the observed range the picture goes, in its length."""


def prior_drawing(curve: Mapping[str, Any], key: str) -> Drawing | None:
    """Draw curves from the prior of the heaviest form, and the data; None where there are none."""
    prior = curve.get("prior")
    if not prior:
        return None
    title = f"{name_of(curve)}: before the data"
    takeaway = takeaway_of(curve)
    t, y = np.array(curve["t"]), np.array(curve["y"])
    grid, length = np.array(prior["t"]), float(np.ptp(y)) or 1.0
    low, high = y.min() - REACH * length, y.max() + REACH * length
    with canvas(HEIGHT) as figure:
        axes = figure.subplots()
        band = (np.clip(prior[name], low, high) for name in ("lower", "upper"))
        axes.fill_between(grid, *band, color=FAINT, alpha=0.45, lw=0)
        for values in prior["draws"]:
            axes.plot(grid, values, color=BLUE, lw=0.8, alpha=0.7)
        dots(axes, t, y, color=MUTED, size=2.6 if t.size <= 80 else 1.7)
        progress_axis(axes, t, curve["progress"])
        value_axis(axes)
        axes.set_ylabel(curve["observable"])
        axes.set_ylim(low, high)
        svg = inline_svg(figure, key, title, takeaway)
    drawn = plural(len(prior["draws"]), "draw")
    keys = (dot_key("observed", MUTED), line_key(f"{drawn} of the prior", BLUE, "-"))
    return Drawing(title, takeaway, (svg,), keys, (_table(curve),))


def takeaway_of(curve: Mapping[str, Any]) -> str:
    """Say what the prior expected, and how many points it would have covered."""
    prior = curve["prior"]
    t, y = np.array(curve["t"]), np.array(curve["y"])
    lower, upper = (np.interp(t, prior["t"], prior[name]) for name in ("lower", "upper"))
    inside = int(np.sum((y >= lower) & (y <= upper)))
    return (
        f"Curves of {words(prior['form'])}, the heaviest form, as its prior has them, without "
        f"noise, and (grey) where 95 % of them lie at each time: {inside} of the "
        f"{plural(y.size, 'point')} observed are there. The prior knows the range of y and the "
        "times, and nothing else of this curve."
    )


def _table(curve: Mapping[str, Any]) -> Table:
    prior = curve["prior"]
    names = ("t", "2.5 %", "97.5 %", *(f"draw {i + 1}" for i in range(len(prior["draws"]))))
    columns = (prior["t"], prior["lower"], prior["upper"], *prior["draws"])
    rows = tuple(tuple(map(float, row)) for row in zip(*columns, strict=True))
    return Table(f"Prior curves of {name_of(curve)}", names, rows)
