"""A number with its uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike


@final
@dataclass(frozen=True)
class Estimate:
    """A value with standard error and a central interval.

    Attributes
    ----------
    value
        Posterior median, in the unit of the quantity.
    se
        Posterior standard deviation, same unit.
    lower, upper
        Ends of the central 95 % interval, same unit.
    """

    value: float
    se: float
    lower: float
    upper: float


def estimate(draws: ArrayLike, *, level: float = 0.95) -> Estimate:
    """Summarize equally weighted posterior draws.

    Parameters
    ----------
    draws
        Shape (S,), S >= 1.
    level
        Probability of the central interval, in (0, 1).

    Raises
    ------
    ValueError
        If there are no draws or one of them is not finite.
    """
    values = np.asarray(draws, dtype=np.float64).ravel()
    if values.size == 0:
        raise ValueError("an estimate needs at least one draw, got none.")
    if not np.all(np.isfinite(values)):
        index = int(np.flatnonzero(~np.isfinite(values))[0])
        raise ValueError(f"draws must be finite; draws[{index}] = {values[index]}.")
    tail = 0.5 * (1.0 - level)
    lower, middle, upper = np.quantile(values, [tail, 0.5, 1.0 - tail])
    return Estimate(float(middle), float(values.std()), float(lower), float(upper))
