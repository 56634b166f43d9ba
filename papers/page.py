"""The page of a results document: what the template is given."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fitting.verdict import DECISIVE, THRESHOLD
from papers.figures.aggregates import aggregates_drawing
from papers.figures.curve import curve_drawing
from papers.figures.development import development_drawing
from papers.figures.ladder import ladder_drawing
from papers.figures.order import order_drawings
from papers.figures.population import population_drawing
from papers.figures.prior import prior_drawing
from papers.figures.residuals import residuals_drawing
from papers.figures.sparkline import sparkline
from papers.mathematics import mathml, reference
from papers.results import RESULTS
from papers.sections import aggregates
from papers.sections import ladder as ladders
from papers.sections import population as together
from papers.sections import study as studies
from papers.sections.candidates import candidates
from papers.sections.families import families
from papers.sections.forecast import forecast
from papers.sections.headline import headline, title_of
from papers.sections.license import license_sentence, license_table
from papers.sections.order import (
    EXPLAINED,
    frequency_table,
    order_sentences,
    order_tables,
    rank_tables,
    run_pairs,
)
from papers.sections.overview import forms_said, leading_family, when
from papers.sections.parameters import parameters
from papers.sections.provenance import provenance, settings
from papers.sections.search import found_forms, search_said
from papers.sections.stages import stages
from papers.tables import Table, fixed, shown
from papers.wording import (
    family_words,
    name_of,
    reason_of,
    run_of,
    short_names,
    upper_first,
    words,
)

Entry = Mapping[str, Any]
Progress = Callable[[str, int, int], None]
MANY = 24
FEW_ROWS = 40
SHOWN = 8
"""Hypotheses shown before the rest is folded away."""

TEMPLATES = Path(__file__).parent / "templates"
LABEL = "Drawing curves"


def html(document: Entry, *, results_name: str = RESULTS, progress: Progress | None = None) -> str:
    """Return the page of a results document."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "shown": shown,
        "fixed": fixed,
        "words": words,
        "family_words": family_words,
        "upper_first": upper_first,
    }
    entries = _curves(document["curves"], progress)
    study = document.get("study")
    text = environment.get_template("report.html.j2").render(
        css=(TEMPLATES / "report.css").read_text(encoding="utf-8"),
        title=title_of(document),
        headline=headline(document),
        document=document,
        study=study,
        pages=studies.pages(study) if study else [],
        runs=studies.runs(study) if study else None,
        readings=studies.readings(study) if study else [],
        developments=_developments(document),
        ladders=[_ladder(ladder, i) for i, ladder in enumerate(document.get("ladders", []))],
        aggregates=_aggregates(document),
        populations=_populations(document),
        together=together,
        decisive=ladders.DECISION,
        enough=f"{100 * DECISIVE:g} %",
        enough_for_two=f"{100 * THRESHOLD:g} %",
        orders=_orders(document),
        groups=groups(entries),
        curves=entries,
        first=SHOWN,
        provenance=provenance(document),
        settings=settings(document),
        versions=_pairs("Versions", ("software", "version"), document, "versions"),
        data=_pairs("Data", ("file", "sha256"), document, "data"),
        results_name=results_name,
    )
    return re.sub(r"\n\s*\n+", "\n", text)


def _curves(curves: Sequence[Entry], progress: Progress | None) -> list[dict[str, Any]]:
    rows = FEW_ROWS if len(curves) > MANY else 4 * FEW_ROWS
    runs = short_names([run_of(curve) for curve in curves])
    found = []
    for i, curve in enumerate(curves):
        if progress:
            progress(LABEL, i, len(curves))
        found.append(_curve(curve, f"curve-{i + 1}", rows, runs[run_of(curve)]))
    if progress and curves:
        progress(LABEL, len(curves), len(curves))
    return found


def _curve(curve: Entry, key: str, most_rows: int, run: str) -> dict[str, Any]:
    family, probability = leading_family(curve)
    drawings = (
        curve_drawing(curve, f"{key}-points", most_rows=most_rows),
        residuals_drawing(curve, f"{key}-residuals", most_rows=most_rows),
        prior_drawing(curve, f"{key}-prior"),
    )
    return {
        "key": key,
        "name": name_of(curve),
        "run": run,
        "observable": curve["observable"],
        "entry": curve,
        "reason": reason_of(curve["verdict"]),
        "spark": sparkline(curve),
        "family": "–" if family is None else family_words(family),
        "probability": probability,
        "forms": forms_said(curve),
        "when": when(curve),
        "drawings": [drawing for drawing in drawings if drawing is not None],
        "families": families(curve),
        "candidates": candidates(curve),
        "parameters": [
            {
                "table": table,
                "mathml": mathml(candidate["form"]),
                "expression": candidate["expression"],
                "reference": reference(candidate["form"]),
                "form": candidate["form"],
            }
            for candidate, table in parameters(curve)
        ],
        "found": found_forms(curve),
        "search_said": search_said(curve),
        "stages": stages(curve),
        "license": license_table(curve),
        "licensed": license_sentence(curve),
        "forecast": forecast(curve),
        "conditions": _conditions(curve),
    }


def groups(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the curves by run, each with the shortest label that tells it apart.

    One run has one heading, not one a curve; where every curve is the same observable, or every
    run has one curve, no heading is needed.
    """
    observables = {entry["observable"] for entry in entries}
    runs = list(dict.fromkeys(entry["run"] for entry in entries))
    if len(observables) == 1 or len(runs) == len(entries):
        label = "run" if len(observables) == 1 and all(runs) else "name"
        return [{"run": "", "curves": [{**e, "label": e[label]} for e in entries]}]
    return [
        {
            "run": run if len(runs) > 1 else "",
            "curves": [{**e, "label": e["observable"]} for e in entries if e["run"] == run],
        }
        for run in runs
    ]


def _conditions(curve: Entry) -> str:
    return ", ".join(
        f"{words(name)} {'drifts' if isinstance(value, dict) else value}"
        for name, value in curve["conditions"].items()
    )


def _ladder(ladder: Entry, i: int) -> dict[str, Any]:
    key = f"ladder-{i + 1}"
    table = ladders.scores(ladder)
    rows = tuple(row[:-1] for row in table.rows)
    return {
        "key": key,
        "entry": ladder,
        "reason": ladders.reason(ladder),
        "truth": ladders.truth(ladder),
        "drawing": ladder_drawing(ladder, key),
        # The doubts are sentences, which the page sets below the table.
        "scores": Table(table.caption, table.columns[:-1], rows, decimals=table.decimals),
        "explained": ladders.explained(ladder),
        "unknowns": ladders.unknowns(ladder),
        "signatures": ladders.signatures(ladder),
        "doubts": [(row[0], row[-1]) for row in table.rows if row[-1]],
        "is_wide": len({onset.get("facet", "") for onset in ladder["onsets"]}) > 1,
    }


def _developments(document: Entry) -> list[dict[str, Any]]:
    found = []
    for i, development in enumerate(document.get("developments", [])):
        key = f"development-{i + 1}"
        drawing = development_drawing(development, document["curves"], key)
        if drawing is not None:
            found.append({"key": key, "drawing": drawing})
    return found


def _aggregates(document: Entry) -> dict[str, Any] | None:
    entry = document.get("aggregates")
    if entry is None:
        return None
    return {
        "explained": aggregates.explained(entry),
        "said": aggregates.said(entry),
        "drawing": aggregates_drawing(entry, "aggregates"),
        "tables": aggregates.tables(entry),
        "reading": aggregates.READING,
    }


def _populations(document: Entry) -> list[dict[str, Any]]:
    """Return the runs of each observable together."""
    return [
        {
            "entry": entry,
            "shapes": together.shapes_said(entry),
            "shapes_table": together.shapes_table(entry),
            "forms": together.forms_said(entry),
            "forms_table": together.forms_table(entry),
            "doubts": together.doubts_together(entry),
            "left_out": together.left_out_said(entry),
            "pooled": together.pooled_said(entry) if entry.get("pooled") else "",
            "doubts_of_pooled": together.doubts_of_pooled(entry),
            "population": together.population_table(entry),
            "drawing": population_drawing(entry, f"population-{i}"),
        }
        for i, entry in enumerate(document.get("populations", []), start=1)
    ]


def _orders(document: Entry) -> dict[str, Any] | None:
    orders = document.get("orders")
    if orders is None:
        return None
    return {
        "sentences": order_sentences(orders),
        "drawings": order_drawings(orders, document["curves"], "order"),
        "frequencies": frequency_table(orders),
        "tables": [*order_tables(orders), *rank_tables(orders)],
        "run_pairs": run_pairs(orders),
        "left_out": orders["left_out"],
        "explained": EXPLAINED,
    }


def _pairs(caption: str, columns: tuple[str, str], document: Entry, key: str) -> Table | None:
    pairs = document["provenance"].get(key) or {}
    rows = tuple((str(name), str(value)) for name, value in pairs.items())
    return Table(caption, columns, rows) if rows else None
