"""Runs of one observable together: their shapes and forms, and the population they come from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from papers.mathematics import meanings
from papers.sections.parameters import unit_of
from papers.tables import Cell, Table
from papers.wording import between, family_words, joined, words

Entry = Mapping[str, Any]
SHAPES = "How frequent each shape is among such runs"
FORMS = "How frequent each form is among such runs"
EXPLAINED = (
    "Frequencies are those of the runs that these stand for, with 95 % intervals. Exceedance is "
    "the probability that a shape is the most frequent one; protected, the same after allowing for "
    "all shapes to be equally frequent (omnibus risk). Near-copies of a form do not change the "
    "frequencies of shapes, but share those of forms."
)
POOLED = (
    "Every run has parameters of its own, drawn from a population: normal, in ln for times and "
    "rates. What one run leaves open, the others fill in, the more so the less its own curve says. "
    "By itself: the estimate of the run's own fit, with its profile-likelihood interval; an open "
    "side, on which the curve sets no limit, is a dash."
)


def shapes_said(entry: Entry) -> str:
    """Say how frequent shapes are, or why that is not known."""
    effects = entry["families"]
    return effects_said(effects) if effects else str(entry["reason"])


def effects_said(effects: Entry) -> str:
    """Return the sentence of frequencies, families and forms in words."""
    said = str(effects["sentence"])
    for model in sorted((m["name"] for m in effects["models"]), key=len, reverse=True):
        said = re.sub(rf"\b{re.escape(model)}\b", family_words(model), said)
    return said


def _effects_table(effects: Entry, noun: str, caption: str) -> Table:
    """Return one row a shape or form, the most frequent first."""
    names = ("frequency", "lower", "upper", "exceedance", "protected")
    rows: list[tuple[Cell, ...]] = [
        (family_words(model["name"]), model["assigned"], *(model[name] for name in names))
        for model in sorted(effects["models"], key=lambda model: -(model["frequency"] or 0.0))
    ]
    shares = ("frequency", "2.5 %", "97.5 %", "exceedance", "protected exceedance")
    columns = (noun, "runs assigned", *shares)
    risk = effects["omnibus_risk"]
    if risk is not None:
        caption = f"{caption}; omnibus risk {risk:.3f}"
    return Table(caption, columns, tuple(rows), decimals=dict.fromkeys(shares, 3))


def shapes_table(entry: Entry) -> Table | None:
    """Return the frequencies of shapes; None where they are not known."""
    return _effects_table(entry["families"], "shape", SHAPES) if entry["families"] else None


def forms_table(entry: Entry) -> Table | None:
    """Return the frequencies of forms; None where they are not known."""
    return _effects_table(entry["forms"], "form", FORMS) if entry["forms"] else None


def forms_said(entry: Entry) -> str:
    """Say how frequent forms are, with the doubts about it; empty where that is not known."""
    effects = entry["forms"]
    return " ".join([effects_said(effects), *effects["doubts"]]) if effects else ""


def doubts_together(entry: Entry) -> list[str]:
    """Return the doubts about the runs, then those about the frequencies of their shapes."""
    return [*entry["doubts"], *(entry["families"] or {"doubts": ()})["doubts"]]


def left_out_said(entry: Entry) -> list[str]:
    """Return one sentence for each run that does not count."""
    return [f"{one['run']}: {one['reason']}" for one in entry["left_out"]]


def pooled_said(entry: Entry) -> str:
    """Say the population's medians, or why there are none."""
    pooled = entry["pooled"]
    if pooled["reason"]:
        return f"Not pooled: {pooled['reason']}"
    known = [p for p in pooled["parameters"] if p["median"]]
    if not known:
        return f"Not pooled: {pooled['status']}"
    said = joined([f"{p['name']} {_between(p['median'])}" for p in known])
    doubted = f" {pooled['status']}" if pooled["status"] else ""
    return f"Pooled under {words(pooled['form'])}, medians of the population: {said}.{doubted}"


def doubts_of_pooled(entry: Entry) -> list[str]:
    """Return the doubts about the pooled fit, and which runs it has not."""
    pooled = entry.get("pooled") or {"doubts": (), "left_out": ()}
    left_out = [f"Not pooled: {one['run']}: {one['reason']}" for one in pooled["left_out"]]
    return [*pooled["doubts"], *left_out]


def population_table(entry: Entry) -> Table | None:
    """Return median and spread of the population in each parameter; None without a pooled fit."""
    pooled = entry.get("pooled")
    if not pooled or not pooled["parameters"]:
        return None
    meaning = meanings(pooled["form"])
    rows: list[tuple[Cell, ...]] = []
    for parameter in pooled["parameters"]:
        name = parameter["name"]
        unit = unit_of(pooled["form"], name, entry)
        of = "of ln" if parameter["log"] else unit
        spread = _between(parameter["spread"])
        rows.append((name, _between(parameter["median"]), unit, spread, of, meaning.get(name, "")))
    columns = ("parameter", "median", "unit", "spread", "spread in", "meaning")
    caption = f"The population under {words(pooled['form'])}, with 95 % intervals"
    return Table(caption, columns, tuple(rows))


def runs_table(entry: Entry) -> Table | None:
    """Return each run's parameters, pooled and by itself; None without a pooled fit."""
    pooled = entry.get("pooled")
    if not pooled or not pooled["runs"]:
        return None
    names = [parameter["name"] for parameter in pooled["parameters"]]
    rows: list[tuple[Cell, ...]] = []
    for run in pooled["runs"]:
        for key, said in (("pooled", "pooled"), ("single", "by itself")):
            rows.append((run["run"], said, *(_between(run[key].get(name)) for name in names)))
    caption = "Each run, pooled and by itself, with 95 % intervals"
    return Table(caption, ("run", "estimate", *names), tuple(rows))


def _between(estimate: Entry | None) -> str:
    if estimate is None or estimate["value"] is None:
        return "–"
    lower, upper = estimate["lower"], estimate["upper"]
    if lower is None and upper is None:
        return between(estimate["value"], None)
    if lower is None or upper is None:
        ends = ["–" if edge is None else between(edge, None) for edge in (lower, upper)]
        return f"{between(estimate['value'], None)} [{', '.join(ends)}]"
    return between(estimate["value"], (lower, upper))
