"""The report: one self-contained HTML page from a results file, with Markdown and tables beside."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from empirics.atomically import write_text
from papers.markdown import markdown
from papers.page import html
from papers.records import records
from papers.results import RESULTS, read, write
from papers.sections.latex_tables import latex_tables
from papers.tables import to_csv, to_latex

REPORT = "report.html"
OURS = re.compile(
    r"(aggregate_(curves|onsets|profiles|runs)|aggregates|candidates|improvements|likenesses|"
    r"curves|extrema|frequencies|order_frequencies|orders(_\d+)?|parameters|pooled|"
    r"page_\d+_\d+|populations|ranks|readings|runs|stages|ladder_\d+(_onsets|_signatures|_unknowns)?)\.(csv|tex)"
)
"""Names of the tables that a render may write, and hence may take away."""

Progress = Callable[[str, int, int], None]
DAMAGE = (ValueError, LookupError, TypeError, AttributeError, StopIteration, ArithmeticError)
"""What rendering a document raises that holds other things than its check looks at."""


def render(
    results: Path | str, *, out: Path | str | None = None, progress: Progress | None = None
) -> Path:
    """Render the report of a folder of results (or of a results file).

    Writes ``report.html``, ``report.md`` and ``tables/`` beside the results file, or into
    another folder with a copy of the results; the same results give the same bytes. Nothing is
    written before everything is rendered. Tables of an earlier render that this one does not
    write are taken away.

    Parameters
    ----------
    results : path
    out : path, optional
        Another folder.
    progress : callable, optional
        Told (label, done, total) as curves are drawn.

    Returns
    -------
    Path
        The HTML page.

    Raises
    ------
    ValueError
        If there is no results file of this schema, or it is damaged; in one sentence.
    """
    path = Path(results)
    document = read(path)
    file = path / RESULTS if path.is_dir() else path
    folder = file.parent if out is None else Path(out)
    name = file.name if out is None else RESULTS
    files = rendered(document, str(file), name, progress)
    if out is not None:
        write(folder, document)
    for name, text in files.items():
        write_text(folder / name, text)
    _clear(folder / "tables", files)
    return folder / REPORT


def rendered(
    document: Mapping[str, Any], place: str, name: str, progress: Progress | None = None
) -> dict[str, str]:
    """Return everything a render writes, by name in the folder; the page comes last.

    Raises
    ------
    ValueError
        If the document is damaged in a way that its check did not see; in one sentence.
    """
    from jinja2 import TemplateError

    try:
        found = {f"tables/{k}.csv": to_csv(table) for k, table in records(document).items()}
        tex = latex_tables(document)
        found |= {f"tables/{k}.tex": to_latex(table) for k, table in tex.items()}
        found["report.md"] = markdown(document)
        found[REPORT] = html(document, results_name=name, progress=progress)
    except (*DAMAGE, TemplateError) as error:
        if os.environ.get("ONTOGENY_TRACEBACK"):
            raise
        said = str(error) or "something in it is missing"
        raise ValueError(f"{place} is damaged: {type(error).__name__}: {said}.") from error
    return found


def render_folder(folder: Path | str) -> Path:
    """Render the report of a folder of results: `render` under the command line's name."""
    return render(folder)


def _clear(folder: Path, kept: Mapping[str, str]) -> None:
    """Delete tables of an earlier render; whatever else lies there is not ours."""
    for path in folder.glob("*"):
        if OURS.fullmatch(path.name) and f"{folder.name}/{path.name}" not in kept:
            path.unlink()
