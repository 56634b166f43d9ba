"""The results file: comparisons as JSON, written whole and read back checked."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from empirics.atomically import write_text
from papers.curve_results import Document, curve_json, number
from papers.schema import SCHEMA, validate

if TYPE_CHECKING:
    from empirics.curve_set import CurveSet
    from fitting.comparison import Comparison
    from fitting.ladders.onsets import OnsetComparison, OnsetScore

RESULTS = "results.json"
FAR, NEAR = 2.0, 0.9
"""Prior sd from 1 of a clock factor, and share of the largest spread, that raise a doubt."""


def to_json(
    command: str,
    comparisons: Sequence[Comparison],
    curve_set: CurveSet | None,
    provenance: Mapping[str, Any],
    **more: Any,
) -> Document:
    """Return the results document (`papers.schema`) of some comparisons.

    Parameters
    ----------
    command : str
        The command that made them.
    comparisons : sequence of Comparison
    curve_set : CurveSet or None
        Names what was rejected and what reading did.
    provenance : mapping
        Plain values.
    **more
        Further keys: ``aggregates``, ``orders``, ``populations``, ``study``, ``ladders``,
        ``developments``.
    """
    rejected = [] if curve_set is None else curve_set.rejected
    return {
        "schema": SCHEMA,
        "command": command,
        "curves": [curve_json(comparison) for comparison in comparisons],
        "rejected": [
            {"run": r.label, "observable": r.observable, "reason": r.reason} for r in rejected
        ],
        "notes": [] if curve_set is None else list(curve_set.notes),
        "provenance": dict(provenance),
        **more,
    }


def ladder_json(
    comparison: OnsetComparison,
    *,
    title: str,
    unit: str = "",
    quantity: str = "onset",
    truth: str | None = None,
    text: str = "",
    clock_sd: float | None = None,
    log_condition: bool = True,
    log_quantity: bool = True,
) -> Document:
    """Return one entry of ``ladders`` of a comparison of mechanisms on onsets.

    The first condition of the ladder is the axis; the others make facets. Predicted medians
    carry the fitted factor on time (`clock`), which is given beside them. With the prior sd of
    its logarithm, `clock_sd`, a factor at the edge of its prior is doubted.
    """
    condition, *others = comparison.ladder
    rungs = [
        (dict(rung.conditions)[condition], _facet(dict(rung.conditions), others), rung)
        for rung in comparison.rungs
    ]
    return {
        "title": title,
        "condition": condition,
        "quantity": quantity,
        "unit": unit,
        "log_condition": log_condition,
        "log_quantity": log_quantity,
        "truth": truth,
        "text": text,
        "onsets": [
            {
                "condition": value,
                "conditions": {name: dict(rung.conditions)[name] for name in others},
                "facet": facet,
                "run": onset.run,
                "lower": number(onset.lower),
                "upper": number(onset.upper),
            }
            for value, facet, rung in rungs
            for onset in rung.onsets
        ],
        "predictions": [
            _prediction(score, rungs, facet)
            for score in comparison.scores
            if score.medians
            for facet in dict.fromkeys(facet for _, facet, _ in rungs)
        ],
        "scores": [_onset_score(score, clock_sd) for score in comparison.scores],
        "verdict": {
            "kind": str(comparison.verdict.kind),
            "mechanisms": list(comparison.verdict.mechanisms),
            "reason": comparison.verdict.reason,
        },
    }


def _facet(conditions: Mapping[str, Any], names: Sequence[str]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {conditions[name]}" for name in names)


def _prediction(score: Any, rungs: Sequence[tuple[Any, str, Any]], facet: str) -> Document:
    clock = 1.0 if score.clock is None else score.clock
    pairs = [
        (value, number(clock * median))
        for (value, own, _), median in zip(rungs, score.medians, strict=True)
        if own == facet
    ]
    return {
        "mechanism": score.name,
        "facet": facet,
        "condition": [value for value, _ in pairs],
        "median": [median for _, median in pairs],
    }


def _onset_score(score: OnsetScore, clock_sd: float | None) -> Document:
    names = ("log_evidence", "log_evidence_se", "weight", "clock", "cv", "held_out")
    return {
        "mechanism": score.name,
        **{name: number(getattr(score, name)) for name in names},
        "doubts": [*score.doubts, *edge_doubts(score.clock, score.cv, clock_sd)],
    }


def edge_doubts(clock: float | None, cv: float | None, clock_sd: float | None) -> list[str]:
    """Return the doubts that a fitted clock factor or spread at the edge of its prior raises.

    There the mechanism only fits by what it does not explain: by another pace than its own
    equations have, or by calling the differences between runs chance.
    """
    from fitting.ladders.onset_evidence import CV_RANGE

    found = []
    if clock is not None and clock_sd is not None and abs(math.log(clock)) > FAR * clock_sd:
        found.append(
            f"The clock factor {clock:.2f} lies {abs(math.log(clock)) / clock_sd:.1f} prior sd "
            "from 1: the pace is not this mechanism's."
        )
    if cv is not None and cv > NEAR * CV_RANGE[1]:
        found.append(
            f"The spread {cv:.2f} lies at the edge of its prior range ({CV_RANGE[0]:g} to "
            f"{CV_RANGE[1]:g}): the differences between runs count as chance."
        )
    return found


def write(out: Path | str, document: Mapping[str, Any]) -> Path:
    """Write ``results.json`` into a folder, whole or not at all.

    Raises
    ------
    ValueError
        If the document is not schema 1, or holds a number that is not finite.
    """
    path = Path(out) / RESULTS
    validate(document, str(path))
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_text(path, text)
    return path


def read(path: Path | str) -> Document:
    """Read a results file, or the one in a folder, and check it.

    Raises
    ------
    ValueError
        If there is none, or it is not schema 1; in one sentence.
    """
    path = Path(path)
    file = path / RESULTS if path.is_dir() else path
    if not file.is_file():
        raise ValueError(f"{path} has no {RESULTS}; give a folder that another command made.")
    try:
        document = json.loads(file.read_text(encoding="utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is not JSON: {error}.") from None
    validate(document, str(file))
    assert isinstance(document, dict)  # validated
    return document


def _refuse(constant: str) -> None:
    raise ValueError(f"it holds {constant}, which is no number of JSON; null stands for it")
