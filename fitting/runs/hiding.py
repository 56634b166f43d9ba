"""Whether one observable is done changing before another rises, and so cannot show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from fitting.comparison import Comparison
from fitting.mixture import mixture_draws
from fitting.runs.order import times_of, why_no_order
from fitting.runs.order_doubts import obstacle
from fitting.runs.precedence import Times, precedence, precedence_se
from fitting.verdict import THRESHOLD
from theory.family import Family, classify, family_grid

DONE = 0.9
"""Part of an observable's whole change (total variation) after which it is called done."""

_NONE = tuple(Family).index(Family.NONE)
# One-sided 95 % of a normal distribution.
_Z = 1.645


@final
@dataclass(frozen=True)
class Hiding:
    """Whether a behavior is done before half of a mechanism's largest rise is.

    Attributes
    ----------
    behavior, mechanism : str
        Their observables.
    hidden : float
        Probability that the mechanism rises, and the behavior is done before half of that is.
    shown : float
        Probability that it is half risen first.
    never : float
        Probability that it does not rise within the window that both have: nothing to hide.
    se : float
        Monte-Carlo standard error of either of the first two, at most.
    """

    behavior: str
    mechanism: str
    hidden: float
    shown: float
    never: float
    se: float

    @property
    def hides(self) -> bool | None:
        """Whether it hides the mechanism; None where these data cannot tell."""
        if self.hidden - _Z * self.se >= THRESHOLD:
            return True
        return False if self.shown + self.never - _Z * self.se >= THRESHOLD else None


def hiding(behavior: Comparison, mechanism: Comparison) -> Hiding:
    """Return whether a behavior is 90 % done before a mechanism is half risen.

    The curves are fitted separately, so their posteriors count as independent.

    Raises
    ------
    ValueError
        If the two cannot be ordered (`fitting.runs.order.why_no_order`), or nothing may be
        concluded from one of them.
    """
    reason = why_no_order(behavior, mechanism) or obstacle(behavior) or obstacle(mechanism)
    if reason:
        raise ValueError(reason)
    end = float(min(behavior.curve.t[-1], mechanism.curve.t[-1]))
    done, formed = _done(behavior, end), times_of(mechanism, "rise", end=end)
    found, never = precedence(done, formed), min(formed.never, 1.0)
    # Of the pairs in which the behavior is done first, those whose mechanism comes at all.
    hidden = max(0.0, found.a_first - (1.0 - done.never) * never)
    se = precedence_se(done, formed, which=0) + np.sqrt(never * (1.0 - never) / formed.effective)
    names = behavior.curve.observable, mechanism.curve.observable
    return Hiding(*names, hidden, found.b_first, never, float(se))


def _done(comparison: Comparison, end: float) -> Times:
    """Draws of when an observable is done; of one that does not change, never."""
    t = family_grid(comparison.curve.t)
    values = mixture_draws(comparison, t)
    change = np.cumsum(np.abs(np.diff(values, axis=1)), axis=1)
    first = (change >= DONE * change[:, -1:]).argmax(axis=1)
    scale = float(np.ptp(comparison.curve.y))
    family = classify(t, values, scale=scale)
    times = np.where((family == _NONE) | (t[first + 1] > end), np.inf, t[first + 1])
    number = len(times)
    found = comparison.formation
    effective = float(number) if found is None else min(float(number), found.effective)
    se = np.array([comparison.family_se.get(each, 0.0) for each in Family])
    return Times(times, np.full(number, 1.0 / number), family.astype(np.int64), se, effective)
