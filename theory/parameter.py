"""The parameters of a form: what each means, its unit, and what values it may take."""

from __future__ import annotations

import keyword
import math
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import final

import sympy


class Kind(StrEnum):
    """What a parameter does to the curve; its unit, bounds and default prior follow from it."""

    FLOOR = "floor"
    GAIN = "gain"
    SLOPE = "slope"
    MIDPOINT = "midpoint"
    TIMESCALE = "timescale"
    RATE = "rate"
    EXPONENT = "exponent"
    SHARE = "share"


UNITS = {
    Kind.FLOOR: "y",
    Kind.GAIN: "y",
    Kind.SLOPE: "y/t",
    Kind.MIDPOINT: "t",
    Kind.TIMESCALE: "t",
    Kind.RATE: "1/t",
    Kind.EXPONENT: "",
    Kind.SHARE: "",
}
"""The unit of each kind: how it scales under t → a·t and y → b·y."""

POSITIVE = frozenset({Kind.TIMESCALE, Kind.RATE, Kind.EXPONENT})


@final
@dataclass(frozen=True)
class Parameter:
    """One named number of a form.

    Parameters
    ----------
    name : a Python identifier, in words: ``midpoint``, ``rate_2``.
    meaning : what it is, in a phrase.
    unit : ``"y"``, ``"t"``, ``"1/t"``, ``"y/t"`` or ``""``; must be the unit of its kind.
    kind : what it does to the curve.
    lower, upper : open bounds. Timescales, rates and exponents are positive and shares lie in
        (0, 1) whatever is passed.
    width_factor : the 10-90 % width of the rise is ``width_factor * timescale`` or
        ``width_factor / rate``. Where it also depends on an exponent, the value at exponent 1.
    default_range : prior range of an exponent, uniform in its logarithm.

    Raises
    ------
    ValueError
        If these contradict each other.
    """

    name: str
    meaning: str
    unit: str
    kind: Kind
    lower: float = -math.inf
    upper: float = math.inf
    width_factor: float = 1.0
    default_range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        """Narrow the bounds to those of the kind, and check."""
        object.__setattr__(self, "kind", Kind(self.kind))
        if self.kind in POSITIVE or self.kind is Kind.SHARE:
            object.__setattr__(self, "lower", max(0.0, self.lower))
        if self.kind is Kind.SHARE:
            object.__setattr__(self, "upper", min(1.0, self.upper))
        self._check()

    def _check(self) -> None:
        if not self.name.isidentifier() or keyword.iskeyword(self.name) or self.name == "t":
            raise ValueError(
                f"a parameter's name must be a Python identifier other than t; got {self.name!r}."
            )
        if self.unit != UNITS[self.kind]:
            raise ValueError(
                f"{self.name}: the unit of a {self.kind} is {UNITS[self.kind]!r}; "
                f"got {self.unit!r}."
            )
        if not self.lower < self.upper:
            raise ValueError(
                f"{self.name}: lower must be less than upper; got {self.lower} and {self.upper}."
            )
        if not 0 < self.width_factor < math.inf:
            raise ValueError(
                f"{self.name}: width_factor must be positive and finite; got {self.width_factor}."
            )
        self._check_default_range()

    def _check_default_range(self) -> None:
        if (self.default_range is not None) is not (self.kind is Kind.EXPONENT):
            raise ValueError(
                f"{self.name}: an exponent, and only an exponent, has a default_range; "
                f"the kind is {self.kind} and default_range is {self.default_range}."
            )
        if self.default_range is None:
            return
        low, high = self.default_range
        if not max(0.0, self.lower) < low < high < min(math.inf, self.upper):
            raise ValueError(
                f"{self.name}: default_range must increase strictly within the bounds "
                f"({self.lower}, {self.upper}); got ({low}, {high})."
            )

    @cached_property
    def symbol(self) -> sympy.Symbol:
        """The sympy symbol of this name, as it stands in every form's expression."""
        return sympy.Symbol(self.name, real=True)

    def __getstate__(self) -> dict[str, object]:
        """Leave the cached symbol behind when pickled."""
        return {key: value for key, value in self.__dict__.items() if key != "symbol"}
