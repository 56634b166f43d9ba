"""A rung of the ladder: what changed, which checks hold, what found the transitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

from fitting.comparison import Comparison
from papers.llc_ladder.detector import COLUMNS, DetectorScore
from papers.wording import HOLDS
from theory.curve import Curve

Cell = str | int | float | None


@final
@dataclass(frozen=True)
class Check:
    """One thing that an estimator should show, and what it showed.

    Attributes
    ----------
    asked, measured : str
    holds : bool or None
        None where the rung cannot tell; `measured` says why.
    """

    asked: str
    measured: str
    holds: bool | None

    @property
    def row(self) -> tuple[Cell, ...]:
        """The check as a row of a table."""
        return (self.asked, self.measured, HOLDS[self.holds])


@final
@dataclass(frozen=True)
class Trust:
    """Whether an estimator can be trusted on a rung, and why."""

    estimator: str
    trusted: bool | None
    because: str


@final
@dataclass(frozen=True, eq=False)
class Rung:
    """A page of the study.

    Attributes
    ----------
    name, changed : str
        Title, and what is new against the rung before.
    paragraphs : tuple of str
    checks : tuple of Check
    detectors : tuple of DetectorScore
    trust : tuple of Trust
    tables : tuple of (caption, columns, rows)
        What else was measured.
    comparisons : tuple of Comparison
        Curves along training, for the report to draw.
    curves : tuple of Curve
        All curves along training, for the store.
    """

    name: str
    changed: str
    paragraphs: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    detectors: tuple[DetectorScore, ...] = ()
    trust: tuple[Trust, ...] = ()
    tables: tuple[tuple[str, tuple[str, ...], tuple[tuple[Cell, ...], ...]], ...] = field(
        default=()
    )
    comparisons: tuple[Comparison, ...] = ()
    curves: tuple[Curve, ...] = ()

    def page(self) -> dict[str, Any]:
        """Return the rung as a page of a study's results."""
        tables = [_table(*table) for table in self.tables]
        if self.checks:
            columns = ("asked", "measured", "holds")
            tables.append(_table("checks", columns, [check.row for check in self.checks]))
        if self.detectors:
            rows = [each.row for each in self.detectors]
            tables.append(_table("detectors of the known transitions", COLUMNS, rows))
        return {
            "title": self.name,
            "paragraphs": [self.changed, *self.paragraphs],
            "tables": tables,
        }


def trust_page(rungs: Sequence[Rung]) -> dict[str, Any]:
    """Return the one page over all rungs: which estimator is trustworthy where."""
    rows = [
        (rung.name, each.estimator, HOLDS[each.trusted], each.because)
        for rung in rungs
        for each in rung.trust
    ]
    columns = ("rung", "estimator", "trusted", "because")
    return {
        "title": "Which estimator is trustworthy where",
        "paragraphs": [
            "An estimator is called trusted on a rung where every check that the rung can make of "
            "it holds."
        ],
        "tables": [_table("estimators over the rungs", columns, rows)],
    }


def _table(
    caption: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]
) -> Mapping[str, Any]:
    return {"caption": caption, "columns": list(columns), "rows": [list(row) for row in rows]}
