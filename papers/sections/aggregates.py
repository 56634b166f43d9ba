"""Aggregates over runs: what they are, what speaks against them, and the tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from papers.tables import Cell, Table
from papers.wording import PROGRESS, between, plural, short3, upper_first, words

Entry = Mapping[str, Any]
DIFFER = {True: "yes", False: "no sign", None: "cannot tell"}
DIFFER = {True: "yes", False: "no sign", None: "cannot tell"}
READING = (
    "The interquartile mean is the mean of the middle half of the scores of all runs and tasks; "
    "the median over tasks is that of the tasks' means (with one task, the mean); the optimality "
    "gap is how far runs miss the target in the mean. Intervals are 95 % percentile intervals of "
    "a stratified bootstrap: runs are drawn again within each task, so that they speak of "
    "further runs on these tasks, not of other tasks. The probability of improvement is that of "
    "a run of one group scoring higher than a run of the other, ties counting half. A profile is "
    "the share of runs above each score; bands are pointwise (Agarwal et al. 2021). Onsets are "
    "those of the product-limit estimate (Kaplan and Meier 1958), in which runs that ended "
    "before their onset count as censored. A mean curve is never shown without the single runs; "
    "it is dashed where they differ in kind, for then it is none of them."
)


def title(entry: Entry) -> str:
    """Return the title of a page of aggregates."""
    number = sum(len(group["runs"]) for group in entry["groups"])
    return f"Aggregates of {entry['observable']} over {plural(number, 'run')}"


def headline(entry: Entry) -> str:
    """Say the interquartile means, and first whether a mean curve stands for the runs."""
    warned = [group["name"] for group in entry["groups"] if group["differ"]]
    found = []
    if warned:
        found.append(f"Runs differ in kind ({', '.join(warned)}): the mean curve is none of them.")
    means = [f"{group['name']} {_measure(group['measures'][0])}" for group in entry["groups"]]
    return " ".join([*found, f"Interquartile means: {', '.join(means)}."])


def explained(entry: Entry) -> str:
    """Say what was aggregated."""
    counts = ", ".join(
        f"{group['name']} ({plural(len(group['runs']), 'run')})" for group in entry["groups"]
    )
    made = f" by {words(entry['by'])}" if entry["by"] else ""
    tasks = f", tasks by {words(entry['task'])}" if entry["task"] else ""
    return f"Groups{made}{tasks}: {counts}. The score of a run is {entry['score']}."


def said(entry: Entry) -> list[str]:
    """Return what speaks for or against a mean curve in each group, then all doubts."""
    found = []
    for group in entry["groups"]:
        for one in group["likenesses"]:
            of = " on ".join(part for part in (group["name"], one["task"]) if part)
            found.append(f"{of}: {one['sentence']}")
        found += [f"{group['name']}: {doubt}" for doubt in group["doubts"]]
    reasons = [m["why_not"] for g in entry["groups"] for m in g["measures"]]
    reasons += [one["why_not"] for one in entry["improvements"] if one["tasks"]]
    apart = [f"{one['a']} and {one['b']}" for one in entry["improvements"] if not one["tasks"]]
    if apart:
        reasons.append(f"Not compared, for want of a common task: {', '.join(apart)}.")
    return [*found, *entry["doubts"], *filter(None, dict.fromkeys(reasons))]


def tables(entry: Entry) -> list[Table]:
    """Return measures, comparisons, likenesses and onsets."""
    return [table for table in named_tables(entry).values() if table.rows]


def named_tables(entry: Entry) -> dict[str, Table]:
    """Return the tables that a reader sees, by name."""
    return {
        "aggregates": measures_table(entry),
        "improvements": improvements_table(entry),
        "likenesses": likenesses_table(entry),
        "aggregate_onsets": onsets_table(entry),
    }


def measures_table(entry: Entry) -> Table:
    """Return one row a group."""
    names = [measure["name"] for measure in entry["groups"][0]["measures"]]
    rows: list[tuple[Cell, ...]] = [
        (group["name"], len(group["runs"]), *map(_measure, group["measures"]))
        for group in entry["groups"]
    ]
    unit = f", {entry['unit']}" if entry["unit"] else ""
    caption = f"Scores of {entry['observable']}{unit}, with 95 % intervals"
    return Table(caption, ("group", "runs", *names), tuple(rows))


def improvements_table(entry: Entry) -> Table:
    """Return one row a pair of groups."""
    rows: list[tuple[Cell, ...]] = [
        (one["a"], one["b"], len(one["tasks"]), _measure(one)) for one in entry["improvements"]
    ]
    columns = ("a run of", "beats one of", "tasks", "with probability")
    return Table("Probability of improvement, with 95 % intervals", columns, tuple(rows))


def likenesses_table(entry: Entry) -> Table:
    """Return one row a group and task: what its runs do, and how their midpoints spread."""
    rows: list[tuple[Cell, ...]] = []
    for group in entry["groups"]:
        for one in group["likenesses"]:
            kinds = {kind: one["kinds"].count(kind) for kind in dict.fromkeys(one["kinds"])}
            many = ", ".join(f"{n} {kind}" for kind, n in kinds.items())
            rows.append(
                (group["name"], one["task"] or "–", many or "–", one["spread"], one["rise"],
                 DIFFER[one["differ"]])
            )  # fmt: skip
    unit = PROGRESS.get(entry["progress"], "progress")
    columns = (
        "group",
        "task",
        "runs",
        f"spread of midpoints, {unit}",
        f"rise of a run, {unit}",
        "differ in kind",
    )
    return Table("Whether single runs are alike (spread and rise as standard deviations)",
                 columns, tuple(rows))  # fmt: skip


def onsets_table(entry: Entry) -> Table:
    """Return one row a group and task: how many runs had their onset, and when half had."""
    rows: list[tuple[Cell, ...]] = [
        (
            group["name"],
            one["task"] or "–",
            one["level"],
            one["n_runs"],
            one["n_censored"],
            "not reached" if one["median"] is None else short3(one["median"]),
        )
        for group in entry["groups"]
        for one in group["onsets"]
    ]
    columns = ("group", "task", "level", "runs", "censored", "median onset")
    return Table("Onsets", columns, tuple(rows))


def _measure(measure: Entry) -> str:
    ends = None if measure["lower"] is None else (measure["lower"], measure["upper"])
    return between(measure["value"], ends)


def summary(entry: Entry) -> str:
    """Return the lines for a terminal: the measures, the comparisons, then what is doubted."""
    lines = [upper_first(explained(entry))]
    for group in entry["groups"]:
        lines.append(f"  {group['name']} ({plural(len(group['runs']), 'run')})")
        lines += [f"    {m['name']:<20} {_measure(m)}" for m in group["measures"]]
    for one in entry["improvements"]:
        lines.append(f"  P({one['a']} > {one['b']})  {_measure(one)}")
    return "\n".join([*lines, *(f"  note: {sentence}" for sentence in said(entry))])
