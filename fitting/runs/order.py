"""Which of two observables forms first, as posterior probabilities.

The curves are fitted separately, so their posteriors count as independent, and the probability that
one forms before the other is a sum over all pairs of draws, which sorting gives exactly: no draws
are paired at random.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import numpy as np

from fitting.comparison import Comparison
from fitting.estimate import Estimate
from fitting.runs.order_doubts import obstacle, order_doubts
from fitting.runs.precedence import Precedence, Times, difference, precedence, precedence_se
from fitting.verdict import THRESHOLD
from theory.family import Family

# One-sided 95 % of a normal distribution.
_Z = 1.645


@final
@dataclass(frozen=True)
class Order:
    """Posterior of the order in which two observables, a and b, form.

    Attributes
    ----------
    a, b
        Their names: the observables or, where those are the same, the runs.
    quantity
        Which time is ordered: ``onset``, ``midpoint`` or ``rise`` (`fitting.runs.formation`).
    probability
        That a forms before b, b before a, and neither within the window that both have.
    se
        Monte-Carlo standard error of the largest of the three.
    sensitivity
        Pairs (scale, the three) for priors of floor, gain and slope so many times as wide.
    lowest
        Smallest value of the largest of the three over Monte-Carlo error and those priors: the
        order is decided at any threshold up to here. None where a comparison failed, so that
        nothing may be concluded.
    difference
        Time of b minus that of a, in units of t, given that both form; None if they never do.
    doubts
        Sentences.
    """

    a: str
    b: str
    quantity: str
    probability: Precedence
    se: float
    sensitivity: tuple[tuple[float, Precedence], ...]
    lowest: float | None
    difference: Estimate | None
    doubts: tuple[str, ...] = ()

    @property
    def decided(self) -> bool:
        """Whether the likeliest of the three keeps 95 % over Monte-Carlo error and the priors."""
        return self.lowest is not None and self.lowest >= THRESHOLD

    @property
    def first(self) -> str | None:
        """Name of the one that forms first; None if that is not decided."""
        place = self.probability.top
        return (self.a, self.b)[place] if self.decided and place < 2 else None

    @property
    def sentence(self) -> str:
        """What may be quoted."""
        p, by = self.probability, f"by {self.quantity}"
        top = said(p.values[p.top])
        if self.first is not None:
            other = self.b if p.top == 0 else self.a
            return f"{self.first} forms before {other} with probability {top} ({by})."
        if self.decided:
            return f"Neither {self.a} nor {self.b} forms, with probability {top} ({by})."
        return (
            f"These data do not order the two {by}: {self.a} forms first with probability "
            f"{said(p.a_first)}, {self.b} with {said(p.b_first)}, neither with {said(p.neither)}."
        )


def order(a: Comparison, b: Comparison, *, quantity: str = "onset") -> Order:
    """Say which of two compared curves forms first.

    Draws are those of the whole posterior, averaged over candidates and shapes; a draw without a
    change of rate never forms. Only the window that both curves have is asked about: a time after
    its end counts as not formed.

    Parameters
    ----------
    a, b
        Comparisons of two curves on the same progress axis.
    quantity
        ``onset``: 10 % of the first stage's change is done; ``midpoint``: half of the largest
        stage's is; ``rise``: half of the largest stage's that goes up.

    Raises
    ------
    ValueError
        If the progress axes differ, the windows do not overlap, the two are one curve, nothing
        could be fitted to one of them, or the quantity is none of them.
    """
    if reason := why_no_order(a, b):
        raise ValueError(reason)
    end = float(min(a.curve.t[-1], b.curve.t[-1]))
    times = [times_of(one, quantity, end=end) for one in (a, b)]
    found = precedence(*times)
    bands = tuple(
        (scale, precedence(*(times_of(one, quantity, end=end, scale=scale) for one in (a, b))))
        for scale in a.sensitivity
        if scale in b.sensitivity
    )
    se = precedence_se(*times, which=found.top)
    names = names_of(a, b)
    failed = obstacle(a) or obstacle(b)
    return Order(
        *names,
        quantity,
        found,
        se,
        bands,
        None if failed else _lowest(found, se, bands, min(one.effective for one in times)),
        difference(*times),
        order_doubts((a, b), times, names, quantity),
    )


def times_of(
    comparison: Comparison, quantity: str, *, end: float | None = None, scale: float | None = None
) -> Times:
    """Draws of when a compared curve forms, those after `end` as never.

    With `scale` families count as under priors that many times as wide.

    Raises
    ------
    ValueError
        If nothing could be fitted to the curve, or the quantity is unknown.
    """
    found = comparison.formation
    if found is None:
        raise ValueError(why_no_times(comparison))
    draws = found.times(quantity)
    if end is not None:
        draws = np.where(draws <= end, draws, np.inf)
    se = np.array([comparison.family_se.get(family, 0.0) for family in Family])
    times = Times(draws, found.weight, found.family, se, found.effective)
    if scale is None:
        return times
    nominal, other = comparison.family_probabilities, comparison.sensitivity[scale]
    ratio = np.array([other[f] / nominal[f] if nominal[f] > 0 else 0.0 for f in Family])
    weight = found.weight * ratio[found.family]
    return replace(times, weight=weight / weight.sum()) if weight.sum() > 0 else times


def said(probability: float) -> str:
    """Write a probability that some hundred draws gave: they never make anything certain."""
    if probability > 0.995:
        return ">0.99"
    return "<0.01" if probability < 0.005 else f"{probability:.2f}"


def names_of(a: Comparison, b: Comparison) -> tuple[str, str]:
    """Name two curves by what tells them apart: observable, run, or both."""
    pairs = [(c.curve.observable, c.curve.run or c.curve.run_id) for c in (a, b)]
    (one, run), (other, other_run) = pairs
    if run == other_run and one != other:
        return one, other
    if one == other and run != other_run:
        return run, other_run
    return f"{one} of {run}", f"{other} of {other_run}"


def why_no_order(a: Comparison, b: Comparison) -> str:
    """Why two compared curves cannot be ordered, in a sentence; empty if they can."""
    one, other = a.curve, b.curve
    if one.progress != other.progress:
        return (
            f"an order needs one progress axis; {one.observable} is measured against "
            f"{one.progress} and {other.observable} against {other.progress}: read both "
            "against the same."
        )
    if one.digest == other.digest:
        return f"an order needs two curves; {one.observable} was given twice: give another one."
    if max(one.t[0], other.t[0]) >= min(one.t[-1], other.t[-1]):
        return (
            f"an order needs a window that both curves have; that of {one.observable} is "
            f"{one.t[0]:g} to {one.t[-1]:g}, that of {other.observable} {other.t[0]:g} to "
            f"{other.t[-1]:g}: give curves that overlap."
        )
    return why_no_times(a) or why_no_times(b)


def why_no_times(comparison: Comparison) -> str:
    """Why a curve has no times to order, in a sentence; empty if it has."""
    if comparison.formation is not None:
        return ""
    curve = comparison.curve
    return (
        f"{curve.observable} of run {curve.run or curve.run_id!r} has no times to order: "
        f"{comparison.verdict.reason}"
    )


def _lowest(
    found: Precedence,
    se: float,
    bands: tuple[tuple[float, Precedence], ...],
    draws: float,
) -> float:
    """Smallest probability of the likeliest order over Monte-Carlo error and prior widths.

    What n draws do not show may still have a probability of 1 / (n + 2) (the rule of succession).
    """
    top = found.top
    drawn = found.values[top] - _Z * se - 1.0 / (draws + 2.0)
    return float(max(0.0, min([drawn, *(band.values[top] for _, band in bands)])))
