"""A table of the report, written as HTML (by the template), CSV, LaTeX or Markdown."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

Cell = str | int | float | None


@final
@dataclass(frozen=True)
class Table:
    """Rows under a header.

    Attributes
    ----------
    caption : str
        What the rows are.
    columns : tuple of str
        Header; every column has a name.
    rows : tuple of tuple
        Numbers stay numbers; None is a number that could not be computed.
    digits : int
        Significant digits shown to a reader; CSV keeps all.
    decimals : mapping of str to int
        Columns shown with a fixed number of decimals instead, so that their points align.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    digits: int = 4
    decimals: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not all(self.columns):
            raise ValueError(f"every column of {self.caption!r} needs a name; got {self.columns}.")
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(
                    f"every row of {self.caption!r} needs {len(self.columns)} cells; "
                    f"one has {len(row)}."
                )

    def shown(self) -> list[list[str]]:
        """Return the cells as a reader sees them."""
        places = [self.decimals.get(column) for column in self.columns]
        return [
            [
                fixed(cell, n) if n is not None and isinstance(cell, float) else _shown(cell, self)
                for cell, n in zip(row, places, strict=True)
            ]
            for row in self.rows
        ]

    def is_number(self, column: int) -> bool:
        """Tell whether a column holds numbers only, to be set flush right."""
        cells = [row[column] for row in self.rows if row[column] is not None]
        return bool(cells) and all(isinstance(cell, int | float) for cell in cells)


def _shown(cell: Cell, table: Table) -> str:
    return shown(cell, table.digits)


LARGEST_FIXED = 1e7
"""From here on digits after the point, and most of those before it, say nothing."""


def fixed(value: float, places: int) -> str:
    """Write a number with fixed decimals; one too small for them as a bound, a huge one short."""
    least = 10.0**-places
    if 0 < value < least / 2:
        return f"<\u2009{least:.{places}f}"
    if math.isfinite(value) and abs(value) >= LARGEST_FIXED:
        return scientific(value, 2)
    return f"{value:.{places}f}".replace("-", "−")


def scientific(value: float, digits: int) -> str:
    """Write a number as mantissa and power of ten: 2.7·10⁸."""
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa}·10{raised}".replace("-", "−")


def shown(value: Any, digits: int = 4) -> str:
    """Write a cell for a reader: a true minus sign, few digits, a dash for nothing."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\u202f").replace("-", "−")
    if not isinstance(value, float):
        return str(value)
    if value == 0 or not math.isfinite(value):
        return f"{value:g}".replace("-", "−")
    if 1e-4 <= abs(value) < 10.0**digits:
        places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
        return f"{value:.{places}f}".replace("-", "−")
    if abs(value) < 1e9 and abs(value) >= 1:
        return f"{value:,.0f}".replace(",", "\u202f").replace("-", "−")
    return scientific(value, digits)


def to_csv(table: Table) -> str:
    """Write a table as CSV, with all digits; an empty cell is a number not computed."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(["" if cell is None else cell for cell in row] for row in table.rows)
    return file.getvalue()


_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "−": "$-$",
    "–": "--",
    "×": r"$\times$",
    "±": r"$\pm$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "Δ": r"$\Delta$",
    "·": r"$\cdot$",
    "α": r"$\alpha$",
    "…": r"\ldots{}",
    "\u202f": r"\,",
    "\u2009": r"\,",
    "<": "$<$",
}
_RAISED = {
    digit: f"$^{{{plain}}}$" for digit, plain in zip("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789", strict=True)
}


def to_latex(table: Table) -> str:
    """Write a table as a LaTeX tabular with booktabs rules."""
    kinds = "".join("r" if table.is_number(i) else "l" for i in range(len(table.columns)))
    rows = [table.columns, *table.shown()]
    head, *body = (" & ".join(latex_text(cell) for cell in row) + r" \\" for row in rows)
    lines = [rf"\begin{{tabular}}{{{kinds}}}", r"\toprule", head, r"\midrule", *body]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def latex_text(text: str) -> str:
    """Escape what LaTeX would read as a command."""
    return "".join((_LATEX | _RAISED).get(letter, letter) for letter in text)


def to_markdown(table: Table) -> str:
    """Write a table as a Markdown pipe table."""
    rules = ["---:" if table.is_number(i) else ":---" for i in range(len(table.columns))]
    rows = [list(table.columns), rules, *table.shown()]
    return "\n".join("| " + " | ".join(_one_line(cell) for cell in row) + " |" for row in rows)


def _one_line(cell: str) -> str:
    return markdown_text(cell).replace("|", "\\|")


_MARKDOWN = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", "`": "\\`", "*": "\\*", "\n": " "}
)


def markdown_text(text: str) -> str:
    """Write a text so that Markdown shows it as it is: no markup of its own, on one line."""
    return text.translate(_MARKDOWN).replace("](", "]\\(")
