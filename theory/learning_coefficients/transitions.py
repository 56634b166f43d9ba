"""Which phase of the toy model the posterior prefers at how many samples.

Under the prior N(0, 1) and the likelihood exp(-s n L), s = 1 or 1/2 by convention, a phase is the
neighborhood of a critical point w* and of all its images under O(2) and relabeling. To leading
order its free energy is

    F = n L + λ ln n + ½|w*|²,   so that two phases change places at n ΔL + Δλ ln n + Δc = 0.

Laplace's method gives the rest. A phase is a number of circles of rotations, each of length
2π‖W‖; across them the loss bends by h_i > 0 in r directions; a dead unit (u, β) bends nothing, and
keeps its own integral over the prior φ with the live units held at w*:

    Z = copies · 2π‖W‖ · exp(-s n L - ½|w*|²) · (2π)^(-(r + 1)/2) · Π sqrt(2π/(s n h_i)) · V(s n)
    V(n) = ∫_{β < 0, |u| < 0.9} φ(u, β) exp(-n (L(w*, u, β) - L)) du dβ.

As n grows V falls toward the prior's mass of the exactly flat region, but slowly, for outside it
the loss rises with the third power. With these factors the hexagon of six features takes over near
n = 250, where the leading order has 601. Where a column u has a bias above -|u|² the loss is lower
than L: this rim of 5+ belongs to β < 0, and is half of V at n = 5000. Beyond, 5 is no phase of its
own.

References
----------
Chen, Lau, Mendel, Wei and Murfet 2023 (arXiv 2310.06301); Watanabe 2009. The integral of the
dead unit and the count of the circles are derived here; tests check them by sampling.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import lambertw, logsumexp, softmax

from theory.curve import FloatArray
from theory.learning_coefficients import toy_model
from theory.learning_coefficients.coefficient import LearningCoefficient
from theory.learning_coefficients.k_gons import RANK_TOLERANCE, KGon, check_minimum
from theory.learning_coefficients.monomial import minimally_singular

DEAD_RADIUS = 0.9
"""Beyond it a dead column counts as live. Moving it by 0.2 changes V by a tenth at n = 150 and by a
hundredth at n = 400."""

LOWEST_BIAS = -6.0
"""The prior's mass below is 1e-9."""

SEARCHED = (20.0, 1e5)
"""Samples between which a crossing is looked for."""


@final
@dataclass(frozen=True, eq=False)
class Phase:
    """A critical point of the toy model with the number of circles that its images form.

    Attributes
    ----------
    name : str
    weights : (2, c) array of float
        A zero column is a dead feature; with a negative bias it is free, and the live ones must
        then be a regular polygon with its first corner on the first axis.
    bias : (c,) array of float
    probability : (c,) array of float
    num_copies : int
        Circles of rotations: (k - 1)! orders around it, times the choices of the live features.
    """

    name: str
    weights: FloatArray
    bias: FloatArray
    probability: FloatArray
    num_copies: int

    def __post_init__(self) -> None:
        w, b, p = toy_model.checked(self.weights, self.bias, self.probability)
        for name, values in (("weights", w), ("bias", b), ("probability", p)):
            values = values.copy()
            values.flags.writeable = False
            object.__setattr__(self, name, values)
        if self.free.sum() > 1:
            raise ValueError(
                f"a Phase may have one free dead feature, for two interact; {self.name} has "
                f"{self.free.sum()}."
            )

    @property
    def free(self) -> NDArray[np.bool_]:
        """Which features are dead with a negative bias, (c,) booleans."""
        return np.asarray(~np.any(self.weights != 0, axis=0) & (self.bias < 0))

    @property
    def loss(self) -> float:
        """The population loss L."""
        return float(toy_model.loss(self.weights, self.bias, self.probability))

    @property
    def half_norm(self) -> float:
        """½|w*|², leaving the free bias out."""
        return float(np.sum(self.weights**2) + np.sum(self.bias[~self.free] ** 2)) / 2

    @cached_property
    def curvatures(self) -> FloatArray:
        """The h_i > 0, smallest first."""
        h = np.linalg.eigvalsh(toy_model.hessian(self.weights, self.bias, self.probability))
        return np.asarray(h[h > RANK_TOLERANCE * h[-1]])

    @property
    def coefficient(self) -> LearningCoefficient:
        """λ = r/2."""
        return minimally_singular(len(self.curvatures))

    @cached_property
    def dead_grid(self) -> tuple[FloatArray, FloatArray]:
        """Rises of the loss over the dead unit's (u, β), and the logarithms of their weights."""
        corners = int(np.sum(np.any(self.weights != 0, axis=0)))
        radius, by_radius = gauss(0.0, DEAD_RADIUS, 30)
        # From a corner of the polygon to the middle of a side; the rest are its mirror images.
        angle, by_angle = gauss(0.0, math.pi / corners, 8)
        pieces = [gauss(a, b, n) for a, b, n in ((LOWEST_BIAS, -1.5, 12), (-1.5, 0.0, 36))]
        level, by_level = (np.concatenate(part) for part in zip(*pieces, strict=True))
        r, turn, beta = np.meshgrid(radius, angle, level, indexing="ij")
        w = np.broadcast_to(self.weights, (*r.shape, *self.weights.shape)).copy()
        b = np.broadcast_to(self.bias, (*r.shape, *self.bias.shape)).copy()
        dead = int(np.argmax(self.free))
        w[..., 0, dead], w[..., 1, dead], b[..., dead] = r * np.cos(turn), r * np.sin(turn), beta
        rise = toy_model.loss(w, b, self.probability) - self.loss
        area = 2 * corners * np.einsum("i,j,k->ijk", by_radius * radius, by_angle, by_level)
        prior = -(r**2 + beta**2) / 2 - 1.5 * math.log(2 * math.pi)
        return np.asarray(rise), np.asarray(np.log(area) + prior)


def phase(point: KGon) -> Phase:
    """Return the phase of a k-gon among equally frequent features.

    Raises
    ------
    ValueError
        If its learning coefficient is not known, or two features are dead and free.
    """
    check_minimum(point.num_vertices)
    c, k, s = point.num_features, point.num_vertices, point.num_positive
    copies = math.comb(c, k) * math.factorial(k - 1) * math.comb(c - k, s)
    return Phase(point.name, point.weights, point.bias, np.full(c, 1 / c), copies)


def leading_free_energy(which: Phase, num_samples: float) -> float:
    """Return n L + λ ln n + ½|w*|²."""
    singular = which.coefficient.free_energy(num_samples)
    return num_samples * which.loss + singular + which.half_norm


def leading_crossing(simple: Phase, complex_: Phase, *, prior: bool = True) -> float:
    """Return the samples from which on the better phase has the lower leading free energy.

    n = -(Δλ/ΔL) W(-(ΔL/Δλ) exp(-Δc/Δλ)), W the branch -1 of Lambert's function, and -Δc/ΔL where
    Δλ = 0.

    Parameters
    ----------
    simple, complex_ : Phase
        The complex one has the lower loss, and no smaller λ.
    prior : bool
        Whether Δc enters.

    Raises
    ------
    ValueError
        If the second phase does not fit better, or is the better one at every n.
    """
    gain = simple.loss - complex_.loss
    cost = float(complex_.coefficient.value) - float(simple.coefficient.value)
    shift = complex_.half_norm - simple.half_norm if prior else 0.0
    if gain <= 0 or cost < 0:
        raise ValueError(
            f"{complex_.name} must fit better than {simple.name} at no smaller learning "
            f"coefficient; the losses are {complex_.loss} and {simple.loss}."
        )
    argument = -(gain / cost) * math.exp(-shift / cost) if cost else 0.0
    if argument < -1 / math.e or (not cost and shift <= 0):
        raise ValueError(f"{complex_.name} is better than {simple.name} at every n.")
    return float(-(cost / gain) * lambertw(argument, -1).real) if cost else shift / gain


def log_evidence(which: Phase, num_samples: float, likelihood_scale: float = 1.0) -> float:
    """Return ln Z of a phase by Laplace's method.

    Parameters
    ----------
    which : Phase
    num_samples : float
        n.
    likelihood_scale : float
        s of exp(-s n L).
    """
    n, h = likelihood_scale * num_samples, which.curvatures
    circle = 2 * math.pi * math.sqrt(float(np.sum(which.weights**2)))
    across = -0.5 * (math.log(2 * math.pi) + float(np.sum(np.log(n * h))))
    dead = log_dead_volume(which, n) if which.free.any() else 0.0
    return math.log(which.num_copies * circle) - n * which.loss - which.half_norm + across + dead


def log_dead_volume(which: Phase, num_samples: float) -> float:
    """Return ln V(n) of the dead unit."""
    rise, log_weight = which.dead_grid
    return float(logsumexp(log_weight - num_samples * rise))


def phase_weights(
    phases: Sequence[Phase], num_samples: float, likelihood_scale: float = 1.0
) -> FloatArray:
    """Return the posterior weight of each phase among these, by Laplace's method."""
    found = [log_evidence(which, num_samples, likelihood_scale) for which in phases]
    return np.asarray(softmax(found))


def laplace_crossing(
    simple: Sequence[Phase], complex_: Sequence[Phase], likelihood_scale: float = 1.0
) -> float:
    """Return the samples at which two sets of phases have the same evidence by Laplace's method.

    Raises
    ------
    ValueError
        If they do not change places between 20 and 100,000 samples.
    """

    def log_odds(log_n: float) -> float:
        sides = [
            logsumexp([log_evidence(which, math.exp(log_n), likelihood_scale) for which in side])
            for side in (complex_, simple)
        ]
        return float(sides[0] - sides[1])

    low, high = (math.log(n) for n in SEARCHED)
    if log_odds(low) * log_odds(high) >= 0:
        raise ValueError(
            f"{[which.name for which in complex_]} and {[which.name for which in simple]} must "
            f"change places between {SEARCHED[0]:g} and {SEARCHED[1]:g} samples; they do not."
        )
    return math.exp(brentq(log_odds, low, high, xtol=1e-10))


def gauss(low: float, high: float, order: int) -> tuple[FloatArray, FloatArray]:
    """Return nodes and weights of Gauss and Legendre on an interval."""
    x, weight = np.polynomial.legendre.leggauss(order)
    half = (high - low) / 2
    return low + half * (x + 1), half * weight
