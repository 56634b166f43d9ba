"""A figure's legend as text of the page, so that it wraps where the page is narrow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from papers.figures.drawing import VARIABLES

OPENING = '<svg class="swatch" viewBox="0 0 28 10" aria-hidden="true" focusable="false">'
DASH = 1.5


@final
@dataclass(frozen=True)
class Key:
    """One entry of a legend.

    Attributes
    ----------
    label : str
        What is drawn so.
    svg : str
        A sample of the mark, decorative: the label says the rest.
    """

    label: str
    svg: str


def line_key(label: str, color: str, style: Any = "-", *, band: bool = False) -> Key:
    """Return the entry of a line, and of the band around it."""
    name = f"var(--{VARIABLES[color]})"
    dashes = "" if style == "-" else " ".join(f"{DASH * part:g}" for part in style[1])
    dash = f' stroke-dasharray="{dashes}"' if dashes else ""
    around = f'<rect width="28" height="10" fill="{name}" opacity="0.2"/>' if band else ""
    line = f'<path d="M0 5H28" fill="none" stroke="{name}" stroke-width="2"{dash}/>'
    return Key(label, f"{OPENING}{around}{line}</svg>")


def dot_key(label: str, color: str) -> Key:
    """Return the entry of points."""
    return Key(label, f'{OPENING}<circle cx="14" cy="5" r="2.6" fill="{_of(color)}"/></svg>')


def triangle_key(label: str, color: str) -> Key:
    """Return the entry of open triangles."""
    mark = f'<path d="M14 1L18.5 9H9.5Z" fill="none" stroke="{_of(color)}" stroke-width="1.2"/>'
    return Key(label, f"{OPENING}{mark}</svg>")


def _of(color: str) -> str:
    return f"var(--{VARIABLES[color]})"
