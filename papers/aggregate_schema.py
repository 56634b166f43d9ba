"""What `aggregate` writes: scores, measures, profiles, curves over runs, onsets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from papers.curve_schema import same_length
from papers.json_checks import list_of, maybe, number, one_of, record, text, truth

TEXTS, NUMBERS, GAPPED = list_of(text), list_of(number, least=1), list_of(maybe(number))
BETWEEN = {name: maybe(number) for name in ("value", "lower", "upper")}
BAND = {"lower": maybe(NUMBERS), "upper": maybe(NUMBERS)}
KINDS = one_of("rises", "falls", "turns", "stays", "unclear")
GROUP = record(
    {
        "name": text,
        "differ": truth,
        "runs": list_of(record({"task": text, "run": text, "score": number}), least=1),
        "measures": list_of(record({"name": text, "why_not": text, **BETWEEN})),
        "profile": record({"thresholds": NUMBERS, "share": NUMBERS, **BAND}),
        "curve": maybe(
            record({"t": NUMBERS, "iqm": NUMBERS, "runs": list_of(NUMBERS, least=1), **BAND})
        ),
        "likenesses": list_of(
            record(
                {
                    "task": text,
                    "kinds": list_of(KINDS),
                    "spread": maybe(number),
                    "rise": maybe(number),
                    "differ": maybe(truth),
                    "sentence": text,
                }
            )
        ),
        "onsets": list_of(
            record(
                {
                    "task": text,
                    "level": number,
                    "n_runs": number,
                    "n_censored": number,
                    "median": maybe(number),
                    "t": list_of(number),
                    "share": list_of(number),
                    "lower": GAPPED,
                    "upper": GAPPED,
                }
            )
        ),
        "doubts": TEXTS,
    }
)
IMPROVEMENT = record({"a": text, "b": text, "tasks": TEXTS, "why_not": text, **BETWEEN})
AGGREGATES = record(
    {
        **dict.fromkeys(("observable", "unit", "progress", "by", "task", "score"), text),
        "groups": list_of(GROUP, least=1),
        "improvements": list_of(IMPROVEMENT),
        "doubts": TEXTS,
    }
)


def check_aggregates(entry: Mapping[str, Any], place: str) -> None:
    """Check that what is drawn together is as long.

    Raises
    ------
    ValueError
        In one sentence: what is not, and where.
    """
    for i, group in enumerate(entry["groups"]):
        at = f"{place}.groups[{i}]"
        _check_band(group["profile"], ("thresholds", "share"), f"{at}.profile")
        for j, onsets in enumerate(group["onsets"]):
            same_length(onsets, ("t", "share", "lower", "upper"), f"{at}.onsets[{j}]")
        if group["curve"] is not None:
            _check_band(group["curve"], ("t", "iqm"), f"{at}.curve")
            for k, run in enumerate(group["curve"]["runs"]):
                each = {"t": group["curve"]["t"], "run": run}
                same_length(each, ("t", "run"), f"{at}.curve.runs[{k}]")


def _check_band(entry: Mapping[str, Any], names: tuple[str, ...], place: str) -> None:
    edges = tuple(name for name in ("lower", "upper") if entry[name] is not None)
    same_length(entry, (*names, *edges), place)
