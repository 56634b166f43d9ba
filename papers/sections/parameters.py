"""The parameters of the forms that lead, with units and meanings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from papers.mathematics import meanings, units
from papers.sections.candidates import by_weight, hypothesis
from papers.sections.search import found_of
from papers.tables import Table
from papers.wording import PROGRESS

Entry = Mapping[str, Any]
SHOWN = 3
OF_NOISE = {"correlation_time": "t", "window": "t", "freedom": "", "overdispersion": ""}
"""Units of the noise's parameters that are not in units of y."""


def leading_candidates(curve: Entry) -> list[Entry]:
    """Return the heaviest candidate of each form the verdict names, or else the heaviest."""
    ranked = by_weight(curve)
    named = [c for c in ranked if c["form"] in curve["verdict"]["forms"]] or ranked[:1]
    first: dict[str, Entry] = {}
    for candidate in named:
        first.setdefault(candidate["form"], candidate)
    return list(first.values())[:SHOWN]


def parameters(curve: Entry) -> list[tuple[Entry, Table]]:
    """Return the parameter table of each leading candidate."""
    return [(candidate, _table(candidate, curve)) for candidate in leading_candidates(curve)]


def _table(candidate: Entry, curve: Entry) -> Table:
    found = found_of(curve, candidate["form"])
    meaning = found["meanings"] if found else meanings(candidate["form"])
    rows = tuple(
        (
            name,
            *four(estimate),
            unit_of(candidate["form"], name, curve),
            meaning.get(name, "of the noise"),
        )
        for name, estimate in candidate["parameters"].items()
    )
    columns = ("parameter", "median", "posterior sd", "2.5 %", "97.5 %", "unit", "meaning")
    return Table(f"Parameters of {hypothesis(candidate)}", columns, rows)


def four(estimate: Entry | None) -> tuple[float | None, ...]:
    """Return value, posterior sd and interval of an estimate; None for one that is missing."""
    names = ("value", "se", "lower", "upper")
    return tuple(None if estimate is None else estimate[name] for name in names)


def unit_of(form: str, parameter: str, curve: Entry) -> str:
    """Return the unit of a parameter on a curve: that of y, of its progress axis, or of both."""
    found = found_of(curve, form)
    known = found["units"] if found else units(form)
    kind = known.get(parameter, OF_NOISE.get(parameter, "y"))
    t = PROGRESS.get(curve["progress"], "t")
    y = curve.get("unit") or "y"
    return {"y": y, "t": t, "1/t": f"1/{t}", "y/t": f"{y}/{t}"}.get(kind, "1")
