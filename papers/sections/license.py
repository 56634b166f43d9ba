"""How verdicts came out on simulated curves of the same design."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from papers.tables import Table
from papers.wording import family_words

CAPTION = "What was said of simulated curves, by their true shape"


def license_table(curve: Mapping[str, Any]) -> Table | None:
    """Return the counts of verdicts by truth; None where no license was asked for."""
    found = curve.get("license")
    if not found:
        return None
    confusion = {truth: said for truth, said in found["confusion"].items() if sum(said.values())}
    if not confusion:
        return None
    outcomes = next(iter(confusion.values()))
    columns = ("true shape", *(family_words(outcome) for outcome in outcomes))
    rows = tuple((family_words(truth), *said.values()) for truth, said in confusion.items())
    return Table(CAPTION, columns, rows)


def license_sentence(curve: Mapping[str, Any]) -> str:
    """Say what was simulated; empty where no license was asked for."""
    found = curve.get("license")
    return str(found["explained"]) if found else ""
