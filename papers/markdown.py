"""The report as Markdown: the same sentences and tables, without figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from papers import sections
from papers.figures.curve import name_of, takeaway_of
from papers.tables import Table, to_markdown

SHOWN = 5


def markdown(document: Mapping[str, Any]) -> str:
    """Return a results document as Markdown."""
    parts = [f"# {sections.title_of(document)}", f"**{sections.headline(document)}**"]
    if "study" in document:
        parts += [document["study"]["question"], *document["study"]["paragraphs"]]
    for ladder in document.get("ladders", []):
        parts += [f"## {ladder['title']}", sections.sentence(ladder["verdict"])]
        parts += [ladder.get("text", "")]
        parts += [to_markdown(sections.scores(ladder))] if ladder["scores"] else []
    curves = document["curves"]
    if len(curves) > 1:
        parts += ["## All curves", to_markdown(sections.overview(curves))]
    for curve in curves:
        parts += _curve(curve)
    if document["rejected"]:
        rows = tuple((r["observable"], r["run"], r["reason"]) for r in document["rejected"])
        table = Table("Left out", ("observable", "run", "reason"), rows)
        parts += ["## Left out", to_markdown(table)]
    if document["notes"]:
        parts += ["## What reading did", "\n".join(f"- {note}" for note in document["notes"])]
    parts += ["## Provenance", _provenance(document)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _curve(curve: Mapping[str, Any]) -> list[str]:
    table, doubts = sections.candidates(curve)
    top = replace(table, rows=table.rows[:SHOWN])
    named = " ".join(str(row[-1]) for row in top.rows).split()
    parts = [f"## {name_of(curve)}", takeaway_of(curve), to_markdown(top)]
    parts += ["\n".join(f"- {letter}: {doubt}" for letter, doubt in doubts if letter in named)]
    for candidate, parameters in sections.parameters(curve)[:1]:
        parts += [f"{parameters.caption}: `{candidate['expression']}`", to_markdown(parameters)]
    stages = sections.stages(curve)
    if stages is not None:
        parts += [f"{stages.caption}:", to_markdown(stages)]
    return [*parts, sections.forecast(curve)]


def _provenance(document: Mapping[str, Any]) -> str:
    lines = [f"- {name}: {value}" for name, value in sections.provenance(document)]
    versions = document["provenance"].get("versions", {})
    if versions:
        lines.append("- Versions: " + ", ".join(f"{k} {v}" for k, v in versions.items()))
    data = document["provenance"].get("data", {})
    return "\n".join(lines + [f"- Data: `{name}` sha256 {digest}" for name, digest in data.items()])
