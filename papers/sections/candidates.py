"""The comparison of one curve's hypotheses, and the doubts about them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from papers.tables import Cell, Table
from papers.wording import family_words, name_of, words

Entry = Mapping[str, Any]
NEARLY_ALL = 0.8
FEWEST = 3
"""A doubt that this share of the hypotheses, and at least so many, have is said once."""

NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?!\w)")
UNSHOWN, OF_NOISE = "(elpd_loo).", "(elpd_forecast)."
"""The ends of the reasons for a number that no table of the page holds, and for one that a whole
noise lacks."""


@final
@dataclass(frozen=True)
class Candidates:
    """What the report shows of a comparison.

    Attributes
    ----------
    table : Table
        One row a hypothesis, heaviest first; the last column holds letters of doubts.
    doubts : tuple of (letter, sentence)
        In the order in which the rows need them.
    shared : tuple of str
        Doubts that nearly all hypotheses have, which the rows do not repeat.
    leading : tuple of str
        Doubts about the heaviest hypothesis but for those, word for word.
    leader : str
        Name of the heaviest hypothesis; empty if there is none.
    """

    table: Table
    doubts: tuple[tuple[str, str], ...]
    shared: tuple[str, ...]
    leading: tuple[str, ...]
    leader: str

    def doubts_of(self, first: int, last: int | None = None) -> list[tuple[str, str]]:
        """Return the doubts that some rows name and no row before them."""
        before = self._letters(0, first)
        here = self._letters(first, last) - before
        return [(letter, doubt) for letter, doubt in self.doubts if letter in here]

    def _letters(self, first: int, last: int | None) -> set[str]:
        return {letter for row in self.table.rows[first:last] for letter in str(row[-1]).split()}


def candidates(curve: Entry) -> Candidates:
    """Return the comparison table of a curve, and its doubts."""
    ranked = by_weight(curve)
    once = said_once(ranked)
    letters: dict[str, str] = {}
    rows = []
    evidence = [c["log_evidence"] for c in ranked if c["log_evidence"] is not None]
    for candidate in ranked:
        own = [doubt for doubt in templates(candidate) if doubt not in once]
        marks = {letters.setdefault(doubt, _letter(len(letters))) for doubt in own}
        rows.append(_row(candidate, max(evidence, default=None), marks))
    first = ranked[0] if ranked else None
    return Candidates(
        Table(f"Hypotheses for {name_of(curve)}", tuple(COLUMNS), tuple(rows), decimals=COLUMNS),
        tuple((letter, with_ranges(ranked, doubt)) for doubt, letter in letters.items()),
        tuple(_of_many(ranked, doubt, count) for doubt, count in once.items()),
        tuple(d for d in doubts_of(first) if template(d) not in once) if first else (),
        hypothesis(first) if first else "",
    )


COLUMNS = {
    "hypothesis": 0,
    "shape": 0,
    "weight": 3,
    "ln Z": 1,
    "se": 2,
    "Δ ln Z": 1,
    "AICc": 1,
    "BIC": 1,
    "forecast elpd": 1,
    "free": 0,
    "doubts": 0,
}
"""Columns of the table, with the decimals of those that hold numbers."""


def _row(candidate: Entry, best: float | None, marks: set[str]) -> tuple[Cell, ...]:
    evidence = candidate["log_evidence"]
    return (
        hypothesis(candidate),
        None if candidate["family"] is None else family_words(candidate["family"]),
        candidate["weight"],
        evidence,
        candidate["log_evidence_se"],
        None if evidence is None or best is None else evidence - best,
        candidate["aicc"],
        candidate["bic"],
        candidate["elpd_forecast"],
        candidate["n_free"],
        " ".join(sorted(marks, key=lambda letter: (len(letter), letter))),
    )


def hypothesis(candidate: Entry) -> str:
    """Name a hypothesis: form × noise."""
    return f"{words(candidate['form'])} × {words(candidate['noise'])}"


def by_weight(curve: Entry) -> list[Entry]:
    """Return the candidates by weight; where weights are equal or missing, as they stand."""
    return sorted(curve["candidates"], key=lambda c: -(c["weight"] or 0.0))


def doubts_of(candidate: Entry) -> list[str]:
    """Return what went wrong with a candidate, and the doubts about it."""
    status = [candidate["status"]] if candidate["status"] else []
    return list(dict.fromkeys([*status, *candidate["doubts"]]))


def templates(candidate: Entry) -> list[str]:
    """Return a candidate's doubts without their numbers: what they have in common."""
    return list(dict.fromkeys(template(doubt) for doubt in doubts_of(candidate)))


def template(doubt: str) -> str:
    """Return a doubt with a place holder for each number in it."""
    return NUMBER.sub("\0", doubt)


def said_once(candidates: Sequence[Entry]) -> dict[str, int]:
    """Return the doubts that are said once for the curve, and how many candidates have each."""
    counts = Counter(doubt for candidate in candidates for doubt in templates(candidate))
    enough = max(FEWEST, NEARLY_ALL * len(candidates))
    return {
        doubt: n
        for doubt, n in counts.items()
        if n >= enough or doubt.endswith(UNSHOWN) or (doubt.endswith(OF_NOISE) and n >= FEWEST)
    }


def _of_many(candidates: Sequence[Entry], doubt: str, count: int) -> str:
    all_of = len(candidates)
    of = f"All {all_of} hypotheses" if count == all_of else f"{count} of {all_of} hypotheses"
    return f"{of}: {with_ranges(candidates, doubt)}"


def with_ranges(candidates: Sequence[Entry], doubt: str) -> str:
    """Write a doubt that several candidates have, with the range of each number in it."""
    same = [d for c in candidates for d in doubts_of(c) if template(d) == doubt]
    columns = zip(*(NUMBER.findall(d) for d in same), strict=True)
    ranges = iter([_range(column) for column in columns])
    return re.sub("\0", lambda _: next(ranges), doubt)


def _range(numbers: Sequence[str]) -> str:
    ordered = sorted(set(numbers), key=float)
    return ordered[0] if len(ordered) == 1 else f"{ordered[0]} to {ordered[-1]}"


def _letter(n: int) -> str:
    return chr(ord("a") + n) if n < 26 else f"{chr(ord('a') + n // 26 - 1)}{chr(ord('a') + n % 26)}"
