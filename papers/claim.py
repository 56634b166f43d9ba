"""A published statement, and what came out of it here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, final


class Kind(StrEnum):
    """What there is to agree about."""

    NUMBER = "number"
    """The published numbers, within a tolerance."""
    SHAPE = "shape"
    """A comparison or a sign; the numbers are another network's or another world's."""


@final
@dataclass(frozen=True)
class Claim:
    """A published statement.

    Attributes
    ----------
    name : str
        By which the re-execution refers to it.
    statement : str
        What is claimed, in one sentence.
    kind : Kind
    locator : str
        Where it stands: section, figure, table, file.
    numbers : mapping of str to float
        The published numbers by name; a claim of kind shape may have none.
    tolerance : float or None
        How far each number may lie from the published one; of kind number only.
    criterion : str
        What has to come out here for agreement, set down before it is run; of kind shape only.
    source : str
        Whose statement it is, where not that of the publication.

    Raises
    ------
    ValueError
        If a text is missing, or numbers, tolerance and criterion do not go with the kind.
    """

    name: str
    statement: str
    kind: Kind
    locator: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    tolerance: float | None = None
    criterion: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        for attribute in ("name", "statement", "locator"):
            if not getattr(self, attribute).strip():
                raise ValueError(f"a claim needs a {attribute}; that of {self.name!r} is empty.")
        kinds = [str(kind) for kind in Kind]
        if self.kind not in kinds:
            raise ValueError(
                f"the kind of claim {self.name!r} must be one of {', '.join(sorted(kinds))}; it is "
                f"{self.kind!r}."
            )
        object.__setattr__(self, "kind", Kind(self.kind))
        object.__setattr__(self, "numbers", _finite(self.numbers, self.name))
        if self.kind is Kind.NUMBER:
            _check_number(self)
        elif self.tolerance is not None or not self.criterion.strip():
            raise ValueError(
                f"claim {self.name!r} is of kind shape: it needs a criterion and takes no "
                "tolerance."
            )

    @property
    def asked(self) -> str:
        """What has to come out for agreement, in words."""
        return self.criterion or f"each number within {self.tolerance:g}"


@final
@dataclass(frozen=True)
class Outcome:
    """What came out of a claim here.

    Attributes
    ----------
    claim : Claim
    here : mapping of str to float
        The numbers that came out; those of the claim, by name, for a claim of kind number.
    agrees : bool or None
        None where it cannot be told.
    why : str
        How what came out differs and why, or why it cannot be told; empty only where the numbers
        agree.

    Raises
    ------
    ValueError
        If `agrees` is not what numbers and tolerance say, or a difference is not explained.
    """

    claim: Claim
    here: Mapping[str, float]
    agrees: bool | None
    why: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "here", _finite(self.here, self.claim.name))
        if self.agrees is not None:  # of numpy too
            object.__setattr__(self, "agrees", bool(self.agrees))
        exact = self.claim.kind is Kind.NUMBER and self.agrees is not None
        if exact and self.agrees is not within(self.claim, self.here):
            raise ValueError(
                f"the outcome of {self.claim.name!r} is said to agree: {self.agrees}; its numbers "
                f"and the tolerance {self.claim.tolerance:g} say otherwise."
            )
        if not self.why.strip() and not (exact and self.agrees):
            raise ValueError(f"the outcome of {self.claim.name!r} needs an explanation.")

    def content(self) -> dict[str, Any]:
        """Return plain values, as they are written to JSON."""
        claim = self.claim
        return {
            "name": claim.name,
            "statement": claim.statement,
            "kind": str(claim.kind),
            "locator": claim.locator,
            "source": claim.source,
            "published": dict(claim.numbers),
            "tolerance": claim.tolerance,
            "asked": claim.asked,
            "here": dict(self.here),
            "agrees": self.agrees,
            "why": self.why,
        }


def compared(claim: Claim, here: Mapping[str, float], why: str = "") -> Outcome:
    """Return the outcome of a claim of kind number: agreement is what the tolerance says."""
    return Outcome(claim, here, within(claim, here), why)


def within(claim: Claim, here: Mapping[str, float]) -> bool:
    """Tell whether each published number came out within the claim's tolerance.

    Raises
    ------
    ValueError
        If the claim is not of kind number, or other numbers came out than it has.
    """
    if claim.tolerance is None:
        raise ValueError(f"claim {claim.name!r} is of kind shape and has no tolerance.")
    if set(here) != set(claim.numbers):
        raise ValueError(
            f"claim {claim.name!r} has the numbers {', '.join(sorted(claim.numbers))}; what came "
            f"out is named {', '.join(sorted(here))}."
        )
    return all(abs(here[name] - value) <= claim.tolerance for name, value in claim.numbers.items())


def in_all(each: Sequence[bool | None]) -> bool | None:
    """Return what several agents say of one claim: all or none of them, or it cannot be told."""
    return each[0] if each and all(one is each[0] for one in each) else None


def _finite(numbers: Mapping[str, float], name: str) -> Mapping[str, float]:
    for key, value in numbers.items():
        if not math.isfinite(value):
            raise ValueError(f"{key} of claim {name!r} must be a finite number; it is {value}.")
    return MappingProxyType({key: float(value) for key, value in numbers.items()})


def _check_number(claim: Claim) -> None:
    if not claim.numbers or claim.criterion:
        raise ValueError(
            f"claim {claim.name!r} is of kind number: it needs numbers and takes no criterion."
        )
    if claim.tolerance is None or not 0 < claim.tolerance < math.inf:
        raise ValueError(
            f"the tolerance of claim {claim.name!r} must be a positive number; it is "
            f"{claim.tolerance}."
        )
