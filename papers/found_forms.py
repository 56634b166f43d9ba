"""What a search found, as part of a curve's entry in the results file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from papers.curve_results import number

if TYPE_CHECKING:
    from fitting.search.proposal import Proposal
    from fitting.search.search import Found

Document = dict[str, Any]


def with_searches(document: Document, proposals: Sequence[Proposal]) -> Document:
    """Return a results document whose curves have their search beside their comparison."""
    curves = [
        {**entry, "search": search_json(proposal)}
        for entry, proposal in zip(document["curves"], proposals, strict=True)
    ]
    return {**document, "curves": curves}


def search_json(proposal: Proposal) -> Document:
    """Return the key ``search`` of a curve."""
    search = proposal.search
    return {
        "looked": search.looked,
        "total": search.total,
        "conclusion": proposal.conclusion,
        "notes": list(search.notes),
        "found": [_found_json(one, proposal) for one in search.found],
    }


def _found_json(found: Found, proposal: Proposal) -> Document:
    form, score = found.form, proposal.score(found)
    return {
        "form": form.name,
        "competes_as": found.competes_as,
        "origin": found.origin,
        "expression": form.python,
        "latex": form.latex,
        "description_length": number(found.description_length),
        "log_evidence": None if score is None else number(score.log_evidence),
        "match": found.match,
        "matches": [
            {"form": match.form, "kind": str(match.kind), "words": match.words}
            for match in found.matches
        ],
        "values": {
            name: number(float(value)) for name, value in zip(form.names, found.theta, strict=True)
        },
        "units": {parameter.name: parameter.unit for parameter in form.parameters},
        "meanings": {parameter.name: parameter.meaning for parameter in form.parameters},
        "python": found.source,
    }
