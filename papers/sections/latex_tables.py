"""The tables of a report for a paper: those a reader sees, curves put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from papers.sections import aggregates
from papers.sections import ladder as ladders
from papers.sections import population as together
from papers.sections import study as studies
from papers.sections.candidates import candidates, hypothesis
from papers.sections.order import frequency_table, order_tables, rank_tables
from papers.sections.overview import overview
from papers.sections.parameters import parameters
from papers.sections.stages import stages
from papers.tables import Table
from papers.wording import name_of

Entry = Mapping[str, Any]


def latex_tables(document: Entry) -> dict[str, Table]:
    """Return the tables of a results document by name; those without rows are left out."""
    curves = document["curves"]
    found = {
        "curves": overview(curves),
        "candidates": stacked("Hypotheses", [(name_of(c), _without_marks(c)) for c in curves]),
        "parameters": stacked(
            "Parameters",
            [
                (f"{name_of(curve)}: {hypothesis(candidate)}", table)
                for curve in curves
                for candidate, table in parameters(curve)
            ],
        ),
        "stages": stacked("Stages, with 95 % intervals", [(name_of(c), stages(c)) for c in curves]),
    }
    populations = [(entry["observable"], entry) for entry in document.get("populations", [])]
    for name, made in (
        ("frequencies", together.shapes_table),
        ("populations", together.population_table),
        ("pooled", together.runs_table),
    ):
        found[name] = stacked(name, [(label, made(entry)) for label, entry in populations])
    if "aggregates" in document:
        found |= aggregates.named_tables(document["aggregates"])
    if "orders" in document:
        tables = [table for table, _ in rank_tables(document["orders"])]
        found["ranks"] = stacked("Ranks of runs", [(table.caption, table) for table in tables])
        found["order_frequencies"] = frequency_table(document["orders"])
        for i, (table, _) in enumerate(order_tables(document["orders"]), start=1):
            found[f"orders_{i}"] = table
    for i, ladder in enumerate(document.get("ladders", []), start=1):
        found[f"ladder_{i}"] = ladders.scores(ladder)
    study = document.get("study") or {}
    for i, page in enumerate(studies.pages(study), start=1):
        found |= {f"page_{i}_{j}": table for j, table in enumerate(page.tables, start=1)}
    found["runs"] = studies.runs(study)
    found["readings"] = stacked("Readings", [(t.caption, t) for t in studies.readings(study)])
    return {name: table for name, table in found.items() if table is not None and table.rows}


def _without_marks(curve: Entry) -> Table:
    """Return the comparison table without the letters, whose doubts are in the CSV in full."""
    table = candidates(curve).table
    rows = tuple(row[:-1] for row in table.rows)
    return replace(table, columns=table.columns[:-1], rows=rows)


def stacked(caption: str, labeled: Sequence[tuple[str, Table | None]]) -> Table | None:
    """Return tables of the same columns as one, with a first column that says which is which."""
    tables = [(label, table) for label, table in labeled if table is not None]
    if not tables:
        return None
    first = tables[0][1]
    rows = tuple((label, *row) for label, table in tables for row in table.rows)
    return replace(first, caption=caption, columns=("of", *first.columns), rows=rows)
