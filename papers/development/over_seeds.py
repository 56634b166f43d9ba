"""A number that was measured on several seeds: its mean, its errors, and its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.stats import norm, t


@final
@dataclass(frozen=True)
class OverSeeds:
    """One number a seed.

    Attributes
    ----------
    by_seed : mapping of int to float
    se_levels : float
        Standard error over held-out levels of the mean over seeds, at most. The levels are the
        same for all seeds, so it does not fall with their number.
    """

    by_seed: Mapping[int, float]
    se_levels: float

    @property
    def mean(self) -> float:
        """The mean over seeds."""
        return float(np.mean(list(self.by_seed.values())))

    @property
    def se_seeds(self) -> float | None:
        """Standard error of the mean over seeds; None with one seed."""
        n = len(self.by_seed)
        return float(np.std(list(self.by_seed.values()), ddof=1)) / math.sqrt(n) if n > 1 else None

    def minus(self, other: OverSeeds) -> OverSeeds:
        """Return the difference on the seeds that both have, seed by seed."""
        seeds = sorted(set(self.by_seed) & set(other.by_seed))
        values = {seed: self.by_seed[seed] - other.by_seed[seed] for seed in seeds}
        return OverSeeds(values, self.se_levels + other.se_levels)

    def half_width(self, level: float) -> float:
        """Return the half width of the interval that misses with probability `level` at most.

        By Student's t over seeds and the normal law over levels; infinite with one seed, which
        does not say how far others would lie.
        """
        if self.se_seeds is None:
            return math.inf
        seeds = float(t.ppf(1 - level / 2, len(self.by_seed) - 1)) * self.se_seeds
        return math.hypot(seeds, float(norm.ppf(1 - level / 2)) * self.se_levels)

    def __str__(self) -> str:
        seeds = "" if self.se_seeds is None else f" ± {self.se_seeds:.3f} over seeds"
        return f"{self.mean:.3f}{seeds}, ± {self.se_levels:.3f} over levels at most"
