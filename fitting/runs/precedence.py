"""Which of two unknown times comes first, from weighted draws of both, over all pairs of draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from fitting.estimate import Estimate

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True)
class Precedence:
    """Probabilities that a comes before b, b before a, or neither comes at all; they sum to 1."""

    a_first: float
    b_first: float
    neither: float

    @property
    def values(self) -> tuple[float, float, float]:
        """The three, in this order."""
        return self.a_first, self.b_first, self.neither

    @property
    def top(self) -> int:
        """Which of the three is largest."""
        return int(np.argmax(self.values))

    @property
    def a_precedes(self) -> float:
        """Probability that a precedes b where one that never came says nothing about the order."""
        return self.a_first + 0.5 * self.neither


@final
@dataclass(frozen=True, eq=False)
class Times:
    """Weighted draws of one unknown time.

    Attributes
    ----------
    draws
        Shape (S,): times; +inf where it never comes.
    weight
        Shape (S,): their probabilities, which sum to 1.
    stratum
        Shape (S,): code of the part of the posterior that a draw belongs to.
    stratum_se
        Shape (K,): Monte-Carlo standard error of the probability of each stratum.
    effective
        Number of independent draws that they are worth.
    """

    draws: FloatArray
    weight: FloatArray
    stratum: NDArray[np.int64]
    stratum_se: FloatArray
    effective: float

    def sides(self, at: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Probability of coming before, and of coming after, each of some times (n,).

        A tie of finite times counts half for each; after +inf nothing comes, and two that never
        come are no tie.
        """
        order = np.argsort(self.draws, kind="stable")
        draws = self.draws[order]
        sums = np.concatenate(([0.0], np.cumsum(self.weight[order])))
        before = sums[np.searchsorted(draws, at, side="left")]
        up_to = sums[np.searchsorted(draws, at, side="right")]
        comes = at < np.inf
        half = np.where(comes, 0.5 * (up_to - before), 0.0)
        return before + half, np.where(comes, sums[-1] - up_to, 0.0) + half

    @property
    def never(self) -> float:
        """Probability that it never comes."""
        return float(self.weight[np.isinf(self.draws)].sum())


def precedence(a: Times, b: Times) -> Precedence:
    """Return the probability of each order of two independent times, over all pairs of draws."""
    before, after = b.sides(a.draws)
    parts = np.array([a.weight @ after, a.weight @ before, a.never * b.never])
    # They sum to 1 but for rounding.
    return Precedence(*(float(part) for part in parts / parts.sum()))


def precedence_se(a: Times, b: Times, *, which: int) -> float:
    """Monte-Carlo standard error of one of the three probabilities, by its place.

    It is a two-sample U-statistic, whose variance is that of its two projections, each over the
    number of draws (Hoeffding 1948; DeLong, DeLong and Clarke-Pearson 1988, eq. 5). The draws are
    stratified in proportion, so within strata alone; the errors of the strata's own probabilities
    come in addition.
    """
    of_a, of_b = b.sides(a.draws), a.sides(b.draws)
    if which == 2:
        projections = (np.isinf(a.draws) * b.never, np.isinf(b.draws) * a.never)
    else:
        projections = (of_a[1 - which], of_b[which])
    return float(np.sqrt(_variance(projections[0], a) + _variance(projections[1], b)))


def _variance(values: FloatArray, times: Times) -> float:
    """Variance of the weighted mean of values (S,) that belong to the draws."""
    within, between = 0.0, 0.0
    whole = float(times.weight @ values)
    for code in np.unique(times.stratum):
        inside = times.stratum == code
        weight = times.weight[inside]
        share = float(weight.sum())
        if share <= 0.0:
            continue
        mean = float(weight @ values[inside]) / share
        within += float(weight @ (values[inside] - mean) ** 2)
        between += float((mean - whole) * times.stratum_se[code]) ** 2
    return within / times.effective + between


def difference(a: Times, b: Times) -> Estimate | None:
    """Time of b minus that of a, given that both come; None if they never do.

    Every pair of draws counts by its weight.
    """
    come_a, come_b = np.isfinite(a.draws), np.isfinite(b.draws)
    values = np.subtract.outer(b.draws[come_b], a.draws[come_a]).ravel()
    weight = np.multiply.outer(b.weight[come_b], a.weight[come_a]).ravel()
    return weighted_estimate(values, weight)


def weighted_estimate(values: FloatArray, weight: FloatArray) -> Estimate | None:
    """Median, standard deviation and central 95 % interval of weighted draws; None without any."""
    total = float(weight.sum())
    if total <= 0.0:
        return None
    order = np.argsort(values, kind="stable")
    sums = np.cumsum(weight[order]) / total
    places = np.minimum(np.searchsorted(sums, [0.025, 0.5, 0.975]), values.size - 1)
    lower, middle, upper = values[order[places]]
    mean = float(weight @ values) / total
    sd = np.sqrt(float(weight @ (values - mean) ** 2) / total)
    return Estimate(float(middle), float(sd), float(lower), float(upper))
