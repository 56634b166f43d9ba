"""Aggregates over runs as the entry ``aggregates`` of a results document."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

from papers.curve_results import Document, number

if TYPE_CHECKING:
    from fitting.aggregates.aggregate import Aggregates, Group


def aggregates_json(found: Aggregates) -> Document:
    """Return aggregates as plain values; a number that could not be computed is null."""
    texts = ("observable", "unit", "progress", "by", "task", "score")
    return {
        **{name: getattr(found, name) for name in texts},
        "groups": [_group(group) for group in found.groups],
        "improvements": [{**asdict(one), "tasks": list(one.tasks)} for one in found.improvements],
        "doubts": list(found.doubts),
    }


def _group(group: Group) -> Document:
    scores = [value for values in group.scores.values for value in values]
    along = group.efficiency
    return {
        "name": group.name,
        "differ": group.differ,
        "runs": [
            {"task": task, "run": run, "score": float(score)}
            for (task, run), score in zip(group.runs, scores, strict=True)
        ],
        "measures": [asdict(one) for one in group.measures],
        "profile": _columns(group.profile, ("thresholds", "share", "lower", "upper")),
        "curve": None
        if along is None
        else {
            **_columns(along, ("t", "iqm", "lower", "upper")),
            "runs": [_numbers(run) for run in along.runs],
        },
        "likenesses": [
            {**asdict(one), "kinds": [str(kind) for kind in one.kinds]} for one in group.likenesses
        ],
        "onsets": [
            {
                "task": task,
                "level": level,
                **_columns(onsets, ("t", "share", "lower", "upper")),
                "n_runs": onsets.n_runs,
                "n_censored": onsets.n_censored,
                "median": onsets.median,
            }
            for task, level, onsets in group.onsets
        ],
        "doubts": list(group.doubts),
    }


def _columns(noun: object, names: Iterable[str]) -> Document:
    found = {name: getattr(noun, name) for name in names}
    return {name: None if values is None else _numbers(values) for name, values in found.items()}


def _numbers(values: Iterable[float]) -> list[float | None]:
    return [number(float(value)) for value in values]
