"""When observables form in every run: intervals on the progress axis, a panel a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from papers.figures.axes import progress_axis
from papers.figures.drawing import MUTED, SERIES, Drawing, canvas, inline_svg
from papers.figures.key import Key, line_key, triangle_key
from papers.tables import Table
from papers.wording import PROGRESS, plural, short_names

Entry = Mapping[str, Any]
MOST_RUNS = 12
ROW, FRAME, PANEL = 0.15, 0.75, 3.2
TIMES = {"onset": "onset (10 % of the first stage)", "midpoint": "midpoint of the largest stage"}


def order_drawings(orders: Entry, curves: Sequence[Entry], key: str) -> list[Drawing]:
    """Draw the times of formation, a figure for each progress axis, a panel for either time."""
    axes = dict.fromkeys(formed["progress"] for formed in orders["formations"])
    return [_drawing(orders, curves, name, f"{key}-{i + 1}") for i, name in enumerate(axes)]


def _drawing(orders: Entry, curves: Sequence[Entry], progress: str, key: str) -> Drawing:
    formations = [f for f in orders["formations"] if f["progress"] == progress]
    runs = list(dict.fromkeys(f["run"] for f in formations))
    observables = list(dict.fromkeys(f["observable"] for f in formations))
    series = {name: SERIES[i % len(SERIES)] for i, name in enumerate(observables)}
    longest = max(
        (curve["t"] for curve in curves if curve["progress"] == progress), key=lambda t: t[-1]
    )
    title = f"When observables form, in {PROGRESS.get(progress, 'training progress')}"
    takeaway = _takeaway(formations, runs)
    panels = []
    for quantity, said in TIMES.items():
        rows = _rows([f for f in formations if f["quantity"] == quantity], runs[:MOST_RUNS])
        height = FRAME + ROW * (rows[-1][0] + 1)
        with canvas(height, width=PANEL, top=0.26) as figure:
            axes = figure.add_subplot()
            progress_axis(axes, longest, progress, ticks=4)
            _draw(axes, rows, series, short_names(runs), float(longest[-1]))
            axes.set_title(said, loc="left")
            panels.append(inline_svg(figure, f"{key}-{quantity}", f"{title}: {said}", takeaway))
    table = formations_table(formations)
    return Drawing(title, takeaway, tuple(panels), _keys(formations, series), (table,))


def _rows(formations: Sequence[Entry], runs: Sequence[str]) -> list[tuple[int, str, Entry | None]]:
    """Return rows from the top: the name of each run, then its observables."""
    rows: list[tuple[int, str, Entry | None]] = []
    for run in runs:
        rows.append((len(rows), run, None))
        rows += [
            (len(rows) + i, run, formed)
            for i, formed in enumerate(f for f in formations if f["run"] == run)
        ]
    return rows


def _draw(
    axes: Any,
    rows: Sequence[tuple[int, str, Entry | None]],
    series: Mapping[str, tuple[str, Any, str]],
    names: Mapping[str, str],
    end: float,
) -> None:
    """Draw an interval and its median, or a triangle at the end where it likely never forms."""
    for place, run, formed in rows:
        if formed is None:
            axes.text(0.01, place, names[run], transform=axes.get_yaxis_transform(), va="center",
                      color=MUTED, fontsize=7.5)  # fmt: skip
            continue
        color, _, marker = series[formed["observable"]]
        time = formed["time"]
        if _is_absent(formed):
            axes.plot(end, place, "^", ms=4, mfc="none", mec=color, mew=0.9, clip_on=False)
        else:
            axes.hlines(place, time["lower"], time["upper"], colors=color, linewidths=1.2)
            axes.plot(time["value"], place, marker, ms=3.2, mfc=color, mec="none")
    axes.set_ylim(len(rows) - 0.4, -0.8)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)


def _is_absent(formed: Entry) -> bool:
    return formed["time"] is None or bool(formed["never"] >= 0.5)


def _keys(
    formations: Sequence[Entry], series: Mapping[str, tuple[str, Any, str]]
) -> tuple[Key, ...]:
    keys = [line_key(name, color) for name, (color, _, _) in series.items()]
    if any(_is_absent(formed) for formed in formations):
        keys.append(triangle_key("more probably does not form", MUTED))
    return tuple(keys)


def _takeaway(formations: Sequence[Entry], runs: Sequence[str]) -> str:
    said = (
        "Posterior medians of the times of formation with their 95 % intervals, given that the "
        "observable forms within the window, averaged over all shapes and forms"
    )
    more = len(runs) - MOST_RUNS
    if more > 0:
        said += f"; {plural(more, 'more run')} in the numbers below"
    return f"{said}."


def formations_table(formations: Sequence[Entry]) -> Table:
    """Return when each observable forms in each run."""
    edges = ("value", "lower", "upper")
    rows = tuple(
        (
            formed["observable"],
            formed["run"],
            formed["quantity"],
            *(None if formed["time"] is None else formed["time"][edge] for edge in edges),
            formed["never"],
        )
        for formed in formations
    )
    columns = ("observable", "run", "by", "median", "2.5 %", "97.5 %", "never")
    return Table("Times of formation", columns, rows, decimals={"never": 2})
