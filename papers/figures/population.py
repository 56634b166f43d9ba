"""Runs as draws from a population: each run's interval by itself and pooled, and the population."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from papers.figures.drawing import BLUE, INK, MUTED, Drawing, canvas, inline_svg
from papers.figures.key import dot_key, line_key
from papers.sections.parameters import unit_of
from papers.sections.population import runs_table
from papers.wording import plural, short, short_names, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Entry = Mapping[str, Any]
WIDTH, ROW, MARGINS = 3.2, 0.2, 0.75
DASHES = (0, (5, 2))
LETTER = 0.06
"""Inches that a letter of a run's name takes."""

LONGEST = 24
ROOM = 0.35
"""Part of the pooled intervals' extent that stays free beside them."""


def population_drawing(entry: Entry, key: str) -> Drawing | None:
    """Draw the pooled fit of an entry of ``populations``, a panel a parameter; None without one."""
    pooled, table = entry.get("pooled"), runs_table(entry)
    if not pooled or table is None:
        return None
    title = f"Runs of {entry['observable']} by themselves and pooled"
    takeaway = _takeaway(pooled)
    names = short_names([run["run"] for run in pooled["runs"]])
    labels = [_cut(names[run["run"]]) for run in pooled["runs"]]
    panels = []
    for i, parameter in enumerate(pooled["parameters"]):
        if parameter["median"] is None:
            continue
        with canvas(MARGINS + ROW * len(labels), width=WIDTH, top=0.25) as figure:
            left = 0.15 + LETTER * max(len(label) for label in labels)
            figure.subplots_adjust(left=left / WIDTH)
            axes = figure.add_subplot()
            _panel(axes, pooled, parameter, labels)
            unit = unit_of(pooled["form"], parameter["name"], entry)
            axes.set_title(words(parameter["name"]), loc="left")
            axes.set_xlabel("" if unit == "1" else unit)
            name = f"{title}: {words(parameter['name'])}"
            panels.append(inline_svg(figure, f"{key}-{i + 1}", name, takeaway))
    if not panels:
        return None
    keys = (
        dot_key("a run by itself", MUTED),
        dot_key("the run pooled with the others", BLUE),
        line_key("median of the population", INK, DASHES, band=True),
    )
    return Drawing(title, takeaway, tuple(panels), keys, (table,))


def _takeaway(pooled: Entry) -> str:
    return (
        f"{plural(len(pooled['runs']), 'run')} under {words(pooled['form'])}, with 95 % intervals: "
        "by itself (grey), and pooled (blue), where what it leaves open is filled in from the "
        "others. Intervals that reach beyond a panel are cut at its edge."
    )


def _cut(label: str) -> str:
    return label if len(label) <= LONGEST else f"{label[: LONGEST - 1]}…"


def _panel(axes: Axes, pooled: Entry, parameter: Entry, labels: list[str]) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    name, median = parameter["name"], parameter["median"]
    low, high = _extent(pooled, parameter)
    axes.axvspan(median["lower"], median["upper"], color=INK, alpha=0.08, lw=0)
    axes.axvline(median["value"], color=INK, ls=DASHES, lw=0.9)
    for i, run in enumerate(pooled["runs"]):
        for key, color, shift in (("single", MUTED, -0.16), ("pooled", BLUE, 0.16)):
            found = run[key].get(name)
            if found is None or found["value"] is None:
                continue
            # An end without a limit goes on beyond the panel.
            ends = (found["lower"], found["upper"])
            first, last = (
                e if e is not None else o for e, o in zip(ends, (low, high), strict=True)
            )
            axes.plot([first, last], [i + shift] * 2, color=color, lw=1.0, solid_capstyle="butt")
            axes.plot([found["value"]], [i + shift], "o", ms=2.6, color=color)
    axes.set_xlim(low, high)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_yticks(range(len(labels)), labels)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))


def _extent(pooled: Entry, parameter: Entry) -> tuple[float, float]:
    """Return what a panel shows: the pooled intervals and the population, and some room."""
    shown = [parameter["median"], *(run["pooled"].get(parameter["name"]) for run in pooled["runs"])]
    edges = [one[end] for one in shown if one for end in ("value", "lower", "upper")]
    known = [float(edge) for edge in edges if edge is not None]
    low, high = min(known), max(known)
    room = ROOM * (high - low or abs(high) or 1.0)
    return low - room, high + room
