"""The expressions that a search found on a curve, with what they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from papers.tables import Table

Entry = Mapping[str, Any]


def found_forms(curve: Entry) -> Table | None:
    """Return the table of found expressions, shortest description first; None without a search."""
    search = curve.get("search")
    if not search or not search["found"]:
        return None
    least = min(one["description_length"] for one in search["found"])
    rows = tuple(
        (
            one["form"],
            one["expression"],
            one["description_length"] - least,
            one["log_evidence"],
            one["match"],
        )
        for one in search["found"]
    )
    columns = ("form", "expression", "Δ length", "ln Z", "known form")
    decimals = {"Δ length": 1, "ln Z": 1}
    return Table(
        "Expressions found, by description length (nats)", columns, rows, decimals=decimals
    )


def search_said(curve: Entry) -> str:
    """Say what a search came to; empty without one."""
    search = curve.get("search")
    return "" if not search else " ".join([search["conclusion"], *search["notes"]])


def found_of(curve: Entry, form: str) -> Entry | None:
    """Return what is known of a found form by its name; None for a registered one."""
    found = (curve.get("search") or {}).get("found", [])
    return next((one for one in found if one["form"] == form), None)
