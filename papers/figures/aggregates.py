"""Aggregates over runs: single runs with the mean over them, profiles, and onsets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from papers.figures.axes import progress_axis, value_axis
from papers.figures.drawing import MUTED, SERIES, Drawing, canvas, inline_svg
from papers.figures.key import Key, line_key
from papers.sections.aggregates import measures_table
from papers.wording import words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Entry = Mapping[str, Any]
HEIGHT = 2.4
DASHES = (0, (5, 2))


def aggregates_drawing(entry: Entry, key: str) -> Drawing:
    """Draw an entry ``aggregates``: a panel of curves a group, one of profiles, one of onsets."""
    title = f"{entry['observable']} over runs"
    takeaway = _takeaway(entry)
    panels = []
    for i, group in enumerate(entry["groups"]):
        if group["curve"] is None:
            continue
        with canvas(HEIGHT, top=0.25) as figure:
            axes = figure.add_subplot()
            _runs(axes, group, entry["progress"], color_of(i))
            axes.set_title(group["name"], loc="left")
            axes.set_ylabel(words(entry["observable"]))
            name = f"{title}: {group['name']}"
            panels.append(inline_svg(figure, f"{key}-curve-{i + 1}", name, takeaway))
    for what, draw in (("profiles", _profiles), ("onsets", _onsets)):
        with canvas(HEIGHT, top=0.25) as figure:
            axes = figure.add_subplot()
            draw(axes, entry)
            panels.append(inline_svg(figure, f"{key}-{what}", f"{title}: {what}", takeaway))
    return Drawing(title, takeaway, tuple(panels), _keys(entry), (measures_table(entry),))


def color_of(i: int) -> str:
    """Return the color of a group."""
    return SERIES[i % len(SERIES)][0]


def style_of(i: int) -> Any:
    """Return the line style of a group, which tells it apart without color."""
    return SERIES[i % len(SERIES)][1]


def _takeaway(entry: Entry) -> str:
    warned = [group["name"] for group in entry["groups"] if group["differ"]]
    told = [one["differ"] for g in entry["groups"] for one in g["likenesses"]]
    if warned:
        said = (
            f"the runs of {', '.join(warned)} differ in kind, so that their mean (dashed) is none "
            "of them"
        )
    elif None in told:
        said = "whether runs of a group differ in kind cannot be told everywhere"
    else:
        said = "no sign was found that runs of a group differ in kind"
    return (
        f"Single runs (thin) with the interquartile mean over them (thick): {said}. Then the share "
        "of runs above each score, and the share of runs whose onset has happened; bands are "
        "pointwise 95 % intervals."
    )


def _keys(entry: Entry) -> tuple[Key, ...]:
    lines = [
        line_key(
            group["name"], color_of(i), style_of(i), band=group["profile"]["lower"] is not None
        )
        for i, group in enumerate(entry["groups"])
    ]
    return (line_key("a single run", MUTED), *lines)


def _runs(axes: Axes, group: Entry, progress: str, color: str) -> None:
    """Draw every single run, and the mean over them; dashed where it is none of them."""
    curve = group["curve"]
    for run in curve["runs"]:
        axes.plot(curve["t"], run, color=MUTED, lw=0.6, alpha=0.7)
    differ = group["differ"]
    if curve["lower"] is not None:
        axes.fill_between(curve["t"], curve["lower"], curve["upper"], color=color, alpha=0.15, lw=0)
    axes.plot(curve["t"], curve["iqm"], color=color, lw=1.8, ls=DASHES if differ else "-")
    progress_axis(axes, curve["t"], progress)
    value_axis(axes)


def _profiles(axes: Axes, entry: Entry) -> None:
    for i, group in enumerate(entry["groups"]):
        profile, color = group["profile"], color_of(i)
        t = profile["thresholds"]
        if profile["lower"] is not None:
            axes.fill_between(
                t, profile["lower"], profile["upper"], color=color, alpha=0.15, lw=0, step="post"
            )
        axes.step(t, profile["share"], where="post", color=color, ls=style_of(i))
    axes.set_title("Profiles", loc="left")
    axes.set_xlabel(f"score ({words(entry['observable'])})")
    axes.set_ylabel("share of runs above")
    axes.set_ylim(-0.02, 1.02)
    value_axis(axes)


def _onsets(axes: Axes, entry: Entry) -> None:
    """Draw the share of runs whose onset has happened; one line a group and task."""
    ends = [
        t
        for g in entry["groups"]
        for t in (*(t for one in g["onsets"] for t in one["t"]), *(g["curve"] or {"t": ()})["t"])
    ]
    last = max(ends, default=1.0)
    for i, group in enumerate(entry["groups"]):
        for one in group["onsets"]:
            t = [0.0, *one["t"], last]
            share = [0.0, *one["share"], one["share"][-1] if one["share"] else 0.0]
            axes.step(t, share, where="post", color=color_of(i), ls=style_of(i))
            known = [
                row for row in zip(one["t"], one["lower"], one["upper"], strict=True)
                if None not in row
            ]  # fmt: skip
            if known:
                begin, lower, upper = zip(*known, strict=True)
                gone_on = [k for k in one["t"] if k > begin[-1]] or [last]
                axes.fill_between(
                    [*begin, gone_on[0]],
                    [*lower, lower[-1]],
                    [*upper, upper[-1]],
                    color=color_of(i),
                    alpha=0.15,
                    lw=0,
                    step="post",
                )
    progress_axis(axes, [0.0, last], entry["progress"])
    axes.set_title("Onsets", loc="left")
    axes.set_ylabel("share of runs past their onset")
    axes.set_ylim(-0.02, 1.02)
    value_axis(axes)
