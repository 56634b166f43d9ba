"""A ladder: onset times over a condition, with each mechanism's predicted curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from papers.figures.axes import log_value_axis
from papers.figures.drawing import INK, SERIES, WIDTH, Drawing, canvas, inline_svg
from papers.figures.key import Key, dot_key, line_key, triangle_key
from papers.figures.ladder_table import drawn, onsets_table
from papers.wording import PROGRESS, plural, short, words

HEIGHT, PANEL = 2.3, 3.2
Entry = Mapping[str, Any]


def ladder_drawing(ladder: Entry, key: str) -> Drawing:
    """Draw one entry of ``ladders`` of a results document, one panel a facet."""
    title, takeaway = ladder["title"], takeaway_of(ladder)
    facets = list(dict.fromkeys(onset.get("facet", "") for onset in ladder["onsets"])) or [""]
    series = _series(ladder)
    several = len(facets) > 1
    panels = []
    for i, facet in enumerate(facets):
        width, top = (PANEL, 0.26) if several else (WIDTH, 0.1)
        with canvas(HEIGHT, width=width, top=top) as figure:
            axes = figure.add_subplot()
            for prediction in _of(drawn(ladder), facet):
                _prediction(axes, prediction, *series[prediction["mechanism"]])
            _onsets(axes, _of(ladder["onsets"], facet), ladder)
            _scales(axes, ladder)
            axes.set_title(facet, loc="left")
            axes.set_ylabel(_quantity(ladder))
            name = f"{title}: {facet}" if several else title
            own = f"{key}-{i + 1}" if several else key
            panels.append(inline_svg(figure, own, name, takeaway))
    return Drawing(title, takeaway, tuple(panels), _keys(ladder, series), (onsets_table(ladder),))


def takeaway_of(ladder: Entry) -> str:
    """Say what the points and lines are; the verdict stands beside the figure."""
    onsets = ladder["onsets"]
    rungs = len({onset["condition"] for onset in onsets})
    censored = sum(onset["upper"] is None for onset in onsets)
    where = f"{plural(rungs, 'value')} of {words(ladder['condition'])}"
    said = [
        f"{plural(len(onsets), 'run')} at {where}; a bar is the bracket between two checkpoints"
    ]
    if censored:
        said.append(f"; {censored} had not switched when training ended (open triangles)")
    predictions = drawn(ladder)
    anchors = {p["anchor"] for p in predictions if p.get("anchor") is not None}
    if anchors:
        at = ", ".join(f"{anchor:g}" for anchor in sorted(anchors))
        said.append(
            f". The lines pass through the median run at {words(ladder['condition'])} = {at} by "
            "construction"
        )
    elif predictions:
        clocked = any(score.get("clock") is not None for score in ladder["scores"])
        fitted = (
            "times its fitted clock factor" if clocked else "its unknowns at their fitted means"
        )
        said.append(
            f". A line is the median that a mechanism predicts at these conditions, {fitted}"
        )
    return "".join(said) + "."


def _series(ladder: Entry) -> dict[str, tuple[str, Any]]:
    """Give each mechanism a color: sorted, so that it keeps it from one ladder to the next."""
    mechanisms = sorted({p["mechanism"] for p in ladder["predictions"]})
    return {name: SERIES[i % len(SERIES)][:2] for i, name in enumerate(mechanisms)}


def _keys(ladder: Entry, series: Mapping[str, tuple[str, Any]]) -> tuple[Key, ...]:
    shown = {prediction["mechanism"] for prediction in drawn(ladder)}
    keys = [line_key(words(name), *series[name]) for name in sorted(shown)]
    if any(onset["upper"] is not None for onset in ladder["onsets"]):
        keys.append(dot_key("runs, with their brackets", INK))
    if any(onset["upper"] is None for onset in ladder["onsets"]):
        keys.append(triangle_key("runs that had not switched at their last checkpoint", INK))
    return tuple(keys)


def _of(entries: Sequence[Entry], facet: str) -> list[Entry]:
    return [entry for entry in entries if entry.get("facet", "") == facet]


def _quantity(ladder: Entry) -> str:
    unit = f" ({PROGRESS.get(ladder['unit'], ladder['unit'])})" if ladder.get("unit") else ""
    return f"{words(ladder['quantity'])}{unit}"


def _prediction(axes: Any, prediction: Entry, color: str, style: Any) -> None:
    x, median = _numbers(prediction["condition"]), _numbers(prediction["median"])
    axes.plot(x, median, color=color, ls=style)


def _numbers(values: Any) -> Any:
    """Turn null (no onset predicted there) into a gap of the line."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _onsets(axes: Any, onsets: Sequence[Entry], ladder: Entry) -> None:
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
        axes.plot(x, middle, "o", ms=2.6, mfc=INK, mec="none", alpha=0.8)
    if censored:
        x = _spread([onset["condition"] for onset in censored], ladder)
        at = [onset["lower"] for onset in censored]
        axes.plot(x, at, "^", ms=4, mfc="none", mec=INK, mew=0.8, alpha=0.9)


def _spread(values: Any, ladder: Entry) -> Any:
    """Set runs of one rung slightly apart, so that each can be seen."""
    values = np.array(values, dtype=np.float64)
    placed = values.copy()
    rungs = np.unique([onset["condition"] for onset in ladder["onsets"]])
    for rung in rungs:
        members = np.flatnonzero(values == rung)
        shift = np.linspace(-1, 1, members.size) if members.size > 1 else np.zeros(members.size)
        wide = 0.03 * rung if ladder.get("log_condition") else 0.01 * float(np.ptp(rungs) or 1)
        placed[members] = rung + wide * shift
    return placed


def _scales(axes: Any, ladder: Entry) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

    written = FuncFormatter(lambda value, _: short(value))
    if ladder.get("log_condition"):
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter(NullFormatter())
    values = _extent(ladder)
    if ladder.get("log_quantity"):
        log_value_axis(axes, values)
    elif values:
        room = 0.05 * (max(values) - min(values) or 1.0)
        axes.set_ylim(min(values) - room, max(values) + room)
        axes.yaxis.set_major_formatter(written)
    rungs = sorted({onset["condition"] for onset in ladder["onsets"]})
    if 0 < len(rungs) <= 8:
        axes.xaxis.set_major_locator(FixedLocator(rungs))
    axes.xaxis.set_major_formatter(written)
    axes.set_xlabel(words(ladder["condition"]))


def _extent(ladder: Entry) -> list[float]:
    """Return everything drawn along the vertical axis, of all panels: they share it."""
    edges = [onset[edge] for onset in ladder["onsets"] for edge in ("lower", "upper")]
    medians = [median for prediction in drawn(ladder) for median in prediction["median"]]
    return [float(value) for value in (*edges, *medians) if value is not None]
