"""Drift of the toy model: one of six features grows rare, and three phases change places.

Feature 6 has the probability p, the others (1 - p)/5. Its loss in the three phases is

    5     L = (1 - p) L(5-gon of 5) + p/3                  λ = 7
    5+    L = (1 - p) L(5-gon of 5) + p/3 - p²/4,  b = p/2   λ = 8.5
    6     the hexagon, deformed: followed numerically       λ = 8.5

from p = 1/6, where they are the regular polygons, downward. The hexagon stops being a minimum where
its softest curvature falls to 0. The posterior leaves it sooner, at a boundary that depends on n:
what is optimal and what descent can still hold on to are told apart.

Only these three phases are compared; the dead feature is the rare one.

References
----------
The model of Chen, Lau, Mendel, Wei and Murfet 2023 (arXiv 2310.06301); the drift is derived here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq

from theory.curve import FloatArray
from theory.learning_coefficients import toy_model
from theory.learning_coefficients.k_gons import k_gon
from theory.learning_coefficients.transitions import Phase, leading_free_energy, log_evidence

C = 6
EVEN = 1 / C
"""The probability at which all features are as frequent."""

STRIDE = 0.005
"""Steps of p in which the hexagon is followed; halved where Newton's method fails."""

SHORTEST_STRIDE = 1e-7

NEWTON_STEPS = 12

ROTATION = 1e-12
"""Share of the largest curvature below which a direction is the rotation's."""


def frequencies(rare: float) -> FloatArray:
    """Return the probabilities of the six features, the rare one last.

    Raises
    ------
    ValueError
        If p is not above 0 and at most 1/6.
    """
    if not 0 < rare <= EVEN * (1 + 1e-12):
        raise ValueError(f"rare must be above 0 and at most 1/6; it is {rare}.")
    return np.append(np.full(C - 1, (1 - rare) / (C - 1)), rare)


def pentagon(rare: float) -> Phase:
    """Return the phase 5 in which the rare feature is dead."""
    point = k_gon(5, C)
    return Phase("5", point.weights, point.bias, frequencies(rare), math.factorial(4))


def pentagon_plus(rare: float) -> Phase:
    """Return the phase 5+ in which the rare feature has the bias p/2."""
    point = k_gon(5, C, 1)
    bias = np.append(point.bias[:-1], rare / 2)
    return Phase("5+", point.weights, bias, frequencies(rare), math.factorial(4))


@lru_cache(maxsize=256)
def hexagon(rare: float) -> Phase:
    """Return the phase 6, followed from the regular hexagon.

    Raises
    ------
    ValueError
        If the hexagon is no minimum any more at this p.
    """
    probability = frequencies(rare)
    at, theta = followed(math.floor((EVEN - rare) / STRIDE))
    stride = STRIDE
    while at > rare:
        target = max(rare, at - stride)
        found = settle(theta, frequencies(target))
        if found is not None:
            at, theta = target, found
        elif stride < SHORTEST_STRIDE:
            raise ValueError(f"rare must be above {at:.6f}, where the hexagon ends; it is {rare}.")
        else:
            stride /= 2
    return Phase("6", *parts(theta), probability, math.factorial(5))


@lru_cache(maxsize=64)
def followed(strides: int) -> tuple[float, FloatArray]:
    """Return how far down p the hexagon gets in so many strides, and its parameters (18,)."""
    if strides <= 0:
        point = k_gon(C, C)
        return EVEN, np.concatenate([point.weights.ravel(), point.bias])
    found = settle(followed(strides - 1)[1], frequencies(EVEN - strides * STRIDE))
    return followed(strides - 1) if found is None else (EVEN - strides * STRIDE, found)


def settle(theta: FloatArray, probability: FloatArray) -> FloatArray | None:
    """Return the minimum near parameters (18,) by Newton's method, None if there is none near."""
    start = theta
    for _ in range(NEWTON_STEPS):
        slope = np.concatenate(
            [part.ravel() for part in toy_model.gradient(*parts(theta), probability)]
        )
        h, axes = np.linalg.eigh(toy_model.hessian(*parts(theta), probability))
        # The rotation is the flattest direction; every other must bend upward.
        flattest = int(np.argmin(np.abs(h)))
        others = np.arange(h.size) != flattest
        if h[others].min() <= ROTATION * h[-1] or np.abs(theta - start).max() > 0.3:
            return None
        move = axes[:, others] @ ((axes[:, others].T @ slope) / h[others])
        theta = theta - move
        if np.abs(move).max() < 1e-12:
            return theta
    return None


def parts(theta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return W (2, 6) and b (6,) of the 18 parameters."""
    return theta[: 2 * C].reshape(2, C), theta[2 * C :]


@lru_cache(maxsize=1)
def hexagon_end() -> float:
    """Return the p at which the hexagon stops being a minimum, to 1e-6."""
    low, high = 0.01, EVEN
    while high - low > 1e-6:
        middle = (low + high) / 2
        try:
            hexagon(middle)
            high = middle
        except ValueError:
            low = middle
    return high


def equal_loss(plus: bool) -> float:
    """Return the p at which the hexagon's loss is that of the phase 5, or of 5+."""
    other = pentagon_plus if plus else pentagon
    return float(brentq(lambda p: hexagon(p).loss - other(p).loss, hexagon_end(), EVEN, xtol=1e-9))


def leading_boundary(num_samples: float) -> float:
    """Return the p at which 5 and 6 have the same leading free energy n L + λ ln n + ½|w*|².

    Raises
    ------
    ValueError
        If one of them is preferred at every p.
    """
    return boundary(
        lambda p: (
            leading_free_energy(pentagon(p), num_samples)
            - leading_free_energy(hexagon(p), num_samples)
        ),
        num_samples,
    )


def laplace_boundary(num_samples: float, likelihood_scale: float = 1.0) -> float:
    """Return the p at which 5 and 5+ together have the evidence of 6, by Laplace's method.

    Raises
    ------
    ValueError
        If one side is preferred at every p.
    """

    def log_odds(p: float) -> float:
        five, plus, six = (
            log_evidence(branch(p), num_samples, likelihood_scale)
            for branch in (pentagon, pentagon_plus, hexagon)
        )
        return six - float(np.logaddexp(five, plus))

    return boundary(log_odds, num_samples)


def boundary(log_odds: Callable[[float], float], num_samples: float) -> float:
    """Return where the hexagon's log odds change sign between its end and p = 1/6."""
    ends = hexagon_end(), EVEN
    if log_odds(ends[0]) * log_odds(ends[1]) > 0:
        raise ValueError(
            f"the hexagon and the pentagon must change places between p = {ends[0]:.4f} and 1/6; "
            f"at {num_samples} samples they do not."
        )
    return float(brentq(log_odds, *ends, xtol=1e-7))
