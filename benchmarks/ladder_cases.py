"""Small ladders for the check of their evidence, and the same models written apart."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.special import gammaincinv

from fitting.ladders.hypothesis import LadderHypothesis, of_mechanism
from fitting.ladders.onset_law import Rung
from fitting.ladders.regression import power_law
from theory.mechanisms import MECHANISMS
from theory.onset import Onset

FloatArray = NDArray[np.float64]
Unknowns = Mapping[str, FloatArray]
"""By name, (N, 1)."""
LogMedians = Callable[[Unknowns], FloatArray]
"""From unknowns to ln of the median onset of every rung, without discrepancy, (N, n_rungs)."""


@dataclass(frozen=True)
class Case:
    """A ladder, a hypothesis, and the hypothesis' medians worked out apart.

    Attributes
    ----------
    name : str
    hypothesis : LadderHypothesis
    rungs : tuple of Rung
    log_medians : callable
        The laws: of the gamma distributions that an unknown called spread is the coefficient of
        variation of, or else of exponential ones.
    """

    name: str
    hypothesis: LadderHypothesis
    rungs: tuple[Rung, ...]
    log_medians: LogMedians


def gamma_onsets(median: float, cv: float, n: int, rng: np.random.Generator) -> FloatArray:
    """Draw gamma onsets of a median and coefficient of variation, (n,)."""
    shape = cv**-2
    return rng.gamma(shape, median / gammaincinv(shape, 0.5), n)


def ladder(
    conditions: Sequence[Mapping[str, Any]],
    draw: Callable[[int, np.random.Generator], FloatArray],
    *,
    seed: int,
    spacing: float,
    end: float = math.inf,
) -> tuple[Rung, ...]:
    """Return rungs of drawn onsets, bracketed by log-spaced checkpoints and cut off at `end`.

    `spacing` is the distance of checkpoints, as a factor less 1.
    """
    rng = np.random.default_rng(seed)
    rungs = []
    for index, own in enumerate(conditions):
        onsets = []
        for t in draw(index, rng):
            place = math.floor(math.log(t) / math.log1p(spacing))
            low, high = ((1 + spacing) ** (place + k) for k in (0, 1))
            bracket = (low, high) if high <= end else (end, math.inf)
            onsets.append(Onset(*bracket, conditions=own))
        rungs.append(Rung(tuple(own.items()), tuple(onsets)))
    return tuple(rungs)


def cases() -> Iterator[Case]:
    """Yield the ladders."""
    yield powers_of_one()
    yield powers_of_two()
    yield layers("mean field, unknown steps, censored", known=False, cv=0.3, end=2000.0)
    yield hits("first hit, known steps", known=True)
    yield hits("first hit, unknown steps, censored", known=False, end=150.0)
    yield layers("mean field, other exponent", known=True, cv=0.1, power=0.12)
    yield layers("mean field, narrow onsets", known=True, cv=0.03, runs=20, spacing=0.01)


def powers_of_one() -> Case:
    """Return a power law of one condition, without censored runs."""
    values = (0.02, 0.05, 0.1, 0.2)
    rungs = ladder(
        [{"initial_probability": v} for v in values],
        lambda i, rng: gamma_onsets(3.0 / values[i], 0.3, 8, rng),
        seed=1,
        spacing=0.1,
    )
    x = np.log(values) - np.mean(np.log(values))

    def log_medians(at: Unknowns) -> FloatArray:
        return np.log(at["middle"]) + at["exponent_of_initial_probability"] * x

    return Case("power law", power_law(["initial_probability"], rungs), rungs, log_medians)


def powers_of_two() -> Case:
    """Return a power law of two conditions, with censored runs."""
    grid = [(p, rate) for p in (0.05, 0.1, 0.2) for rate in (0.1, 0.4)]
    rungs = ladder(
        [{"initial_probability": p, "learning_rate": rate} for p, rate in grid],
        lambda i, rng: gamma_onsets(1 / math.prod(grid[i]), 0.5, 6, rng),
        seed=2,
        spacing=0.15,
        end=180.0,
    )
    names = ("initial_probability", "learning_rate")
    x = np.log(grid) - np.mean(np.log(grid), axis=0)

    def log_medians(at: Unknowns) -> FloatArray:
        exponents = np.concatenate([at[f"exponent_of_{name}"] for name in names], axis=1)
        return np.asarray(np.log(at["middle"]) + exponents @ x.T)

    return Case("power law of two, censored", power_law(names, rungs), rungs, log_medians)


def layers(
    name: str,
    *,
    known: bool,
    cv: float,
    power: float = 0.0,
    end: float = math.inf,
    runs: int = 8,
    spacing: float = 0.05,
) -> Case:
    """Return the mean field of three layers, whose onsets go as 1/step_factor.

    Onsets are drawn about it, off by the singular value to a power.
    """
    strengths = (0.5, 0.8, 1.2, 2.0)
    fixed = {"learning_rate": 0.01, "initial_scale": 0.1, "depth": 3}
    shared = [{"singular_value": s, **fixed} for s in strengths]
    medians = [
        quad(lambda u, s=s: 1 / (0.01 * u**2 * (s - u**3)), 0.1, (s / 2) ** (1 / 3))[0]
        for s in strengths
    ]
    rungs = ladder(
        [{"singular_value": s} for s in strengths],
        lambda i, rng: gamma_onsets(medians[i] * strengths[i] ** -power, cv, runs, rng),
        seed=3,
        spacing=spacing,
        end=end,
    )

    def log_medians(at: Unknowns) -> FloatArray:
        return np.asarray(np.log(medians) - np.log(at["step_factor"]))

    hypothesis = of_mechanism(MECHANISMS["deeper_linear"], shared, known_steps=known)
    return Case(name, hypothesis, rungs, log_medians)


def hits(name: str, *, known: bool, end: float = math.inf) -> Case:
    """Return first hits, exponential: the exact law of a mechanism."""
    chances = (0.01, 0.03, 0.1)
    shared = [{"initial_probability": p, "batch_size": 1} for p in chances]
    rungs = ladder(
        [{"initial_probability": p} for p in chances],
        lambda i, rng: rng.exponential(1.1 / chances[i], 8),
        seed=4,
        spacing=0.2,
        end=end,
    )

    def log_medians(at: Unknowns) -> FloatArray:
        return np.asarray(math.log(math.log(2)) - np.log(chances) - np.log(at["step_factor"]))

    hypothesis = of_mechanism(MECHANISMS["first_hit"], shared, known_steps=known)
    return Case(name, hypothesis, rungs, log_medians)
