"""In which order several observables form: the posterior over whole orderings of one run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import final

import numpy as np

from fitting.comparison import Comparison
from fitting.runs.order import times_of, why_no_order
from fitting.runs.order_doubts import obstacle
from fitting.runs.precedence import Times

DRAWS = 20_000


@final
@dataclass(frozen=True)
class Ordering:
    """One order in which the observables of a run may have formed.

    Attributes
    ----------
    names : tuple of str
        Those that form within the window, first one first.
    never : tuple of str
        Those that do not, by name.
    probability, se : float
        Posterior probability, and its Monte-Carlo standard error.
    """

    names: tuple[str, ...]
    never: tuple[str, ...]
    probability: float
    se: float


def orderings(
    comparisons: Sequence[Comparison], *, quantity: str, rng: np.random.Generator
) -> tuple[Ordering, ...]:
    """Return every ordering that was drawn, the likeliest first.

    The curves are fitted separately, so their posteriors count as independent. Only the window
    that all curves have is asked about: a time after its end counts as not formed.

    Parameters
    ----------
    comparisons
        Two or more curves of one run, on one progress axis.
    quantity
        ``onset``, ``midpoint`` or ``rise``, as in `fitting.runs.order.order`.
    rng
        Draws the times of all curves together.

    Raises
    ------
    ValueError
        If there are fewer than two, or two of them cannot be ordered.
    """
    if len(comparisons) < 2:
        raise ValueError(f"an ordering needs two curves or more; got {len(comparisons)}.")
    for a, b in combinations(comparisons, 2):
        if reason := why_no_order(a, b) or obstacle(a) or obstacle(b):
            raise ValueError(reason)
    end = min(float(one.curve.t[-1]) for one in comparisons)
    times = [times_of(one, quantity, end=end) for one in comparisons]
    names = [one.curve.observable for one in comparisons]
    return _counted(names, times, rng)


def _counted(
    names: Sequence[str], times: Sequence[Times], rng: np.random.Generator
) -> tuple[Ordering, ...]:
    """Count the orderings of independent draws; ties have no place among continuous times."""
    drawn = np.stack([rng.choice(one.draws, DRAWS, p=one.weight) for one in times], axis=1)
    places = np.argsort(drawn, axis=1, kind="stable")
    forms = np.isfinite(drawn).sum(axis=1)
    counts = Counter(
        (tuple(row[:k]), tuple(sorted(row[k:], key=lambda i: names[i])))
        for row, k in zip(places.tolist(), forms.tolist(), strict=True)
    )
    # The posteriors are worth fewer draws than were made of them.
    worth = min(DRAWS, *(one.effective for one in times))
    found = []
    for (formed, never), count in counts.items():
        p = count / DRAWS
        se = float(np.sqrt(p * (1.0 - p) / worth))
        found.append(
            Ordering(tuple(names[i] for i in formed), tuple(names[i] for i in never), p, se)
        )
    return tuple(sorted(found, key=lambda one: (-one.probability, one.names)))
