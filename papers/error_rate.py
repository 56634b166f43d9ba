"""An error rate as the house states it: wrong/decided, the share decided, and an upper bound."""

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

    def content(self) -> dict[str, Any]:
        """Return plain values, as they are written to JSON."""
        return {
            "wrong": self.wrong,
            "decided": self.decided,
            "number": self.number,
            "upper_bound": self.upper_bound,
        }
