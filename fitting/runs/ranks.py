"""In which order one observable forms in several runs: the rank of each run.

Given that run r forms at a time x, each other run is earlier with a probability of its own,
independently, so the number of earlier ones is Poisson binomial, and the posterior of the rank is
that averaged over the draws of x. Runs that never form have no order among them: each of two is
earlier with probability 1/2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.comparison import Comparison
from fitting.runs.order import times_of
from fitting.runs.order_frequency import poisson_binomial
from fitting.runs.precedence import Times

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True)
class Rank:
    """Posterior of the place of one run among several.

    Attributes
    ----------
    expected
        Mean rank; 1 is the earliest.
    lower, upper
        Ends of its central 95 % interval.
    first
        Probability of being the earliest.
    """

    expected: float
    lower: int
    upper: int
    first: float


def ranks(comparisons: Sequence[Comparison], *, quantity: str = "onset") -> tuple[Rank, ...]:
    """Rank runs by when one observable forms in them, within the window that all of them have.

    Parameters
    ----------
    comparisons
        One a run, on the same progress axis.
    quantity
        ``onset`` or ``midpoint``.

    Raises
    ------
    ValueError
        If the progress axes differ, nothing could be fitted to one of them, or the quantity is
        unknown.
    """
    axes = sorted({str(one.curve.progress) for one in comparisons})
    if len(axes) > 1:
        raise ValueError(
            f"ranks need one progress axis; these curves have {axes}: read all of them against "
            "the same."
        )
    end = min((one.curve.t[-1] for one in comparisons), default=np.inf)
    return ranks_of([times_of(one, quantity, end=float(end)) for one in comparisons])


def ranks_of(times: Sequence[Times]) -> tuple[Rank, ...]:
    """Rank independent unknown times."""
    found = []
    for i, own in enumerate(times):
        earlier = [_earlier(other, own.draws) for j, other in enumerate(times) if j != i]
        p = np.clip(np.transpose(earlier), 0.0, 1.0) if earlier else np.zeros((own.draws.size, 0))
        found.append(_rank(own.weight @ poisson_binomial(p)))
    return tuple(found)


def _earlier(other: Times, at: FloatArray) -> FloatArray:
    """Probability that another run is earlier than each time, ties and never split evenly."""
    before, _ = other.sides(at)
    return before + np.where(at < np.inf, 0.0, 0.5 * other.never)


def _rank(probability: FloatArray) -> Rank:
    """Summarize the probabilities (R,) of ranks 1 to R."""
    sums = np.cumsum(probability) / probability.sum()
    lower, upper = np.searchsorted(sums, [0.025, 0.975]) + 1
    expected = float(probability @ np.arange(1, probability.size + 1))
    return Rank(expected, int(lower), int(min(upper, probability.size)), float(probability[0]))
