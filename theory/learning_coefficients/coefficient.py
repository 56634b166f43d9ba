"""The learning coefficient of a singular point, with its multiplicity."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import final


@final
@dataclass(frozen=True)
class LearningCoefficient:
    """How the volume of parameters close to the best loss shrinks: V(ε) ~ ε^λ (-ln ε)^(m-1).

    Attributes
    ----------
    value : Fraction or float
        λ > 0; a fraction where it is known as one. A regular model of d parameters has d/2.
    multiplicity : int
        m >= 1: the order of the pole of the zeta function at -λ.

    Raises
    ------
    ValueError
        If λ is not positive and finite, or m not a whole number from 1 up.

    References
    ----------
    Watanabe 2009, Algebraic geometry and statistical learning theory.
    """

    value: Fraction | float
    multiplicity: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.value < math.inf:
            raise ValueError(
                f"value of a LearningCoefficient must be positive and finite; it is {self.value}."
            )
        if not isinstance(self.multiplicity, int) or self.multiplicity < 1:
            raise ValueError(
                "multiplicity of a LearningCoefficient must be a whole number from 1 up; it is "
                f"{self.multiplicity}."
            )

    def free_energy(self, num_samples: float) -> float:
        """Return the two singular terms of the free energy: λ ln n - (m - 1) ln ln n.

        Raises
        ------
        ValueError
            If n is not above 1, where ln ln n begins.
        """
        if not num_samples > 1:
            raise ValueError(f"num_samples must be above 1; it is {num_samples}.")
        log_n = math.log(num_samples)
        return float(self.value) * log_n - (self.multiplicity - 1) * math.log(log_n)
