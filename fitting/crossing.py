"""When one fitted curve overtakes another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.estimate import Estimate, estimate

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class Crossing:
    """Posterior of the time after which curve *a* stays above curve *b*.

    Attributes
    ----------
    time
        Over the draws that cross, in units of t; None if none does.
    never
        Share of draws in which *a* is not above *b* at the end of the window.
    always
        Share of draws in which *a* is above *b* from the start of the window.
    draws
        Shape (S,): crossing times; +inf where never, the start of the window where always.
    """

    time: Estimate | None
    never: float
    always: float
    draws: FloatArray = field(repr=False)


def crossing_times(
    t: FloatArray, values_a: FloatArray, values_b: FloatArray, *, rng: np.random.Generator
) -> Crossing:
    """Posterior of the time when curve *a* overtakes curve *b* for good.

    The two posteriors come from separate fits, hence are independent: draws are paired at random.

    Parameters
    ----------
    t
        Shape (n,), increasing: a dense grid on the common window, at least two points.
    values_a, values_b
        Shape (S_a, n) and (S_b, n): draws of the two curves on the grid; every draw of the longer
        one is used once.
    rng
        Pairs the draws.

    Raises
    ------
    ValueError
        If the shapes do not agree.
    """
    for name, values in (("values_a", values_a), ("values_b", values_b)):
        if values.ndim != 2 or values.shape[1] != t.size or values.shape[0] == 0:
            raise ValueError(f"{name} must have shape (draws, {t.size}), got {values.shape}.")
    number = max(values_a.shape[0], values_b.shape[0])
    rows = rng.permutation(number)
    gap = values_a[np.arange(number) % values_a.shape[0]] - values_b[rows % values_b.shape[0]]
    draws = _last_upcrossing(t, gap)
    always = np.all(gap > 0.0, axis=1)
    crossed = np.isfinite(draws) & ~always
    draws.setflags(write=False)
    return Crossing(
        estimate(draws[crossed]) if crossed.any() else None,
        float(np.mean(~np.isfinite(draws))),
        float(np.mean(always)),
        draws,
    )


def _last_upcrossing(t: FloatArray, gap: FloatArray) -> FloatArray:
    """Time after which each row stays positive: +inf if it ends at or below 0."""
    below = gap <= 0.0
    last = gap.shape[1] - 1 - np.argmax(below[:, ::-1], axis=1)
    inner = np.minimum(last, gap.shape[1] - 2)
    rows = np.arange(gap.shape[0])
    start, end = gap[rows, inner], gap[rows, inner + 1]
    rise = np.where(end > start, end - start, 1.0)
    inside = t[inner] - start * (t[inner + 1] - t[inner]) / rise
    times = np.where(below.any(axis=1), inside, t[0])
    return np.where(below[:, -1], np.inf, times)
