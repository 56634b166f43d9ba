"""The tables of a study: its pages, what each run did, what the probes read at its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from papers.tables import Cell, Table
from papers.wording import between, short3, short_names, words

Entry = Mapping[str, Any]


@final
@dataclass(frozen=True)
class Page:
    """A part of a study: a title, sentences, and tables that bear them out."""

    title: str
    paragraphs: tuple[str, ...]
    tables: tuple[Table, ...]


def pages(study: Entry) -> list[Page]:
    """Return the parts of a study, in order."""
    return [
        Page(page["title"], tuple(page["paragraphs"]), tuple(map(_table, page["tables"])))
        for page in study.get("pages") or []
    ]


def _table(entry: Entry) -> Table:
    return Table(entry["caption"], tuple(entry["columns"]), tuple(map(tuple, entry["rows"])))


def runs(study: Entry) -> Table | None:
    """Return one row a run: its switch, measured and fitted, and its end."""
    if not study.get("runs"):
        return None
    columns = (
        "alpha",
        "seed",
        "measured switch",
        "P(ends above)",
        "P(never led by proxy)",
        "fitted switch",
        "P(transient)",
        "fitted turn",
        "largest P(proxy step)",
        "last P(goal step)",
        "last P(proxy step)",
    )
    rows = tuple(_run(run) for run in study["runs"])
    places = {name: 2 for name in columns if name.startswith(("P(", "largest"))}
    return Table("The switch in every run", columns, rows, decimals=places)


def _run(run: Entry) -> tuple[Cell, ...]:
    flip, proxy = run["flip"], run["proxy"]
    return (
        f"{run['alpha']:g}",
        str(run["seed"]),
        bracket(run["onset"]),
        flip["ends_above"],
        flip["never_led_by_proxy"],
        _interval(flip["time"]),
        proxy["transient_probability"],
        _turn(proxy),
        proxy["largest_measured"]["value"],
        plus_minus(run["last"]["p_goal"]),
        plus_minus(run["last"]["p_proxy"]),
    )


def bracket(onset: Entry) -> str:
    """Say between which checkpoints the measured switch lies."""
    if not onset["led_by_proxy"]:
        return "never led by the proxy"
    if onset["upper"] is None:
        return f"not by {short3(onset['lower'])}"
    return f"{short3(onset['lower'])} to {short3(onset['upper'])}"


def _interval(estimate: Entry | None) -> str:
    if estimate is None:
        return "–"
    return between(estimate["value"], (estimate["lower"], estimate["upper"]))


def _turn(proxy: Entry) -> str:
    """Say where the fitted curve turns, as a condition where its shape is not decided."""
    peak = proxy["peak"]
    if peak is None:
        return "–"
    said = f"{peak['kind']} {_interval(peak['time'])}"
    return said if proxy["verdict"] == "decided" else f"if {proxy['family']}: {said}"


def plus_minus(reading: Entry) -> str:
    """Write a reading with its error over levels."""
    se = reading["se"]
    return f"{reading['value']:.3f}" + ("" if se is None else f" ± {se:.3f}")


def readings(study: Entry) -> list[Table]:
    """Return a table a run: each probe's last reading beside its step 0 and its baselines."""
    names = short_names([reading["run"] for reading in study.get("readings") or []])
    return [
        _readings(short, [r for r in study["readings"] if r["run"] == name])
        for name, short in names.items()
    ]


def _readings(run: str, entries: list[Entry]) -> Table:
    columns = (
        "observable",
        "last reading",
        "se over levels",
        "at step 0",
        "strongest baseline",
        "its value",
        "above it",
    )
    rows = tuple(
        (
            entry["observable"],
            entry["value"],
            entry["se"],
            entry["baselines"].get("random initialization"),
            "–" if entry["strongest"] is None else words(entry["strongest"]),
            None if entry["strongest"] is None else entry["baselines"][entry["strongest"]],
            entry["above_strongest"],
        )
        for entry in entries
    )
    at = short3(max(entry["env_steps"] for entry in entries))
    caption = f"{run}: readings after {at} environment steps"
    return Table(caption, columns, rows, decimals=dict.fromkeys(columns[1:], 3))
