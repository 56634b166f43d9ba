"""How each mechanism did on a ladder."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from fitting.onsets import DECISIVE
from papers.tables import Table
from papers.wording import reason_of, upper_first, words

Entry = Mapping[str, Any]
COLUMNS = ("mechanism", "weight", "ln Z", "se", "clock factor", "spread (cv)", "doubts")
DECISION = (
    "Each mechanism predicts the time of onset at every rung by integrating its own equations at "
    "the conditions of the runs, which it is told; a factor on time is fitted beside them. It is "
    "decided for when its log evidence leads that of every other one, and of a reference with a "
    f"free median at every rung, by {DECISIVE:g} nats ({round(math.exp(DECISIVE))} to 1) and by "
    "twice the numerical error."
)
EXPLAINED = (
    "Clock factor: the fitted factor between predicted and actual time, 1 if the mechanism has "
    "the pace right. Spread (cv): the fitted standard deviation of onsets within a rung over "
    "their mean."
)


def scores(ladder: Entry) -> Table:
    """Return evidence, clock factor and spread of each mechanism."""
    rows = tuple(
        (
            words(score["mechanism"]),
            score.get("weight"),
            score.get("log_evidence"),
            score.get("log_evidence_se"),
            score.get("clock"),
            score.get("cv"),
            " ".join(sentence_of(doubt) for doubt in score.get("doubts", [])),
        )
        for score in ladder["scores"]
    )
    places = {"weight": 3, "ln Z": 1, "se": 2, "clock factor": 2, "spread (cv)": 2}
    return Table(f"Mechanisms on {ladder['title']}", COLUMNS, rows, decimals=places)


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
