"""Rates as the house states them: wrong/decided with the share decided and its bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final


@final
@dataclass(frozen=True)
class ErrorRate:
    """How often a verdict was wrong, of those that decided.

    Attributes
    ----------
    wrong, decided, number : int
        Wrong verdicts, decided ones, and all.
    """

    wrong: int
    decided: int
    number: int

    def __post_init__(self) -> None:
        if not 0 <= self.wrong <= self.decided <= self.number:
            raise ValueError(
                f"an error rate needs 0 <= wrong <= decided <= number; got {self.wrong}, "
                f"{self.decided}, {self.number}."
            )

    @property
    def upper_bound(self) -> float:
        """One-sided 95 % upper bound of the rate (Clopper and Pearson 1934); 1 if none decided."""
        from scipy.stats import beta

        if self.wrong == self.decided:
            return 1.0
        return float(beta.ppf(0.95, self.wrong + 1, self.decided - self.wrong))

    @property
    def lower_bound(self) -> float:
        """One-sided 95 % lower bound of the rate (Clopper and Pearson 1934); 0 if none wrong."""
        from scipy.stats import beta

        if self.wrong == 0:
            return 0.0
        return float(beta.ppf(0.05, self.wrong, self.decided - self.wrong + 1))

    def content(self) -> dict[str, Any]:
        """Return plain values, as they are written to JSON."""
        return {
            "wrong": self.wrong,
            "decided": self.decided,
            "number": self.number,
            "upper_bound": self.upper_bound,
        }


@final
@dataclass(frozen=True)
class Proportion:
    """How many of a number of cases had a property."""

    count: int
    number: int

    def __post_init__(self) -> None:
        if not 0 <= self.count <= self.number:
            raise ValueError(
                f"a proportion needs 0 <= count <= number; got {self.count}, {self.number}."
            )

    @property
    def value(self) -> float | None:
        """The share; None if there are no cases."""
        return self.count / self.number if self.number else None

    @property
    def interval(self) -> tuple[float, float]:
        """Interval of 95 % (Wilson 1927, p. 210); the whole range if there are no cases."""
        if not self.number:
            return 0.0, 1.0
        z, n, share = 1.959963984540054, self.number, self.count / self.number
        center = (share + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * (share * (1 - share) / n + z**2 / (4 * n**2)) ** 0.5
        return max(0.0, center - half), min(1.0, center + half)
