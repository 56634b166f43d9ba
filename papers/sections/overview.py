"""One row a curve: its verdict, its shape, the forms of that shape, and when it happens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from papers.tables import Cell, Table
from papers.wording import between, family_words, run_of, words

Entry = Mapping[str, Any]
MOST_FORMS = 3
LEVEL = 0.95
"""Share of the weight of a shape's candidates that the listed forms hold together."""

LIKELY = 0.5
"""Probability from which an undecided shape's time is given, as a condition."""


def overview(curves: Sequence[Entry]) -> Table:
    """Return one row a curve: verdict, shape, forms, and when it happens."""
    rows: list[tuple[Cell, ...]] = []
    for curve in curves:
        family, probability = leading_family(curve)
        rows.append(
            (
                curve["observable"],
                run_of(curve),
                curve["n_obs"],
                curve["verdict"]["kind"],
                "–" if family is None else family_words(family),
                probability,
                forms_said(curve),
                when(curve),
            )
        )
    columns = ("observable", "run", "points", "verdict", "shape", "probability", "forms", "when")
    return Table("All curves", columns, tuple(rows), decimals={"probability": 2})


def leading_family(curve: Entry) -> tuple[str | None, float | None]:
    """Return the most probable family and its probability; None where nothing was compared."""
    known = {k: v for k, v in curve["family_probabilities"].items() if v is not None}
    if not known:
        return None, None
    family = max(known, key=lambda name: known[name])
    return family, known[family]


def forms_of_family(curve: Entry) -> list[str]:
    """Return the fewest forms, heaviest first, that hold most of the leading family's weight.

    Only candidates whose own curves have that shape count: a form that fits with another
    shape is no evidence for this one.
    """
    family, _ = leading_family(curve)
    weights: dict[str, float] = {}
    for candidate in curve["candidates"]:
        if candidate["family"] == family and candidate["weight"]:
            form = candidate["form"]
            weights[form] = weights.get(form, 0.0) + float(candidate["weight"])
    total, held, kept = sum(weights.values()), 0.0, []
    for form in sorted(weights, key=lambda name: -weights[name]):
        if held >= LEVEL * total:
            break
        kept.append(form)
        held += weights[form]
    return kept


def forms_said(curve: Entry) -> str:
    """Name at most three forms of the leading family, and how many more there are."""
    forms = forms_of_family(curve)
    more = f", +{len(forms) - MOST_FORMS}" if len(forms) > MOST_FORMS else ""
    return ", ".join(words(form) for form in forms[:MOST_FORMS]) + more or "–"


def when(curve: Entry) -> str:
    """Say when the curve turns, or its largest stage is half done, with the interval.

    Stages are those of the leading family, so where that is not decided they are said as a
    condition, and where it is no change or improbable not at all.
    """
    family, probability = leading_family(curve)
    if family in (None, "none") or probability is None:
        return "–"
    if curve["verdict"]["kind"] == "decided":
        return _time(curve)
    if probability < LIKELY:
        return "–"
    time = _time(curve)
    return time if time == "–" else f"if {family}: {time}"


def _time(curve: Entry) -> str:
    peak = curve.get("peak")
    if peak and peak["time"]:
        time = peak["time"]
        return f"{kind_of(peak)} {between(time['value'], (time['lower'], time['upper']))}"
    stage = largest_stage(curve)
    if stage is None:
        return "–"
    return f"half {between(stage['midpoint'], stage.get('midpoint_interval'))}"


def kind_of(peak: Entry) -> str:
    """Tell a peak from a trough: its prominence is negative where the curve turns up again."""
    prominence = (peak.get("prominence") or {}).get("value")
    return "trough" if prominence is not None and prominence < 0 else "peak"


def largest_stage(curve: Entry) -> Entry | None:
    """Return the stage with the largest part of the whole change; None if there is none."""
    stages = [stage for stage in curve["stages"] if stage.get("midpoint") is not None]
    return max(stages, key=lambda stage: stage["share"] or 0.0, default=None)
