"""Drift of the data: a feature grows rare and comes back; descent and the posterior part ways.

Foretold, before any run: the probability at which the hexagon stops being a minimum, which descent
can not outlast; that a slow sweep leaves it late by (speed)^(2/3), as any minimum that ends in a
fold (Haberman 1979); the probability at which the posterior changes its mind, by Laplace's method;
and that descent, once in the pentagon, stays there on the way back, since the pentagon is critical
at every probability.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

import numpy as np
import torch

from empirics.llc.toy_model_potential import toy_model_potential
from empirics.toy_model_cell import AnyCell, ToyModelCell, ToyModelPPOCell
from empirics.toy_model_drift import RareSweep, train_drifting
from empirics.toy_model_training import ToyModelRun
from papers.chen2023_tms.posterior import (
    PLANS,
    PosteriorPlan,
    crossing,
    draw_posterior,
    hexagon_weight,
)
from papers.llc_ladder.rung import Check, Rung
from papers.proposals import Progress
from theory.learning_coefficients.drift import (
    equal_loss,
    frequencies,
    hexagon_end,
    laplace_boundary,
    leading_boundary,
)

C, LOWEST, SAMPLES = 6, 0.03, 1000.0
FOLD_EXPONENT = 2 / 3
LADDER = (
    *(0.0, 0.3, 1.0, 2.5, 5.0, 9.0, 14.0, 20.0, 28.0, 38.0, 50.0, 65.0, 83.0, 105.0, 130.0, 165.0),
    *(205.0, 255.0, 315.0, 390.0, 480.0, 580.0, 700.0, 840.0, SAMPLES),
)
SGD = ToyModelCell(learning_rate=0.1, minibatch_size=50)
PPO = ToyModelPPOCell(learning_rate=0.05, num_envs=500, action_sd=0.1)
FEWEST = 3
"""Speeds from which an extrapolation is made."""


@final
@dataclass(frozen=True)
class DriftPlan:
    """How much is run.

    Attributes
    ----------
    sgd, ppo : tuple of int
        Updates of the whole way, one a speed.
    num_seeds : int
    probabilities : tuple of float
        At which the posterior is drawn.
    posterior : PosteriorPlan
    """

    sgd: tuple[int, ...]
    ppo: tuple[int, ...]
    num_seeds: int
    probabilities: tuple[float, ...]
    posterior: PosteriorPlan


DRIFTS: Mapping[str, DriftPlan] = MappingProxyType(
    {
        "tiny": DriftPlan((1500,), (20,), 1, (0.09, 0.14), PLANS["tiny"]),
        "quick": DriftPlan(
            (12_500, 25_000, 50_000),
            (500, 1000),
            2,
            (0.09, 0.105, 0.12, 0.14),
            PosteriorPlan(8, 1500, 700),
        ),
        "full": DriftPlan(
            (12_500, 50_000, 200_000, 800_000),
            (500, 1000, 2000, 4000),
            8,
            (0.08, 0.09, 0.1, 0.105, 0.11, 0.115, 0.12, 0.13, 0.14),
            PLANS["full"],
        ),
    }
)


@final
@dataclass(frozen=True)
class Way:
    """What one run did on its way down and back.

    Attributes
    ----------
    updates : int
    left, returned : float or None
        Probability of the rare feature at which fewer than six features, and then again six, were
        represented; None if that did not happen.
    """

    updates: int
    left: float | None
    returned: float | None


def way_of(run: ToyModelRun) -> Way:
    """Read off a run when it gave the rare feature up, and when it had it back."""
    _, probability, represented = run.curves
    p, n = probability.y, represented.y
    turn = int(np.argmin(p))
    lost = np.flatnonzero(n[: turn + 1] < C)
    if not lost.size:
        return Way(int(run.updates[-1]), None, None)
    back = np.flatnonzero(n[turn:] == C)
    returned = float(p[turn:][back[0]]) if back.size else None
    return Way(int(run.updates[-1]), float(p[lost[0]]), returned)


def rung(*, seed: int, scale: str, progress: Progress) -> Rung:
    """Return the page of the drift of the data.

    Parameters
    ----------
    seed : int
    scale : str
        ``"quick"`` or ``"full"``.
    progress : callable
        Told (label, done, total).
    """
    plan = DRIFTS[scale]
    end = hexagon_end()
    jobs: list[tuple[str, AnyCell, int]] = [
        *(("SGD", SGD, updates) for updates in plan.sgd),
        *(("PPO", PPO, updates) for updates in plan.ppo),
    ]
    seeds = range(seed, seed + plan.num_seeds)
    ways: dict[tuple[str, int], list[Way]] = {}
    total = len(jobs) + len(plan.probabilities)
    for done, (arm, cell, updates) in enumerate(jobs):
        progress("Data that drift", done, total)
        runs = train_drifting([cell], RareSweep(LOWEST, updates, 800), seeds)
        ways[arm, updates] = [way_of(run) for run in runs]
    weights = []
    for done, rare in enumerate(plan.probabilities, start=len(jobs)):
        progress("Data that drift", done, total)
        potential = toy_model_potential(C, probability=torch.as_tensor(frequencies(rare)))
        drawn = draw_posterior(potential, LADDER, plan.posterior, seed=seed)
        weights.append([each[-1] for each in hexagon_weight(drawn)])
    progress("Data that drift", total, total)
    switch = crossing(np.array(plan.probabilities), *np.array(weights).T)
    return _page(plan, end, ways, np.array(weights), switch)


def extrapolated(ways: Mapping[tuple[str, int], Sequence[Way]], arm: str) -> float | None:
    """Return the probability at which an arm would leave at no speed at all.

    A line through the medians over (1/updates)^(2/3); None with fewer than three speeds.
    """
    points = [
        (updates**-FOLD_EXPONENT, float(np.median([w.left for w in each if w.left is not None])))
        for (name, updates), each in ways.items()
        if name == arm and any(w.left is not None for w in each)
    ]
    if len(points) < FEWEST:
        return None
    x, y = np.array(points).T
    return float(np.polyfit(x, y, 1)[1])


def _page(
    plan: DriftPlan,
    end: float,
    ways: Mapping[tuple[str, int], Sequence[Way]],
    weights: np.ndarray,
    switch: float | None,
) -> Rung:
    laplace, leading = laplace_boundary(SAMPLES), leading_boundary(SAMPLES)
    every = [way for each in ways.values() for way in each]
    left = [way.left for way in every if way.left is not None]
    limit = extrapolated(ways, "SGD")
    returned = sum(way.returned is not None for way in every)
    rows = tuple(
        (
            arm,
            updates,
            len(each),
            _median([w.left for w in each]),
            sum(w.returned is not None for w in each),
        )
        for (arm, updates), each in ways.items()
    )
    posterior = tuple(
        (rare, float(weight), float(se))
        for rare, (weight, se) in zip(plan.probabilities, weights, strict=True)
    )
    return Rung(
        name="Data set drift",
        changed=(
            "One of six features grows rare, from p = 1/6 evenly down to "
            f"{LOWEST:g} and back, while training goes on: the potential itself moves."
        ),
        paragraphs=(
            f"The losses of hexagon and pentagon cross at p = {equal_loss(False):.4f} (of 5+ at "
            f"{equal_loss(True):.4f}); the hexagon stops being a minimum at {end:.4f}. At "
            f"n = {SAMPLES:g} the posterior should change its mind at {laplace:.4f} by Laplace's "
            f"method ({leading:.4f} at leading order). Descent holds on to the hexagon long after "
            "the posterior has left it, and does not find it again.",
        ),
        checks=(
            Check(
                f"no run leaves before the hexagon has ended (p = {end:.4f}), but by noise",
                f"the first of {len(left)} runs to leave did so at {max(left):.4f}"
                if left
                else "no run left",
                None if not left else max(left) <= end,
            ),
            Check(
                "SGD, at no speed at all, leaves where the hexagon ends (.058 to .060)",
                "too few speeds" if limit is None else f"extrapolated to {limit:.4f}",
                None if limit is None else 0.058 <= limit <= 0.060,
            ),
            Check(
                "once in a pentagon, descent stays there on the way back",
                f"{returned} of {len(left)} runs represent six features again",
                returned == 0,
            ),
            Check(
                f"the posterior at n = {SAMPLES:g} changes its mind nearer to where Laplace's "
                "method says than to the leading order",
                f"{'nowhere' if switch is None else f'p = {switch:.4f}'}; foretold {laplace:.4f} "
                f"and {leading:.4f}",
                None if switch is None else abs(switch - laplace) < abs(switch - leading),
            ),
        ),
        tables=(
            (
                "where training lets go of the rare feature",
                ("rule", "updates", "runs", "median p when it leaves", "runs that come back"),
                rows,
            ),
            (
                f"weight of the hexagon in the posterior at n = {SAMPLES:g}",
                ("p", "weight", "se over ladders"),
                posterior,
            ),
        ),
    )


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.median(known)) if known else None
