"""A drawing: an accessible inline SVG that follows the page's colors, with its table."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, final

from papers.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from papers.figures.key import Key

# Colors that stand for CSS variables. A figure is drawn once and looks right on a light and a
# dark page: each of these is replaced by var(--name) in the finished SVG.
INK = "#010101"
MUTED = "#010102"
FAINT = "#010103"
BLUE = "#010111"
RED = "#010112"
GREEN = "#010113"
PURPLE = "#010114"
PAGE = "#010120"
# Okabe and Ito (2008); the page lightens them where it is dark.
VARIABLES = {
    INK: "ink",
    MUTED: "muted",
    FAINT: "rule",
    BLUE: "blue",
    RED: "red",
    GREEN: "green",
    PURPLE: "purple",
    PAGE: "page",
    # matplotlib's own black is left in edges that are not drawn.
    "#000000": "ink",
}
# Color and line style together, so that a reader who sees no color still tells them apart.
SERIES: tuple[tuple[str, Any, str], ...] = (
    (BLUE, "-", "o"),
    (RED, (0, (5, 2)), "s"),
    (GREEN, (0, (5, 1.5, 1, 1.5)), "D"),
    (PURPLE, (0, (1, 1.4)), "^"),
    (INK, (0, (8, 2, 1, 2, 1, 2)), "v"),
    (MUTED, (0, (3, 3)), "P"),
)
WIDTH = 4.1
_STYLE = {
    "svg.hashsalt": "ontogeny",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 8.0,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.labelsize": 8.0,
    "axes.titlesize": 8.0,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 0.0,
    "ytick.minor.size": 0.0,
    "lines.linewidth": 1.4,
    "axes.formatter.useoffset": False,
    "path.simplify": False,
}


@final
@dataclass(frozen=True)
class Drawing:
    """A figure of the report.

    Attributes
    ----------
    title : str
        What the figure shows, in a few words.
    takeaway : str
        What a reader should take from it, in a sentence; also the SVG's description.
    panels : tuple of str
        Inline SVG elements, which the page sets side by side or below one another.
    keys : tuple of Key
        The legend of all panels.
    tables : tuple of Table
        The numbers that are drawn.
    """

    title: str
    takeaway: str
    panels: tuple[str, ...]
    keys: tuple[Key, ...]
    tables: tuple[Table, ...]


@contextmanager
def canvas(height: float, *, width: float = WIDTH, top: float = 0.1) -> Iterator[Figure]:
    """Give an empty figure (inches) in the house style, without pyplot's global state."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(width, height))
        FigureCanvasSVG(figure)
        figure.patch.set_visible(False)
        # Fixed margins: fitting them to the text would draw every figure several times over.
        figure.subplots_adjust(
            left=0.58 / width, right=1 - 0.08 / width, bottom=0.46 / height, top=1 - top / height
        )
        yield figure


def inline_svg(figure: Figure, key: str, title: str, takeaway: str) -> str:
    """Return a figure as an SVG element for a page that holds many.

    The same figure gives the same bytes. Identifiers get the prefix `key`, since a
    reference to another figure's definition would not be drawn while that one is hidden.
    """
    file = io.StringIO()
    nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
    figure.savefig(file, format="svg", metadata=nothing, transparent=True)
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :].strip()
    # A style element inside would style the whole page.
    svg = re.sub(r"<(metadata|style)[ >].*?</\1>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = _own_identifiers(svg, key)
    for color, name in VARIABLES.items():
        svg = svg.replace(color, f"var(--{name})")
    svg = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", svg)
    # In attributes only: a label that says 0.25 must go on saying so.
    svg = re.sub(r'="[^"]*"', lambda match: re.sub(r"-?\d+\.\d{2,}", _rounded, match[0]), svg)
    svg = re.sub(r' d="([^"]*)"', _compact, svg)
    svg = re.sub(r">\s+<", "><", svg).replace("<defs></defs>", "").replace("<defs/>", "")
    head = re.match(r"<svg[^>]*>", svg)
    box = re.search(r'viewBox="([^"]*)"', svg)
    assert head is not None and box is not None  # matplotlib always writes both
    # No larger than that its letters are as large as those of the text around it.
    widest = round(1.75 * float(box[1].split()[2]))
    opening = (
        f'<svg role="img" viewBox="{box[1]}" style="max-width: {widest}px" '
        f'xmlns="http://www.w3.org/2000/svg" '
        f'xmlns:xlink="http://www.w3.org/1999/xlink" stroke-linejoin="round" '
        f'aria-labelledby="{key}-title {key}-desc">'
        f'<title id="{key}-title">{escape(title)}</title>'
        f'<desc id="{key}-desc">{escape(takeaway)}</desc>'
    )
    return opening + svg[head.end() :]


def _compact(match: re.Match[str]) -> str:
    """Write a path without the blanks and repeated commands that SVG does not need."""
    path = re.sub(r"\s+", " ", match[1]).strip()
    path = re.sub(r" ?([MLzZCQ]) ?", r"\1", path)
    path = re.sub(r"(?<=\d)L", " ", path)
    return f' d="{path}"'


def _rounded(match: re.Match[str]) -> str:
    # A tenth of a point is below a pixel, and the page stays half as large.
    return f"{float(match[0]):.1f}".removesuffix(".0")


def _own_identifiers(svg: str, key: str) -> str:
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))

    def renamed(match: re.Match[str]) -> str:
        return f' id="{key}-{match[1]}"' if match[1] in used else ""

    svg = re.sub(r' id="([^"]+)"', renamed, svg)
    return re.sub(r'((?:href="#|url\(#))', rf"\1{key}-", svg)
