"""The way back from a form: which mechanisms imply it, where, and what they then predict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import sympy

from theory.implication import Implication, ImplicationKind
from theory.mechanism import Mechanism
from theory.mechanisms.registry import MECHANISMS


@final
@dataclass(frozen=True)
class Explanation:
    """A mechanism that implies a form.

    Attributes
    ----------
    mechanism : Mechanism
    implication : Implication
        That of the form: `where` gives its parameters, `observable` what has it.
    """

    mechanism: Mechanism
    implication: Implication

    @property
    def limit(self) -> str:
        """Where the mechanism has the form, in words."""
        valid = self.implication.valid
        for name, value in self.implication.case.items():
            if value == sympy.oo:
                valid += f"; as {name} grows without bounds"
            elif f"{name} = {value}" not in valid:
                valid += f"; at {name} = {value}"
        return valid

    @property
    def others(self) -> tuple[Implication, ...]:
        """All else that the mechanism implies."""
        return tuple(one for one in self.mechanism.implications if one is not self.implication)

    @property
    def predictions(self) -> tuple[str, ...]:
        """What would be seen besides, if this mechanism drew the curve: onsets, ladders, curves."""
        law: tuple[str, ...] = ()
        if self.mechanism.onset_law is not None:
            law = ("how onsets scatter over seeds is predicted as a whole distribution.",)
        kinds = (ImplicationKind.ONSET, ImplicationKind.CONDITION, ImplicationKind.FORM)
        ordered = sorted(self.others, key=lambda one: kinds.index(one.kind))
        return (*law, *(f"{one.statement.rstrip('.')} ({one.valid})." for one in ordered))

    @property
    def words(self) -> str:
        """The mechanism, what has the form, and where."""
        return f"{self.mechanism.name} ({self.implication.observable}, {self.limit})"


def mechanisms_that_imply(
    form: str, mechanisms: Mapping[str, Mechanism] = MECHANISMS
) -> tuple[Explanation, ...]:
    """Return the mechanisms one of whose curves has a form, given its registered name.

    Empty where there is none, as for forms that are not registered.
    """
    return tuple(
        Explanation(mechanism, implication)
        for mechanism in mechanisms.values()
        for implication in mechanism.implications
        if implication.kind is ImplicationKind.FORM and implication.form == form
    )
