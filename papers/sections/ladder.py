"""How each mechanism did on a ladder."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fitting.ladders.onsets import DECISIVE
from papers.tables import Table
from papers.wording import reason_of, short3, upper_first, words

Entry = Mapping[str, Any]
DECISION = (
    "Each mechanism predicts the onsets at every rung by integrating its own equations at the "
    "conditions of the runs, which it is told; what it leaves open is fitted to all rungs "
    "together. It is decided for when its log evidence leads that of every other one, and of the "
    f"references, by {DECISIVE:g} nats ({round(math.exp(DECISIVE))} to 1) and by twice the "
    "numerical error. The references know no mechanism: a free median at every rung, and, where a "
    "test has it, a median that goes as powers of the conditions, without and with interactions."
)
COLUMNS = {
    "weight": "weight",
    "ln Z": "log_evidence",
    "se": "log_evidence_se",
    "clock factor": "clock",
    "spread (cv)": "cv",
    "held out": "held_out",
}
"""Columns of the table, and the keys of a score; the last three only where some score has them."""
ALWAYS = 3
PLACES = {
    "weight": 3,
    "ln Z": 1,
    "se": 2,
    "clock factor": 2,
    "spread (cv)": 2,
    "held out": 1,
}
EXPLANATIONS = {
    "clock factor": "Clock factor: the fitted factor between predicted and actual time, 1 if the "
    "mechanism has the pace right.",
    "spread (cv)": "Spread (cv): the fitted standard deviation of onsets within a rung over their "
    "mean, where a mechanism does not say itself how runs scatter.",
    "held out": "Held out: the log probability, in nats, of the runs of the rung that was held "
    "out, foretold from the others.",
}


def _shown(ladder: Entry) -> list[str]:
    """Return the columns that some score fills."""
    return [
        column
        for place, (column, key) in enumerate(COLUMNS.items())
        if place < ALWAYS or any(score.get(key) is not None for score in ladder["scores"])
    ]


def explained(ladder: Entry) -> str:
    """Explain the columns of the table of scores."""
    return " ".join(EXPLANATIONS[column] for column in _shown(ladder) if column in EXPLANATIONS)


def scores(ladder: Entry) -> Table:
    """Return evidence, clock factor, spread and foresight of each mechanism."""
    shown = _shown(ladder)
    rows = tuple(
        (
            words(score["mechanism"]),
            *(score.get(COLUMNS[column]) for column in shown),
            " ".join(sentence_of(doubt) for doubt in score.get("doubts", [])),
        )
        for score in ladder["scores"]
    )
    places = {column: PLACES[column] for column in shown}
    columns = ("mechanism", *shown, "doubts")
    return Table(f"Mechanisms on {ladder['title']}", columns, rows, decimals=places)


def unknowns(ladder: Entry) -> Table | None:
    """Return what the runs say of the unknowns of each mechanism; None if nothing was fitted."""
    rows = tuple(
        (words(score["mechanism"]), words(name), *(found[k] for k in ("value", "lower", "upper")))
        for score in ladder["scores"]
        for name, found in score.get("parameters", {}).items()
    )
    if not rows:
        return None
    columns = ("mechanism", "unknown", "median", "lower", "upper")
    return Table(f"Unknowns, with 95 % intervals: {ladder['title']}", columns, rows)


def signatures(ladder: Entry) -> tuple[Table, ...]:
    """Return exponents, scatter and widths, seen and foretold, a table each."""
    found = ladder.get("signatures") or []
    return tuple(
        _signatures(ladder, [one for one in found if one["quantity"] == quantity])
        for quantity in dict.fromkeys(one["quantity"] for one in found)
    )


def _signatures(ladder: Entry, found: Sequence[Entry]) -> Table:
    """Return one number at every rung, hypotheses in the order of their evidence."""
    foretelling = {name for one in found for name in one["foretold"]}
    names = [s["mechanism"] for s in ladder["scores"] if s["mechanism"] in foretelling]
    rows = tuple(
        (
            *(str(value) for value in one["at"].values()),
            _interval(one["seen"]) if one["seen"] else one["why_not"],
            *(_interval(one["foretold"].get(name)) for name in names),
        )
        for one in found
    )
    columns = (*(words(name) for name in found[0]["at"]), "seen", *(words(name) for name in names))
    caption = f"{upper_first(found[0]['quantity'])}: seen, and foretold at the same conditions"
    return Table(caption, columns, rows)


def _interval(found: Entry | None) -> str:
    """Write a number with its interval, if it has one."""
    if found is None:
        return "–"
    value, lower, upper = (short3(found[key]) for key in ("value", "lower", "upper"))
    return value if lower == upper else f"{value} ({lower} to {upper})"


def reason(ladder: Entry) -> str:
    """Return the reason of a ladder's verdict, mechanisms named in words."""
    return reason_of(ladder["verdict"], [score["mechanism"] for score in ladder["scores"]])


def truth(ladder: Entry) -> str:
    """Say what the truth of an arm is, and whether the verdict names it; empty if unknown."""
    name = ladder.get("truth")
    return f"The truth of this arm is {words(name)}." if name else ""


def sentence_of(doubt: str) -> str:
    """Write a doubt as a sentence."""
    text = upper_first(doubt)
    return text if text.endswith((".", "!", "?")) else f"{text}."
