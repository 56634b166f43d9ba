"""What mechanisms are made of and lead to: their quantities and their implications."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import final

import sympy


class ImplicationKind(StrEnum):
    """What a mechanism implies: a single curve, a law of onsets, a law along a ladder."""

    FORM = "form"
    ONSET = "onset"
    CONDITION = "condition"


@final
@dataclass(frozen=True)
class Quantity:
    """A parameter of a mechanism, or a condition that it depends on.

    Attributes
    ----------
    name, meaning, unit : str
        `name` is a word and a legal symbol; `unit` is empty for a pure number.
    suggested : float
        A value at which the mechanism does what it is known for.
    lower, upper : float
        Inclusive bounds.
    log_sd : float
        Prior standard deviation of the logarithm, about the suggested value, where a ladder of
        runs is to say what the parameter is; 0 holds it at the suggested value.
    """

    name: str
    meaning: str
    unit: str
    suggested: float
    lower: float = -math.inf
    upper: float = math.inf
    log_sd: float = 0.0

    def __post_init__(self) -> None:
        if not self.lower <= self.suggested <= self.upper:
            raise ValueError(
                f"{self.name} is suggested as {self.suggested}, outside its bounds "
                f"[{self.lower}, {self.upper}]."
            )
        if self.log_sd < 0 or (self.log_sd > 0 and self.suggested <= 0):
            raise ValueError(
                f"{self.name}: log_sd must be 0, or positive where a positive value is suggested; "
                f"it is {self.log_sd}, and {self.suggested} is suggested."
            )


@final
@dataclass(frozen=True)
class Implication:
    """Something testable that follows from a mechanism, with the range where it does.

    Attributes
    ----------
    kind : ImplicationKind
        Form of a single run, distribution of the onset, or dependence on a condition.
    statement : str
        The implication in a sentence.
    valid : str
        The range of validity in words.
    case : mapping of str to sympy expression
        The special case in which it holds (quantity = expression).
    solution : mapping of str to sympy expression
        Closed form of each state in ``t`` in that case; it solves the dynamics exactly.
    vanishing : tuple of sympy expressions
        In states and ``t``: zero all along a run in that case (implicit solutions, invariants).
    form : str
        Name of the registered form that is implied; empty when there is none.
    where : mapping of str to sympy expression
        Each parameter of the form, or the named number, in terms of the quantities.
    observable : str
        The state or observable that has the form.
    exponent : sympy expression or None
        Asymptotic exponent of the onset in `condition`, for display.
    condition : str
        The condition of a `CONDITION` implication.
    """

    kind: ImplicationKind
    statement: str
    valid: str
    case: Mapping[str, sympy.Expr] = field(default_factory=dict)
    solution: Mapping[str, sympy.Expr] = field(default_factory=dict)
    vanishing: tuple[sympy.Expr, ...] = ()
    form: str = ""
    where: Mapping[str, sympy.Expr] = field(default_factory=dict)
    observable: str = ""
    exponent: sympy.Expr | None = None
    condition: str = ""
