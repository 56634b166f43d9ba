"""What reading gives: the curves, those that could not be curves, and what was done on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from empirics.notes import counted, tally
from theory.curve import Curve

if TYPE_CHECKING:
    from empirics.logged import Logged
    from empirics.run_record import RunRecord


@final
@dataclass(frozen=True)
class Rejected:
    """A series of numbers that cannot be a curve.

    Attributes
    ----------
    label : str
        The user's label of the run.
    observable : str
        What was observed.
    reason : str
        Why it was rejected, as a sentence.
    """

    label: str
    observable: str
    reason: str

    @property
    def name(self) -> str:
        """Return observable and run, as a sentence names the curve; empty for loose rows."""
        return " of ".join(part for part in (self.observable, self.label) if part)

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}" if self.name else self.reason


@final
@dataclass(frozen=True)
class CurveSet:
    """Curves read from a store or a table; nothing is dropped without being named here.

    Attributes
    ----------
    curves : tuple of Curve
        The usable curves.
    rejected : tuple of Rejected
        What could not be a curve, each with its reason.
    notes : tuple of str
        What reading did: columns ignored, empty cells left out, equal t merged, counted.
    logged : tuple of Logged
        The rows behind the curves, in the same order, as a store keeps them.
    runs : tuple of RunRecord
        What is known of the runs.
    """

    curves: tuple[Curve, ...]
    rejected: tuple[Rejected, ...] = ()
    notes: tuple[str, ...] = ()
    logged: tuple[Logged, ...] = ()
    runs: tuple[RunRecord, ...] = ()

    def __len__(self) -> int:
        return len(self.curves)

    def require(self) -> tuple[Curve, ...]:
        """Return the curves.

        Raises
        ------
        ValueError
            If there is none; the message is the first reason for which one was rejected.
        """
        if self.curves:
            return self.curves
        if not self.rejected:
            raise ValueError("there is no curve here.")
        more = len(self.rejected) - 1
        others = f" ({more} more {'curve' if more == 1 else 'curves'} rejected.)" if more else ""
        raise ValueError(f"no usable curve: {self.rejected[0]}{others}")

    def of(self, observable: str) -> tuple[Curve, ...]:
        """Return the curves of one observable.

        Raises
        ------
        ValueError
            If there is none; the observables are listed.
        """
        curves = tuple(curve for curve in self.curves if curve.observable == observable)
        if not curves:
            known = ", ".join(sorted({curve.observable for curve in self.curves})) or "none"
            raise ValueError(f"no curve of {observable!r}; the observables are {known}.")
        return curves


def gathered(
    items: Iterable[Logged | Rejected],
    notes: Iterable[str] = (),
    runs: Iterable[RunRecord] = (),
) -> CurveSet:
    """Put what was read together; what was done to the curves is said in one note a kind."""
    items = tuple(items)
    logged = tuple(item for item in items if not isinstance(item, Rejected))
    repeated, merged = Counter[str](), Counter[str]()
    for each in logged:
        repeated[each.name] += each.n_repeated
        merged[each.name] += each.n_merged
    done = [
        (+repeated, "row", "repeating another exactly, counted once"),
        (+merged, "row", "at a t seen before, merged into the mean at that t"),
    ]
    said = [
        f"{counted(counts.total(), noun)} {what}: {tally(counts)}."
        for counts, noun, what in done
        if counts
    ]
    return CurveSet(
        tuple(each.curve for each in logged),
        tuple(item for item in items if isinstance(item, Rejected)),
        (*notes, *said),
        logged,
        tuple(runs),
    )
