"""The numbers of a ladder: every run's bracket beside each mechanism's predicted median."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from papers.tables import Cell, Table
from papers.wording import short3, words

FEWEST = 2
"""Rungs below which a prediction is no line, and says nothing that was not put in."""

Entry = Mapping[str, Any]


def drawn(ladder: Entry) -> list[Entry]:
    """Return the predictions that make a line, in the order of their mechanisms."""
    lines = [
        prediction
        for prediction in ladder["predictions"]
        if sum(median is not None for median in prediction["median"]) >= FEWEST
    ]
    return sorted(lines, key=lambda prediction: str(prediction["mechanism"]))


def onsets_table(ladder: Entry) -> Table:
    """Return the brackets of all runs beside the drawn predictions.

    A prediction that passes through the data at a rung by construction is marked there.
    """
    mechanisms = list(dict.fromkeys(p["mechanism"] for p in drawn(ladder)))
    others = other_conditions(ladder)
    rows: list[tuple[Cell, ...]] = []
    for onset in sorted(ladder["onsets"], key=lambda o: (o.get("facet", ""), o["condition"])):
        upper = "not reached" if onset["upper"] is None else onset["upper"]
        place = (onset["condition"], *(_other(onset, name) for name in others), onset["run"])
        predicted = (_predicted(ladder, mechanism, onset) for mechanism in mechanisms)
        rows.append((*place, onset["lower"], upper, *predicted))
    columns = (
        words(ladder["condition"]),
        *(words(name) for name in others),
        "run",
        "after",
        "before",
        *(words(mechanism) for mechanism in mechanisms),
    )
    return Table(f"{ladder['title']}: {words(ladder['quantity'])}", columns, tuple(rows))


def other_conditions(ladder: Entry) -> list[str]:
    """Return the names of the conditions that make the panels."""
    named = [name for onset in ladder["onsets"] for name in onset.get("conditions", ())]
    if named:
        return list(dict.fromkeys(named))
    return ["panel"] if any(onset.get("facet") for onset in ladder["onsets"]) else []


def _other(onset: Entry, name: str) -> Cell:
    value: Cell = onset.get("facet") if name == "panel" else onset.get("conditions", {}).get(name)
    return value


def _predicted(ladder: Entry, mechanism: str, onset: Entry) -> Cell:
    """Return the predicted median at a rung, where the prediction was made at that rung."""
    prediction, median = predicted(ladder, mechanism, onset)
    if median is None or prediction is None or prediction.get("anchor") != onset["condition"]:
        return median
    return f"{short3(median)} (anchor)"


def predicted(ladder: Entry, mechanism: str, onset: Entry) -> tuple[Entry | None, float | None]:
    """Return a mechanism's prediction for the panel of a run, and its median at the run's rung."""
    here, facet = onset["condition"], onset.get("facet", "")
    for prediction in ladder["predictions"]:
        if (prediction["mechanism"], prediction.get("facet", "")) != (mechanism, facet):
            continue
        for x, median in zip(prediction["condition"], prediction["median"], strict=True):
            if abs(x - here) <= 1e-9 * max(abs(x), abs(here)):
                return prediction, None if median is None else float(median)
    return None, None
