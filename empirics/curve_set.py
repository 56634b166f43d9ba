"""What reading gives: the curves, those that could not be curves, and what was done on the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

from theory.curve import Curve


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

    def __str__(self) -> str:
        name = " of ".join(part for part in (self.observable, self.label) if part)
        return f"{name}: {self.reason}" if name else self.reason


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
    """

    curves: tuple[Curve, ...]
    rejected: tuple[Rejected, ...] = ()
    notes: tuple[str, ...] = ()

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


def joined(sets: Iterable[CurveSet]) -> CurveSet:
    """Put several sets together, in their order."""
    sets = tuple(sets)
    return CurveSet(
        tuple(curve for each in sets for curve in each.curves),
        tuple(rejected for each in sets for rejected in each.rejected),
        tuple(note for each in sets for note in each.notes),
    )
