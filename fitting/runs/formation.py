"""When an observable forms: posterior draws over all shapes, with those that never do.

A curve forms with its stages (`fitting.stages`): it begins when 10 % of the change of its first
stage is done, and is half formed when half of the change of its largest stage is. What gives way
again, as a proxy does to the goal, may lose more in the window than it gained, so that its largest
stage is the loss: it is half risen when half of its largest rise is done. A curve without any
change of rate never forms. Everything is measured on the observed window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from fitting.candidate import Candidate, picked
from fitting.humps import humps
from fitting.stages import measure
from theory.curve import locked, relock
from theory.family import Family

FloatArray = NDArray[np.float64]

QUANTITIES = ("onset", "midpoint", "rise")
"""The times that can be ordered."""

_FAMILIES = tuple(Family)
_DRAWS = 300
# A candidate and shape of less probability cannot be told from the others' errors.
_SMALLEST = 1e-4
# A curve whose rate at the end of the window is above this part of its highest has not settled.
_SETTLED = 0.5


@final
@dataclass(frozen=True, eq=False)
class Formation:
    """Posterior draws of the times at which an observable forms.

    Attributes
    ----------
    onset
        Shape (S,): time at which 10 % of the first stage's change is done, in units of t; +inf in
        draws that never form.
    midpoint
        Shape (S,): time at which half of the largest stage's change is done; +inf likewise.
    rise
        Shape (S,): the same of the largest stage that goes up; +inf also in draws that only fall.
    weight
        Shape (S,): posterior probability of each draw; they sum to 1.
    family
        Shape (S,): code of the draw's family, in the order of `Family`.
    effective
        Number of independent draws that they are worth.
    start, end
        The observed window, in units of t.
    unsettled
        Probability that the curve, at the end of the window, still changes at more than half of
        its highest rate: its times are then those of the change within the window.

    Raises
    ------
    ValueError
        If the arrays do not agree in shape, a time lies outside the window, or the weights do not
        sum to 1.
    """

    onset: FloatArray
    midpoint: FloatArray
    rise: FloatArray
    weight: FloatArray
    family: NDArray[np.int64]
    effective: float
    start: float
    end: float
    unsettled: float = 0.0

    def __post_init__(self) -> None:
        for name in (*QUANTITIES, "weight", "family"):
            kind = np.int64 if name == "family" else np.float64
            values = locked(getattr(self, name), name, kind)
            if values.size != np.size(self.weight) or not values.size:
                raise ValueError(
                    f"{name} must have one value a draw, {np.size(self.weight)}; it has "
                    f"{values.size}."
                )
            object.__setattr__(self, name, values)
        if not np.isclose(self.weight.sum(), 1.0) or np.any(self.weight < 0.0):
            raise ValueError(f"weight must sum to 1; it sums to {self.weight.sum():.6g}.")
        for name in QUANTITIES:
            self._check_window(name)

    def _check_window(self, name: str) -> None:
        times = getattr(self, name)
        outside = ~((times >= self.start) & ((times <= self.end) | (times == np.inf)))
        if outside.any():
            i = int(np.flatnonzero(outside)[0])
            raise ValueError(
                f"{name} must lie in the window from {self.start:g} to {self.end:g}, or be inf; "
                f"{name}[{i}] = {times[i]}."
            )

    def times(self, quantity: str) -> FloatArray:
        """Shape (S,): the draws of ``onset``, ``midpoint`` or ``rise``.

        Raises
        ------
        ValueError
            If the quantity is none of them.
        """
        if quantity not in QUANTITIES:
            raise ValueError(f"no time is called {quantity!r}; choose from {list(QUANTITIES)}.")
        found: FloatArray = getattr(self, quantity)
        return found

    def never(self, quantity: str) -> float:
        """Probability that this time does not come within the window."""
        return float(self.weight[np.isinf(self.times(quantity))].sum())

    def __setstate__(self, state: dict[str, Any]) -> None:
        relock(self, state)


def formation(
    candidates: Sequence[Candidate], joint: FloatArray, grid: FloatArray
) -> Formation | None:
    """Draw the times of formation from the posterior of all candidates and shapes together.

    Parameters
    ----------
    candidates
        A of them.
    joint
        Shape (A, 5): posterior probability of candidate and family.
    grid
        Shape (n_grid,): where their curves are known.

    Returns
    -------
    Formation or None
        Every candidate and family gives draws in proportion to its probability, which their
        weights add up to exactly; None if none of probability has any draw.
    """
    curves, weights, codes, variance = [], [], [], 0.0
    for i, code in np.argwhere(joint > _SMALLEST):
        candidate, share = candidates[i], float(joint[i, code])
        most = int(np.count_nonzero(candidate.codes == code))
        some = picked(candidate, code, min(max(1, round(_DRAWS * share)), most))
        if not len(some):
            continue
        curves.append(some)
        weights.append(np.full(len(some), share / len(some)))
        codes.append(np.full(len(some), code))
        variance += share**2 / max(
            1.0, min(len(some), candidate.posterior.ess * most / len(candidate.codes))
        )
    if not curves:
        return None
    family, weight = np.concatenate(codes), np.concatenate(weights)
    times = formation_times(grid, np.concatenate(curves), family)
    total = weight.sum()
    return Formation(
        times[:, 0],
        times[:, 1],
        times[:, 2],
        weight / total,
        family,
        float(total**2 / variance),
        float(grid[0]),
        float(grid[-1]),
        float(weight[times[:, 3] > _SETTLED].sum() / total),
    )


def formation_times(t: FloatArray, values: FloatArray, codes: NDArray[Any]) -> FloatArray:
    """Onset, midpoint, midpoint of the rise, and last rate of curves.

    Parameters
    ----------
    t
        Shape (n,), increasing.
    values
        Shape (S, n): smooth curves.
    codes
        Shape (S,): their families (`theory.family.classify`).

    Returns
    -------
    (S, 4)
        Onset of the first stage, midpoint of the largest and of the largest that goes up, in units
        of t, +inf without such a stage; the rate at the end of the window over the highest, 0
        without a stage.
    """
    found = np.tile([np.inf, np.inf, np.inf, 0.0], (len(values), 1))
    for row, (y, code) in enumerate(zip(values, codes, strict=True)):
        one = humps(t, y, _FAMILIES[code])
        if not one.pieces:
            continue
        parts = [measure(t, one.steps, *piece) for piece in one.pieces]
        rises = [part for part in parts if part[4] > 0.0]
        rate = np.abs(one.steps) / np.diff(t)
        found[row] = parts[0][0], _largest(parts), _largest(rises), rate[-1] / rate.max()
    return found


def _largest(parts: Sequence[tuple[float, ...]]) -> float:
    """Midpoint of the largest of some stages, each as `fitting.stages.measure` gives it."""
    return max(parts, key=lambda part: part[3])[1] if parts else np.inf
