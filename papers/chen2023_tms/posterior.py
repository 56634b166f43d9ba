"""The posterior over phases against what Laplace's method foretells, and against descent.

The convention is exp(-n L) under the prior N(0, 1). Foretold, before anything is drawn: where the
hexagon overtakes the pentagons at leading order, and by Laplace's method with determinants, orbits
and copies. Descent from a 4-gon does not ask which phase weighs most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

import numpy as np
from torch import Tensor

from empirics.llc.replica_exchange import Replicas, exchange_replicas
from empirics.llc.toy_model_phase import num_represented
from empirics.llc.toy_model_potential import ToyModelPotential, toy_model_potential
from papers.llc_ladder.rung import Check, Rung
from papers.proposals import Progress
from theory.learning_coefficients.k_gons import k_gon
from theory.learning_coefficients.transitions import (
    laplace_crossing,
    leading_crossing,
    phase,
    phase_weights,
)

C = 6
SIZES = (
    *(0.0, 0.3, 1.0, 2.5, 5.0, 9.0, 14.0, 20.0, 28.0, 38.0, 50.0, 65.0, 83.0, 105.0, 130.0),
    *(150.0, 180.0, 215.0, 250.0, 300.0, 350.0, 400.0, 460.0, 530.0, 600.0),
)
"""Values of n; the chains of neighbors exchange places."""

SHOWN = (150.0, 215.0, 250.0, 300.0, 350.0, 400.0, 530.0, 600.0)
SURE = 3.0
"""Standard errors."""


@final
@dataclass(frozen=True)
class PosteriorPlan:
    """How long the replicas run."""

    num_ladders: int
    num_draws: int
    num_burnin_steps: int


PLANS: Mapping[str, PosteriorPlan] = MappingProxyType(
    {
        "tiny": PosteriorPlan(2, 20, 10),
        "quick": PosteriorPlan(8, 2000, 1000),
        "full": PosteriorPlan(32, 30_000, 5000),
    }
)


def draw_posterior(
    potential: ToyModelPotential, sizes: tuple[float, ...], plan: PosteriorPlan, *, seed: int
) -> Replicas:
    """Draw from the posterior at every n, each draw named by the features it represents."""

    def represented(w: Tensor) -> Tensor:
        return w.new_tensor(num_represented(w.numpy())).long()

    return exchange_replicas(
        potential,
        sizes,
        seed=seed,
        num_ladders=plan.num_ladders,
        num_draws=plan.num_draws,
        num_burnin_steps=plan.num_burnin_steps,
        step_size=0.05,
        classify=represented,
    )


def rung(*, seed: int, scale: str, progress: Progress) -> Rung:
    """Return the page of the posterior over phases.

    Parameters
    ----------
    seed : int
    scale : str
        ``"quick"`` or ``"full"``.
    progress : callable
        Told (label, done, total).
    """
    progress("Drawing the posterior over phases", 0, 1)
    five, plus, six = (phase(k_gon(*which)) for which in ((5, C), (5, C, 1), (6, C)))
    leading = leading_crossing(five, six)
    laplace = laplace_crossing([five, plus], [six])
    drawn = draw_posterior(toy_model_potential(C), SIZES, PLANS[scale], seed=seed)
    progress("Drawing the posterior over phases", 1, 1)
    hexagon, se = hexagon_weight(drawn)
    foretold = {n: float(phase_weights([five, plus, six], n)[2]) for n in SHOWN}
    seen = crossing(np.array(SIZES), hexagon, se)
    rows = tuple(
        (n, foretold[n], float(hexagon[i]), float(se[i]), other_weight(drawn, i))
        for i, n in enumerate(SIZES)
        if n in SHOWN
    )
    swaps = float(drawn.swapped.min())
    return Rung(
        name="The posterior over phases, supervised",
        changed=(
            "Nothing is trained here: the posterior exp(-n L) · N(w; 0, 1) itself is drawn, by "
            "exchange of replicas over n, to say which phase it prefers where."
        ),
        paragraphs=(
            f"At leading order, n ΔL + Δλ ln n + Δc, the hexagon overtakes the pentagon at "
            f"n = {leading:.0f}; Laplace's method with determinants, orbits and copies foretells "
            f"{laplace:.0f}. The draws cross at {_said(seen)}. Under exp(-n L/2) every n doubles. "
            "A draw counts as a hexagon if it puts out more than half of each of six features; "
            "near the crossing phases are wide, and where one ends is a convention that moves the "
            "crossing by tens of samples. "
            "Descent from a 4-gon ends in a pentagon or stays at the 4-gon whatever n is: what it "
            "reaches is set by its path, not by the weight of a phase.",
        ),
        checks=(
            Check(
                "neighbors exchange replicas often (every pair at least one time in five)",
                f"least share of swaps taken {swaps:.2f}",
                swaps >= 0.2,
            ),
            Check(
                "the draws cross nearer to where Laplace's method foretells than to the leading "
                "order",
                f"{_said(seen)}; foretold {laplace:.0f}; leading order {leading:.0f}",
                None if seen is None else abs(seen - laplace) < abs(seen - leading),
            ),
        ),
        tables=(
            (
                "weight of the hexagon among phases of five and six features, at n samples",
                ("n", "by Laplace's method", "drawn", "se over ladders", "fewer than five"),
                rows,
            ),
        ),
    )


def hexagon_weight(drawn: Replicas) -> tuple[np.ndarray, np.ndarray]:
    """Return the weight of six features among draws of five and six, with its error over ladders.

    The ratio's error is that of ladders left out one by one (jackknife).
    """
    six, five = (drawn.counts(k).astype(float) for k in (6, 5))
    whole = six.sum(1) / np.maximum(six.sum(1) + five.sum(1), 1.0)
    left = six.sum(1, keepdims=True) - six
    rest = left + five.sum(1, keepdims=True) - five
    each = left / np.maximum(rest, 1.0)
    count = six.shape[1]
    spread = ((each - each.mean(1, keepdims=True)) ** 2).sum(1)
    return whole, np.sqrt((count - 1) / count * spread)


def other_weight(drawn: Replicas, i: int) -> float:
    """Return the share of draws at one n that represent fewer than five features."""
    kept = sum(drawn.counts(k)[i].sum() for k in (5, 6))
    return float(1 - kept / drawn.energy[i].size)


def crossing(x: np.ndarray, weight: np.ndarray, se: np.ndarray) -> float | None:
    """Return where a weight passes one half for good, linear between neighbors; None if nowhere.

    The last point must be above it by three standard errors.
    """
    below = np.flatnonzero(weight <= 0.5)
    if not below.size or below[-1] == weight.size - 1 or weight[-1] - SURE * se[-1] < 0.5:
        return None
    i = int(below[-1])
    share = (0.5 - weight[i]) / (weight[i + 1] - weight[i])
    return float(x[i] + share * (x[i + 1] - x[i]))


def _said(value: float | None) -> str:
    return "no n of the ladder" if value is None else f"n = {value:.0f}"
