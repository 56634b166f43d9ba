"""The report as Markdown: the same sentences and tables, without figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from papers.figures.curve import takeaway_of
from papers.mathematics import latex
from papers.sections import aggregates
from papers.sections import ladder as ladders
from papers.sections import population as together
from papers.sections import study as studies
from papers.sections.candidates import candidates
from papers.sections.forecast import forecast
from papers.sections.headline import headline, title_of
from papers.sections.license import license_sentence, license_table
from papers.sections.order import (
    EXPLAINED,
    frequency_table,
    order_sentences,
    order_tables,
    rank_tables,
)
from papers.sections.overview import overview
from papers.sections.parameters import parameters
from papers.sections.provenance import provenance, settings
from papers.sections.search import found_forms, search_said
from papers.sections.stages import stages
from papers.tables import Table, markdown_text, to_markdown
from papers.wording import name_of, sentence, upper_first

SHOWN = 5
Entry = Mapping[str, Any]


def markdown(document: Entry) -> str:
    """Return a results document as Markdown."""
    text = markdown_text
    parts = [f"# {text(title_of(document))}", f"**{text(headline(document))}**"]
    if "study" in document:
        parts += _study(document["study"])
    if "aggregates" in document:
        parts += _aggregates(document["aggregates"])
    for ladder in document.get("ladders", []):
        parts += _ladder(ladder)
    if "orders" in document:
        parts += _orders(document["orders"])
    curves = document["curves"]
    if len(curves) > 1:
        parts += ["## All curves", to_markdown(overview(curves))]
    if document.get("populations"):
        parts += ["## Runs together", together.EXPLAINED]
    for population in document.get("populations", []):
        parts += _together(population)
    for curve in curves:
        parts += _curve(curve)
    if document["rejected"]:
        rows = tuple((r["observable"], r["run"], r["reason"]) for r in document["rejected"])
        table = Table("Left out", ("observable", "run", "reason"), rows)
        parts += ["## Left out", to_markdown(table)]
    if document["notes"]:
        parts += ["## What reading did", _listed(document["notes"])]
    parts += ["## Provenance", _provenance(document)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _study(study: Entry) -> list[str]:
    parts = [markdown_text(study["question"]), *map(markdown_text, study["paragraphs"])]
    for page in studies.pages(study):
        parts += [f"## {markdown_text(page.title)}", *map(markdown_text, page.paragraphs)]
        for table in page.tables:
            parts += [f"{markdown_text(table.caption)}:", to_markdown(table)]
    runs = studies.runs(study)
    if runs is not None:
        parts += [f"## {runs.caption}", to_markdown(runs)]
    for table in studies.readings(study):
        parts += [f"{markdown_text(table.caption)}:", to_markdown(table)]
    return parts


def _aggregates(entry: Entry) -> list[str]:
    parts = [markdown_text(aggregates.explained(entry)), _listed(aggregates.said(entry))]
    for table in aggregates.tables(entry):
        parts += [f"{markdown_text(table.caption)}:", to_markdown(table)]
    return parts


def _ladder(ladder: Entry) -> list[str]:
    said = f"{upper_first(str(ladder['verdict']['kind']))}. {upper_first(ladders.reason(ladder))}"
    parts = [f"## {markdown_text(ladder['title'])}", markdown_text(said)]
    parts += [markdown_text(f"{ladders.truth(ladder)} {ladder.get('text', '')}".strip())]
    if ladder["scores"]:
        parts += [to_markdown(ladders.scores(ladder)), ladders.explained(ladder)]
    unknowns = ladders.unknowns(ladder)
    for table in (*ladders.signatures(ladder), *([unknowns] if unknowns else [])):
        parts += [f"{markdown_text(table.caption)}:", to_markdown(table)]
    return parts


def _together(entry: Entry) -> list[str]:
    text = markdown_text
    parts = [f"### {text(entry['observable'])} · {entry['number']} runs"]
    parts += [text(upper_first(together.shapes_said(entry)))]
    parts += [_listed([*together.doubts_together(entry), *together.left_out_said(entry)])]
    shapes, forms = together.shapes_table(entry), together.forms_table(entry)
    if shapes is not None:
        parts += [f"{shapes.caption}:", to_markdown(shapes)]
    if forms is not None:
        parts += [text(upper_first(together.forms_said(entry))), to_markdown(forms)]
    if entry.get("pooled"):
        parts += [text(together.pooled_said(entry)), _listed(together.doubts_of_pooled(entry))]
        parts += [together.POOLED]
        for table in (together.population_table(entry), together.runs_table(entry)):
            parts += [] if table is None else [f"{table.caption}:", to_markdown(table)]
    return parts


def _orders(orders: Entry) -> list[str]:
    parts = ["## Order of formation", _listed(order_sentences(orders))]
    frequencies = frequency_table(orders)
    if frequencies is not None:
        parts += [f"{frequencies.caption}:", to_markdown(frequencies)]
    for table, doubts in (*order_tables(orders), *rank_tables(orders)):
        parts += [f"{markdown_text(table.caption)}:", to_markdown(table), _listed(doubts)]
    return [*parts, EXPLAINED, _listed(orders["left_out"])]


def _curve(curve: Entry) -> list[str]:
    found = candidates(curve)
    text = markdown_text
    parts = [f"## {text(name_of(curve))}", text(sentence(curve["verdict"]))]
    parts += [text(takeaway_of(curve))]
    if found.leading:
        said = " ".join(found.leading)
        parts.append(text(f"Doubts about the heaviest hypothesis, {found.leader}: {said}"))
    if found.table.rows:
        parts.append(to_markdown(replace(found.table, rows=found.table.rows[:SHOWN])))
    named = [f"{letter}: {doubt}" for letter, doubt in found.doubts_of(0, SHOWN)]
    parts.append(_listed([*named, *found.shared]))
    for candidate, table in parameters(curve)[:1]:
        formula = latex(candidate["form"])
        written = f"`{candidate['expression']}`" if formula is None else f"${formula}$"
        parts += [f"{text(table.caption)}: {written}", to_markdown(table)]
    table_of_found = found_forms(curve)
    if table_of_found is not None:
        parts += [f"{table_of_found.caption}:", to_markdown(table_of_found)]
    parts.append(text(search_said(curve)))
    table_of_stages = stages(curve)
    if table_of_stages is not None:
        parts += [f"{table_of_stages.caption}:", to_markdown(table_of_stages)]
    table_of_license = license_table(curve)
    if table_of_license is not None:
        parts += [text(license_sentence(curve)), to_markdown(table_of_license)]
    return [*parts, text(forecast(curve))]


def _listed(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {markdown_text(sentence)}" for sentence in sentences)


def _provenance(document: Entry) -> str:
    pairs = [*provenance(document), *settings(document)]
    lines = [f"{name}: {value}" for name, value in pairs]
    versions = document["provenance"].get("versions") or {}
    if versions:
        lines.append("Versions: " + ", ".join(f"{k} {v}" for k, v in versions.items()))
    data = document["provenance"].get("data") or {}
    return _listed(lines + [f"Data: {name} sha256 {digest}" for name, digest in data.items()])
