"""The title of a report, and the verdict of the whole document in a sentence or two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from papers.sections import aggregates
from papers.sections import ladder as ladders
from papers.wording import family_words, joined, name_of, sentence, upper_first, words

Entry = Mapping[str, Any]
FEW = 3


def headline(document: Entry) -> str:
    """Return the verdict of the whole document in a sentence or two."""
    if "study" in document:
        return str(document["study"]["verdict"])
    if "aggregates" in document:
        return aggregates.headline(document["aggregates"])
    curves = document["curves"]
    if not curves and document.get("ladders"):
        return " ".join(_of_ladder(ladder) for ladder in document["ladders"])
    if not curves:
        return "No curve could be judged."
    if len(curves) == 1:
        return sentence(curves[0]["verdict"])
    if len(curves) <= FEW:
        # The names of observables stay as they are, also at the beginning.
        return "; ".join(_said(curve) for curve in curves) + "."
    kinds = Counter(curve["verdict"]["kind"] for curve in curves)
    decided = Counter(
        curve["verdict"]["families"][0] for curve in curves if curve["verdict"]["kind"] == "decided"
    )
    which = ", ".join(f"{n} {family_words(family)}" for family, n in decided.most_common())
    n = kinds["decided"]
    have = "has" if n == 1 else "have"
    parts = [f"{n} {have} a decided shape{f' ({which})' if which else ''}"]
    for kind, said in (("tied", "tied between two shapes"), ("inconclusive", "inconclusive")):
        if kinds[kind]:
            parts.append(f"{kinds[kind]} {'is' if kinds[kind] == 1 else 'are'} {said}")
    return f"Of {len(curves)} curves, {', '.join(parts)}."


def _of_ladder(ladder: Entry) -> str:
    """Say the verdict on a ladder."""
    kind = upper_first(str(ladder["verdict"]["kind"]))
    return f"{kind}: {ladders.reason(ladder)}"


def _said(curve: Entry) -> str:
    verdict = curve["verdict"]
    if verdict["kind"] == "inconclusive":
        return f"{name_of(curve)} is inconclusive"
    families = " or ".join(family_words(family) for family in verdict["families"])
    return f"{name_of(curve)} is {families} ({verdict['kind']})"


def title_of(document: Entry) -> str:
    """Return the title of the report."""
    if "study" in document:
        return str(document["study"]["title"])
    if "aggregates" in document:
        return aggregates.title(document["aggregates"])
    curves = document["curves"]
    if not curves and document.get("ladders"):
        return "Mechanisms tested on " + joined(
            [
                f"{len(ladder['onsets'])} runs over {words(ladder['condition'])}"
                for ladder in document["ladders"]
            ]
        )
    what = name_of(curves[0]) if len(curves) == 1 else f"{len(curves)} curves"
    begin = {"propose": "Forms proposed for", "compare": "Hypotheses compared on"}
    return f"{begin.get(document['command'], 'Results for')} {what}"
