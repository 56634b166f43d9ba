"""The results file, schema 1: what it holds, and the check that it does.

A results document is one JSON object; a number that could not be computed is null, never NaN::

    schema        1
    command       "propose", "compare", "study"
    curves        list, one entry a curve (`CURVE`): what was observed, the candidates best first,
                  probabilities of the families, stages, forecast, verdict; `best` (grid, median
                  and 95 % band of the best form) and `residuals`, so that a report needs no more
    rejected      list of {run, observable, reason}
    notes         list of sentences
    provenance    command, seed, versions, git_commit, git_dirty, platform, data (sha256 by file),
                  wall_seconds

A study adds ::

    study         {name, title, question, verdict, paragraphs: list of sentences}
    ladders       list of {title, condition, quantity, unit, log_condition, log_quantity, text,
                  truth (a mechanism's name, or null),
                  onsets: list of {condition, facet, run, lower, upper (null: not reached)},
                  predictions: list of {mechanism, facet, condition: list, median: list},
                  scores: list of {mechanism, log_evidence, log_evidence_se, weight, clock, cv,
                  doubts}, verdict: {kind, mechanisms, reason}}
    developments  list of {title, condition, observables: list, takeaway}: curves of the document
                  to be drawn together, one panel a value of the condition
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SCHEMA = 1
DOCUMENT = ("schema", "command", "curves", "rejected", "notes", "provenance")
CURVE = (
    "run",
    "run_id",
    "observable",
    "unit",
    "progress",
    "n_obs",
    "conditions",
    "t",
    "y",
    "family_probabilities",
    "candidates",
    "stages",
    "forecast",
    "verdict",
)
LADDER = (
    "title",
    "condition",
    "quantity",
    "onsets",
    "predictions",
    "scores",
    "verdict",
)
DEVELOPMENT = ("title", "condition", "observables", "takeaway")
STUDY = ("name", "title", "question", "verdict", "paragraphs")


def validate(document: Any, place: str) -> None:
    """Check that a document is schema 1 and holds what a report needs.

    Raises
    ------
    ValueError
        In one sentence: what is missing, and where.
    """
    if not isinstance(document, Mapping) or "schema" not in document:
        raise ValueError(f"{place} holds no results of Ontogeny: it has no schema version.")
    if document["schema"] != SCHEMA:
        raise ValueError(
            f"{place} has results of schema {document['schema']!r}; this Ontogeny reads schema "
            f"{SCHEMA}. Use the version that wrote them, or run the command again."
        )
    _check(document, DOCUMENT, place)
    for i, curve in enumerate(document["curves"]):
        _check(curve, CURVE, f"curve {i} of {place}")
    for i, ladder in enumerate(document.get("ladders", [])):
        _check(ladder, LADDER, f"ladder {i} of {place}")
    for i, development in enumerate(document.get("developments", [])):
        _check(development, DEVELOPMENT, f"development {i} of {place}")
    if "study" in document:
        _check(document["study"], STUDY, f"the study of {place}")


def _check(entry: Any, keys: tuple[str, ...], place: str) -> None:
    missing = [key for key in keys if not isinstance(entry, Mapping) or key not in entry]
    if missing:
        raise ValueError(f"{place} lacks {', '.join(missing)}.")
