"""A sweep over the settings of chains, written: a page with its picture, and a Markdown table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from empirics.atomically import write_text
from papers.figures.calibration import calibration_drawing, calibration_table
from papers.page import TEMPLATES
from papers.tables import to_markdown

if TYPE_CHECKING:
    from empirics.llc.calibration import Calibration
    from papers.figures.drawing import Drawing


def write_calibration(
    calibration: Calibration,
    folder: Path,
    name: str,
    *,
    checkpoints: Sequence[str],
    sentences: Sequence[str] = (),
) -> Path:
    """Write ``name.html``, a figure a checkpoint, and ``name.md``, all readings; return the page.

    Parameters
    ----------
    calibration : Calibration
    folder : Path
        Made if it does not exist.
    name : str
    checkpoints : sequence of str
        What the checkpoints are called, in their order.
    sentences : sequence of str
        What else is to be said of the sweep.
    """
    said = [calibration.sentence, *sentences]
    listed = [f"{i}. {each}" for i, each in enumerate(checkpoints, start=1)]
    blocks = ["\n\n".join(said), "Checkpoints:", "\n".join(listed)]
    table = to_markdown(calibration_table(calibration))
    write_text(folder / f"{name}.md", "\n\n".join([*blocks, table]) + "\n")
    drawn = [
        _figure(each, calibration_drawing(calibration, f"c{i}", checkpoint=i))
        for i, each in enumerate(checkpoints)
    ]
    css = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    page = folder / f"{name}.html"
    write_text(page, _page("Settings of the chains", css, said, drawn))
    return page


def _figure(title: str, drawing: Drawing) -> str:
    keys = "".join(f"<li>{key.svg} {escape(key.label)}</li>" for key in drawing.keys)
    panels = "".join(f"<div>{panel}</div>" for panel in drawing.panels)
    several = " several" if len(drawing.panels) > 1 else ""
    return (
        f'<h2>{escape(title)}</h2>\n<figure>\n<ul class="keys">{keys}</ul>\n'
        f'<div class="panels{several}">{panels}</div>\n</figure>'
    )


def _page(title: str, css: str, sentences: Sequence[str], figures: Sequence[str]) -> str:
    said = "\n".join(f"<p>{escape(each)}</p>" for each in sentences)
    head = (
        '<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>\n{css}</style>"
    )
    body = "\n".join([f"<h1>{escape(title)}</h1>", said, *figures])
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n{head}\n</head>\n'
        f'<body>\n<main class="top">\n{body}\n</main>\n</body>\n</html>\n'
    )
