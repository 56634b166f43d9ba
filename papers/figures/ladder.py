"""A ladder: onset times over a condition, with each mechanism's predicted curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from papers.figures.drawing import (
    INK,
    PROGRESS,
    SERIES,
    WIDTH,
    Drawing,
    canvas,
    inline_svg,
    legend,
    short,
)
from papers.tables import Table

LONGEST_IN_TWO = 26


def ladder_drawing(ladder: Mapping[str, Any], key: str) -> Drawing:
    """Draw one entry of ``ladders`` of a results document, one panel a facet."""
    title = ladder["title"]
    takeaway = ladder["verdict"]["reason"]
    facets = list(dict.fromkeys(onset.get("facet", "") for onset in ladder["onsets"])) or [""]
    # Sorted, so that a mechanism keeps its color from one ladder to the next.
    mechanisms = sorted({p["mechanism"] for p in ladder["predictions"]})
    longest = max((len(name) for name in mechanisms), default=0)
    columns = len(facets) * (2 if longest <= LONGEST_IN_TWO else 1)
    height = 2.5 + 0.16 * (len(mechanisms) + 2) / columns
    with canvas(height, width=WIDTH if len(facets) == 1 else 3.2 * len(facets)) as figure:
        grid = figure.subplots(1, len(facets), squeeze=False, sharey=True)
        for axes, facet in zip(grid[0], facets, strict=True):
            for prediction in sorted(ladder["predictions"], key=lambda p: str(p["mechanism"])):
                if prediction.get("facet", "") == facet:
                    series = SERIES[mechanisms.index(prediction["mechanism"]) % len(SERIES)]
                    _prediction(axes, prediction, *series[:2])
            onsets = [onset for onset in ladder["onsets"] if onset.get("facet", "") == facet]
            _onsets(axes, onsets, ladder)
            _scales(axes, ladder)
            axes.set_title(facet, loc="left")
        grid[0][0].set_ylabel(_quantity(ladder))
        entries: dict[str, Any] = {}
        for axes in grid[0]:
            handles, labels = axes.get_legend_handles_labels()
            for label, handle in zip(labels, handles, strict=True):
                entries.setdefault(label, handle)
        legend(figure, entries, columns=columns, below=0.16 if len(facets) > 1 else 0)
        svg = inline_svg(figure, key, title, takeaway)
    return Drawing(title, takeaway, svg, onsets_table(ladder))


def _quantity(ladder: Mapping[str, Any]) -> str:
    unit = f" ({PROGRESS.get(ladder['unit'], ladder['unit'])})" if ladder.get("unit") else ""
    return f"{_plain(ladder['quantity'])}{unit}"


def _prediction(axes: Any, prediction: Mapping[str, Any], color: str, style: Any) -> None:
    x, median = _numbers(prediction["condition"]), _numbers(prediction["median"])
    if prediction.get("lower"):
        lower, upper = _numbers(prediction["lower"]), _numbers(prediction["upper"])
        axes.fill_between(x, lower, upper, color=color, alpha=0.14, lw=0)
    axes.plot(x, median, color=color, ls=style, label=_plain(prediction["mechanism"]))


def _numbers(values: Any) -> Any:
    """Turn null (no onset predicted there) into a gap of the line."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _onsets(axes: Any, onsets: Sequence[Mapping[str, Any]], ladder: Mapping[str, Any]) -> None:
    """Draw reached onsets as points with their brackets, censored runs as open triangles."""
    reached = [onset for onset in onsets if onset["upper"] is not None]
    censored = [onset for onset in onsets if onset["upper"] is None]
    if reached:
        x = _spread([onset["condition"] for onset in reached], ladder)
        lower = np.array([onset["lower"] for onset in reached], dtype=np.float64)
        upper = np.array([onset["upper"] for onset in reached], dtype=np.float64)
        middle = np.sqrt(lower * upper) if ladder.get("log_quantity") else (lower + upper) / 2
        middle = np.where(lower > 0, middle, (lower + upper) / 2)
        axes.vlines(x, lower, upper, colors=INK, linewidths=0.6, alpha=0.6)
        axes.plot(x, middle, "o", ms=2.6, mfc=INK, mec="none", alpha=0.8, label="runs")
    if censored:
        x = _spread([onset["condition"] for onset in censored], ladder)
        at = [onset["lower"] for onset in censored]
        label = "runs not switched yet"
        axes.plot(x, at, "^", ms=4, mfc="none", mec=INK, mew=0.8, alpha=0.9, label=label)


def _spread(values: Any, ladder: Mapping[str, Any]) -> Any:
    """Set runs of one rung slightly apart, so that each can be seen."""
    values = np.array(values, dtype=np.float64)
    placed = values.copy()
    rungs = np.unique(values)
    for rung in rungs:
        members = np.flatnonzero(values == rung)
        shift = np.linspace(-1, 1, members.size) if members.size > 1 else np.zeros(1)
        wide = 0.03 * rung if ladder.get("log_condition") else 0.01 * float(np.ptp(rungs) or 1)
        placed[members] = rung + wide * shift
    return placed


def _scales(axes: Any, ladder: Mapping[str, Any]) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

    written = FuncFormatter(lambda value, _: short(value))
    if ladder.get("log_condition"):
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter(NullFormatter())
    if ladder.get("log_quantity"):
        axes.set_yscale("log")
        axes.yaxis.set_minor_formatter(NullFormatter())
    rungs = sorted({onset["condition"] for onset in ladder["onsets"]})
    if 0 < len(rungs) <= 8:
        axes.xaxis.set_major_locator(FixedLocator(rungs))
    axes.xaxis.set_major_formatter(written)
    axes.yaxis.set_major_formatter(written)
    axes.set_xlabel(_plain(ladder["condition"]))


def onsets_table(ladder: Mapping[str, Any]) -> Table:
    """Return the onset brackets of all runs, beside each mechanism's median prediction."""
    mechanisms = list(dict.fromkeys(p["mechanism"] for p in ladder["predictions"]))
    rows = []
    for onset in sorted(ladder["onsets"], key=lambda o: (o.get("facet", ""), o["condition"])):
        predicted = tuple(_at(ladder, mechanism, onset) for mechanism in mechanisms)
        upper = "not reached" if onset["upper"] is None else onset["upper"]
        place = (onset["condition"], onset.get("facet", ""), onset["run"])
        rows.append((*place, onset["lower"], upper, *predicted))
    names = tuple(_plain(mechanism) for mechanism in mechanisms)
    columns = (_plain(ladder["condition"]), "arm", "run", "after", "before", *names)
    return Table(f"{ladder['title']}: {_plain(ladder['quantity'])}", columns, tuple(rows))


def _at(ladder: Mapping[str, Any], mechanism: str, onset: Mapping[str, Any]) -> float | None:
    """Return the predicted median at a rung, where the prediction was made at that rung."""
    here = onset["condition"]
    for prediction in ladder["predictions"]:
        if (prediction["mechanism"], prediction.get("facet", "")) != (
            mechanism,
            onset.get("facet", ""),
        ):
            continue
        for x, median in zip(prediction["condition"], prediction["median"], strict=True):
            if abs(x - here) <= 1e-9 * max(abs(x), abs(here)):
                return None if median is None else float(median)
    return None
