"""The report: one self-contained HTML page from a results file, with Markdown and tables beside."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from papers import sections
from papers.figures.curve import curve_drawing, name_of
from papers.figures.development import development_drawing
from papers.figures.ladder import ladder_drawing
from papers.figures.residuals import residuals_drawing
from papers.figures.sparkline import sparkline
from papers.markdown import markdown
from papers.mathematics import mathml, reference
from papers.results import RESULTS, read
from papers.tables import Table, fixed, shown, to_csv, to_latex

REPORT = "report.html"
OPEN_CURVES = 4
MANY = 24
FEW_ROWS = 40
TEMPLATES = Path(__file__).parent / "templates"


def render(results: Path | str) -> Path:
    """Render the report of a folder of results (or of a results file).

    Writes ``report.html``, ``report.md`` and ``tables/`` beside the results file, and nothing
    else; the same results give the same bytes.

    Returns
    -------
    Path
        The HTML page.

    Raises
    ------
    ValueError
        If there is no results file of this schema; in one sentence.
    """
    path = Path(results)
    document = read(path)
    folder = path if path.is_dir() else path.parent
    page = folder / REPORT
    for name, table in tables(document).items():
        _write(folder / "tables" / f"{name}.csv", to_csv(table))
        _write(folder / "tables" / f"{name}.tex", to_latex(table))
    _write(folder / "report.md", markdown(document))
    _write(page, html(document))
    return page


def render_folder(folder: Path | str) -> Path:
    """Render the report of a folder of results: `render` under the command line's name."""
    return render(folder)


def html(document: Mapping[str, Any]) -> str:
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
        "words": sections.words,
        "upper_first": sections.upper_first,
    }
    curves = document["curves"]
    template = environment.get_template("report.html.j2")
    text = template.render(
        css=(TEMPLATES / "report.css").read_text(encoding="utf-8"),
        title=sections.title_of(document),
        headline=sections.headline(document),
        document=document,
        study=document.get("study"),
        developments=_developments(document),
        ladders=[_ladder(ladder, i) for i, ladder in enumerate(document.get("ladders", []))],
        overview=sections.overview(curves) if len(curves) > 1 else None,
        curves=_curves(curves),
        provenance=sections.provenance(document),
        versions=_pairs("Versions", ("software", "version"), document, "versions"),
        data=_pairs("Data", ("file", "sha256"), document, "data"),
        results_name=RESULTS,
    )
    return re.sub(r"\n\s*\n+", "\n", text)


def tables(document: Mapping[str, Any]) -> dict[str, Table]:
    """Return every table of the report that is worth a file, curves put together."""
    curves = document["curves"]
    found = {"curves": sections.overview(curves)} if curves else {}
    parts = {
        "candidates": [_candidates_in_full(curve) for curve in curves],
        "parameters": [table for curve in curves for _, table in sections.parameters(curve)],
        "stages": [table for curve in curves if (table := sections.stages(curve)) is not None],
    }
    labels = {
        "candidates": [name_of(curve) for curve in curves],
        "parameters": [
            f"{name_of(curve)}: {candidate['form']} × {candidate['noise']}"
            for curve in curves
            for candidate, _ in sections.parameters(curve)
        ],
        "stages": [name_of(curve) for curve in curves if sections.stages(curve) is not None],
    }
    for name, listed in parts.items():
        if listed:
            found[name] = _stacked(listed, labels[name])
    for i, ladder in enumerate(document.get("ladders", [])):
        if ladder["scores"]:
            found[f"ladder_{i + 1}"] = sections.scores(ladder)
    return found


def _candidates_in_full(curve: Mapping[str, Any]) -> Table:
    """Return the comparison table with its doubts written out."""
    table, notes = sections.candidates(curve)
    sentences = dict(notes)
    rows = tuple(
        (*row[:-1], " ".join(sentences[letter] for letter in str(row[-1]).split()))
        for row in table.rows
    )
    return replace(table, rows=rows)


def _stacked(listed: Sequence[Table], labels: Sequence[str]) -> Table:
    rows = tuple(
        (label, *row) for label, table in zip(labels, listed, strict=True) for row in table.rows
    )
    return replace(listed[0], columns=("curve", *listed[0].columns), rows=rows)


def _curves(curves: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    rows = FEW_ROWS if len(curves) > MANY else 4 * FEW_ROWS
    return [_curve(curve, f"curve-{i + 1}", rows) for i, curve in enumerate(curves)]


def _curve(curve: Mapping[str, Any], key: str, most_rows: int) -> dict[str, Any]:
    candidates, doubts = sections.candidates(curve)
    family, probability = sections.leading_family(curve)
    return {
        "key": key,
        "name": name_of(curve),
        "entry": curve,
        "spark": sparkline(curve),
        "family": family,
        "probability": probability,
        "when": sections.when(curve),
        "drawings": [
            drawing
            for drawing in (
                curve_drawing(curve, f"{key}-points", most_rows=most_rows),
                residuals_drawing(curve, f"{key}-residuals"),
            )
            if drawing is not None
        ],
        "families": sections.families(curve),
        "candidates": candidates,
        "doubts": doubts,
        "parameters": [
            {
                "table": table,
                "mathml": mathml(candidate["form"]),
                "expression": candidate["expression"],
                "reference": reference(candidate["form"]),
                "form": candidate["form"],
            }
            for candidate, table in sections.parameters(curve)
        ],
        "stages": sections.stages(curve),
        "forecast": sections.forecast(curve),
        "conditions": _conditions(curve),
    }


def _conditions(curve: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{sections.words(name)} {'drifts' if isinstance(value, dict) else value}"
        for name, value in curve["conditions"].items()
    )


def _ladder(ladder: Mapping[str, Any], i: int) -> dict[str, Any]:
    key = f"ladder-{i + 1}"
    return {
        "key": key,
        "entry": ladder,
        "drawing": ladder_drawing(ladder, key),
        "scores": without_last(sections.scores(ladder)),
        "is_wide": len({onset.get("facet", "") for onset in ladder["onsets"]}) > 1,
    }


def without_last(table: Table) -> Table:
    """Return a table without its last column (the doubts, which the page sets below it)."""
    rows = tuple(row[:-1] for row in table.rows)
    return replace(table, columns=table.columns[:-1], rows=rows)


def _developments(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    for i, development in enumerate(document.get("developments", [])):
        drawing = development_drawing(development, document["curves"], f"development-{i + 1}")
        if drawing is not None:
            found.append({"key": f"development-{i + 1}", "drawing": drawing})
    return found


def _pairs(
    caption: str, columns: tuple[str, str], document: Mapping[str, Any], key: str
) -> Table | None:
    pairs = document["provenance"].get(key) or {}
    rows = tuple((str(name), str(value)) for name, value in pairs.items())
    return Table(caption, columns, rows) if rows else None


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
