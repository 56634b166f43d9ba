"""Shapes that are planted in recovery studies; most of them no form of the registry has.

Each maps progress u in [0, 1], any order, to a curve; the caller scales it. A comparison that is
right only for its own forms is found out by these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

FloatArray = NDArray[np.float64]
Outsider = Callable[[FloatArray, np.random.Generator], FloatArray]

_FEATURES = 30


def smooth_growth(u: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Increasing curve whose log rate is a Gaussian process: features of an RBF kernel.

    Length scale log-uniform on 0.15 to 0.6, sd 1.5 (Rahimi and Recht 2007, random features).
    """
    length = 0.15 * 4.0 ** rng.uniform()
    frequency = rng.standard_normal(_FEATURES) / length
    phase = rng.uniform(0.0, 2 * np.pi, _FEATURES)
    size = 1.5 * np.sqrt(2.0 / _FEATURES) * rng.standard_normal(_FEATURES)
    fine = np.linspace(0.0, 1.0, 2001)
    rate = np.exp(np.cos(fine[:, None] * frequency + phase) @ size)
    grown = np.concatenate(([0.0], np.cumsum(0.5 * (rate[1:] + rate[:-1]))))
    return np.asarray(np.interp(u, fine, grown))


def kinks(u: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Three straight pieces of different slope, upward, with kinks at random places."""
    places = np.sort(rng.uniform(0.1, 0.9, 2))
    slopes = rng.exponential(size=3)
    knots = np.array([0.0, *places, 1.0])
    heights = np.concatenate(([0.0], np.cumsum(slopes * np.diff(knots))))
    return np.asarray(np.interp(u, knots, heights))


def ringing(u: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Answer of a damped oscillator to a step: a rise that overshoots and swings out."""
    damping, frequency = rng.uniform(0.2, 0.8), 2 * np.pi * rng.uniform(0.7, 3.0)
    damped = frequency * np.sqrt(1.0 - damping**2)
    swing = np.cos(damped * u) + damping * frequency / damped * np.sin(damped * u)
    return np.asarray(1.0 - np.exp(-damping * frequency * u) * swing)


def averaged_cohort(u: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Mean of eight runs that each make one sharp step, at times of a gamma distribution."""
    onsets = rng.gamma(rng.uniform(2.0, 8.0), size=8)
    onsets *= rng.uniform(0.3, 0.7) / onsets.mean()
    width = rng.uniform(0.02, 0.08)
    return np.asarray(expit((u[:, None] - onsets) / width).mean(axis=1))


def heavy_tailed_step(u: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Arc tangent: a step whose approach to both plateaus is as slow as 1/u."""
    return np.asarray(np.arctan((u - rng.uniform(0.3, 0.7)) / rng.uniform(0.03, 0.15)))


def step_on_growth(u: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Sum of slow saturating growth and one logistic step."""
    growth = -np.expm1(-u * rng.uniform(1.0, 4.0))
    step = expit((u - rng.uniform(0.3, 0.7)) / rng.uniform(0.02, 0.06))
    share = rng.uniform(0.3, 0.7)
    return np.asarray(share * growth / growth.max() + (1.0 - share) * step)


def four_steps(u: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Four logistic steps of unequal height, as in a curriculum of skills."""
    midpoints = (np.arange(4) + rng.uniform(0.3, 0.7, 4)) / 4
    shares = rng.dirichlet(np.full(4, 2.0))
    return np.asarray(expit((u[:, None] - midpoints) / 0.02) @ shares)


def two_steps(u: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Two logistic steps that anybody would see: at least three widths (10-90 %) apart.

    Each brings at least 30 % of the whole.
    """
    scale = rng.uniform(0.01, 0.03)
    gap = 3.0 * 2.0 * np.log(9.0) * scale
    first = rng.uniform(0.1, 0.85 - gap)
    second = rng.uniform(first + gap, 0.9)
    share = rng.uniform(0.3, 0.7)
    return np.asarray(
        share * expit((u - first) / scale) + (1.0 - share) * expit((u - second) / scale)
    )


SHAPES: Mapping[str, Outsider] = MappingProxyType(
    {
        shape.__name__: shape
        for shape in (
            smooth_growth,
            kinks,
            ringing,
            averaged_cohort,
            heavy_tailed_step,
            step_on_growth,
            four_steps,
            two_steps,
        )
    }
)
"""All of them by name."""

OUTSIDERS: tuple[str, ...] = tuple(name for name in SHAPES if name != "two_steps")
"""Those that take turns as truths outside the registry."""
