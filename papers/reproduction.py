"""A published result re-executed: claims against outcomes, as results and report."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from papers.claim import Kind, Outcome
from papers.publication import Publication
from papers.wording import HOLDS, joined

if TYPE_CHECKING:
    from papers.published import Paper
    from papers.sections.study import Page
    from papers.studies import Progress

SCALES = ("quick", "full")
COLUMNS = ("claim", "published", "where", "here", "agrees", "why different")
KINDS = (
    'Claims of kind "shape" agree in sign or order only: network, mazes and sizes here are others, '
    "and numbers stand side by side without having to be equal. What has to come out for agreement "
    "was set down before it was run."
)


@final
@dataclass(frozen=True)
class Reproduction:
    """What re-executing a publication gave.

    Attributes
    ----------
    publication : Publication
    outcomes : tuple of Outcome
        One for each of its claims, in order.
    paragraphs : tuple of str
        What was run.
    pages : tuple of Page
        What else was measured.
    data : mapping of str to str
        SHA-256 of the files that were read, by name.

    Raises
    ------
    ValueError
        If a claim has no outcome, or one that is not asked for.
    """

    publication: Publication
    outcomes: tuple[Outcome, ...]
    paragraphs: tuple[str, ...]
    pages: tuple[Page, ...] = ()
    data: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        asked = [claim.name for claim in self.publication.claims]
        found = [outcome.claim.name for outcome in self.outcomes]
        if asked != found:
            raise ValueError(
                f"the outcomes must be those of {', '.join(asked)}, in this order; they are those "
                f"of {', '.join(found) or 'nothing'}."
            )

    @property
    def verdict(self) -> str:
        """How many claims come out as published, and which do not."""
        failed = [each.claim.name for each in self.outcomes if each.agrees is False]
        unsaid = [each.claim.name for each in self.outcomes if each.agrees is None]
        held = len(self.outcomes) - len(failed) - len(unsaid)
        parts = [f"Of {len(self.outcomes)} claims {held} come out here as published."]
        parts += [f"Not so: {joined(failed)}."] if failed else []
        parts += [f"It cannot be told of {joined(unsaid)}."] if unsaid else []
        return " ".join(parts)


def reproduce(
    paper: Paper,
    *,
    out: Path,
    seed: int,
    scale: str,
    store: Path | None,
    runs: Collection[str] | None = None,
    progress: Progress,
    command: str = "",
) -> Path:
    """Re-execute a paper into a folder and return the path of the report.

    Parameters
    ----------
    paper : Paper
    out : Path
    seed : int
    scale : str
        ``"quick"`` or ``"full"``.
    store : Path or None
        Trained agents, for a paper that is about agents; without, they are trained.
    runs : collection of str or None
        Labels or run_ids of those that are meant; all of the store if not given.
    progress : callable
        Told (label, done, total).
    command : str
        The command line, for the record; by default the one that does this.

    Raises
    ------
    ValueError
        If the scale is unknown, the store is of no use for this paper, or its claims are damaged.
    """
    from empirics.one_thread import one_thread
    from empirics.provenance import provenance
    from papers.report import render
    from papers.results import write

    if scale not in SCALES:
        raise ValueError(f"no scale {scale!r}; choose from {', '.join(sorted(SCALES))}.")
    began = time.monotonic()
    with one_thread():
        found = paper.run(
            out=out, seed=seed, scale=scale, store=store, runs=runs, progress=progress
        )
    given = f"ontogeny reproduce {paper.name} --scale {scale} --seed {seed} --out {out}"
    facts = {
        "command": command or given + (f" --store {store}" if store else ""),
        "seed": seed,
        "data": dict(found.data),
        "wall_seconds": time.monotonic() - began,
        **provenance().content(),
    }
    settings = {
        "scale": scale,
        "store": None if store is None else str(store),
        "runs": None if runs is None else sorted(runs),
    }
    progress("Writing the report", 0, 1)
    write(out, document(paper, found, facts, settings))
    report = render(out)
    progress("Writing the report", 1, 1)
    return report


def document(
    paper: Paper, found: Reproduction, facts: Mapping[str, Any], settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the results document of a reproduction."""
    from papers.results import to_json

    publication = found.publication
    study = {
        "name": paper.name,
        "title": f"Re-executed: {publication.title}",
        "question": f"What comes out here of what is published in {publication.source}?",
        "verdict": found.verdict,
        "paragraphs": list(found.paragraphs),
        "pages": [_claims(found.outcomes), *map(_page, found.pages)],
        "outcomes": [outcome.content() for outcome in found.outcomes],
        "settings": dict(settings),
    }
    return to_json("reproduce", [], None, facts, study=study)


def _claims(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the page with the one table: claim, published, here, verdict, why."""
    rows = [
        [
            f"{each.claim.statement} ({each.claim.kind}; asked: {each.claim.asked})",
            _numbers(each.claim.numbers),
            " · ".join(filter(None, (each.claim.locator, each.claim.source))),
            _numbers(each.here),
            HOLDS[each.agrees],
            each.why,
        ]
        for each in outcomes
    ]
    is_shape = any(each.claim.kind is Kind.SHAPE for each in outcomes)
    return {
        "title": "Claims and outcomes",
        "paragraphs": [KINDS] if is_shape else [],
        "tables": [{"caption": "claims against outcomes", "columns": list(COLUMNS), "rows": rows}],
    }


def _numbers(numbers: Mapping[str, float]) -> str:
    said = [f"{name.replace('_', ' ')} {value:.5g}" for name, value in numbers.items()]
    return "; ".join(said).replace("-", "−") or "–"


def _page(page: Page) -> dict[str, Any]:
    tables = [
        {
            "caption": table.caption,
            "columns": list(table.columns),
            "rows": [list(row) for row in table.rows],
        }
        for table in page.tables
    ]
    return {"title": page.title, "paragraphs": list(page.paragraphs), "tables": tables}
