"""The stages of a curve, and the peak or trough where it turns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from papers.sections.overview import kind_of, leading_family
from papers.tables import Cell, Table
from papers.wording import PROGRESS, between, family_words

Entry = Mapping[str, Any]
STAGE = ("onset", "midpoint", "width", "share", "rise")


def stages(curve: Entry) -> Table | None:
    """Return the stages, and the extremum, in the units of the progress axis."""
    rows: list[tuple[Cell, ...]] = [
        (f"stage {i + 1}", *(_with_interval(stage, name) for name in STAGE))
        for i, stage in enumerate(curve["stages"])
    ]
    peak = curve.get("peak")
    if peak:
        at, high = (_interval(peak[name]) for name in ("time", "height"))
        rows.append((kind_of(peak), "–", at, "–", "–", f"height {high}"))
    if not rows:
        return None
    columns = ("part", "onset (10 %)", "midpoint", "width (10–90 %)", "share", "rise")
    return Table(_caption(curve), columns, tuple(rows))


def _caption(curve: Entry) -> str:
    axis = PROGRESS.get(curve["progress"], "training progress")
    family, probability = leading_family(curve)
    parts = [f"Stages, in {axis}, with 95 % intervals"]
    if curve["verdict"]["kind"] != "decided" and family and probability is not None:
        parts.append(f"if the shape is {family_words(family)} (probability {probability:.2f})")
    agreement = curve.get("stage_agreement")
    if agreement is not None and curve["stages"]:
        parts.append(f"{100 * agreement:.0f} % of the draws have this number of stages")
    return "; ".join(parts)


def _with_interval(stage: Entry, name: str) -> str:
    return between(stage.get(name), stage.get(f"{name}_interval"))


def _interval(estimate: Entry) -> str:
    return between(estimate["value"], (estimate["lower"], estimate["upper"]))
