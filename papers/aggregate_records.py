"""The tables of aggregates over runs for machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from papers.tables import Cell
from papers.wording import HOLDS

Entry = Mapping[str, Any]
Row = dict[str, Cell]


def aggregate_records(entry: Entry) -> dict[str, list[Row]]:
    """Return the rows of every table of an entry ``aggregates``, by name."""
    groups = entry["groups"]
    return {
        "aggregates": [
            {"group": group["name"], **measure} for group in groups for measure in group["measures"]
        ],
        "improvements": [
            {**one, "tasks": " ".join(one["tasks"])} for one in entry["improvements"]
        ],
        "likenesses": [
            {"group": group["name"], **one, "differ": HOLDS[one["differ"]],
             "kinds": " ".join(one["kinds"])}
            for group in groups for one in group["likenesses"]
        ],
        "aggregate_runs": [{"group": g["name"], **run} for g in groups for run in g["runs"]],
        "aggregate_profiles": [
            {"group": g["name"], **row} for g in groups for row in _rows(g["profile"])
        ],
        "aggregate_curves": [row for group in groups for row in _curve(group)],
        "aggregate_onsets": [
            {"group": g["name"], "task": one["task"], "level": one["level"], **row}
            for g in groups for one in g["onsets"] for row in _rows(one)
        ],
    }  # fmt: skip


def _rows(columns: Entry) -> list[Row]:
    """Return the lists of an entry as rows."""
    lists = {name: values for name, values in columns.items() if isinstance(values, list)}
    return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]


def _curve(group: Entry) -> list[Row]:
    """Return the curve over runs and every single run, a row a progress."""
    if group["curve"] is None:
        return []
    whole = _rows({name: v for name, v in group["curve"].items() if name != "runs"})
    singles = [
        {"group": group["name"], "of": f"{run['task']} {run['run']}".strip(), "t": t, "value": y}
        for run, values in zip(group["runs"], group["curve"]["runs"], strict=True)
        for t, y in zip(group["curve"]["t"], values, strict=True)
    ]
    over: list[Row] = [
        {"group": group["name"], "of": "interquartile mean", "t": row["t"], "value": row["iqm"],
         "lower": row.get("lower"), "upper": row.get("upper")}
        for row in whole
    ]  # fmt: skip
    return [*over, *singles]
