"""What a perfect sampler returns at a finite temperature: the truths that estimators are held to.

The tempered, localized posterior around w* = 0 with K(w) = L(w) - L(0) is

    p(w) ∝ exp(-t K(w) - (γ/2) |w|²),   t = nβ,  γ the localization,

and three numbers are read from it:

    llc           t E[K]                        ->  λ  as t grows and γ stays
    llc_variance  t² Var[K]                     ->  λ  as well: t K tends to a Gamma(λ) variable
    virial        t E[w · ∇K] + γ E|w|²          =  d  in the whole space, by parts

At a finite t they are not λ. Localization takes degenerate directions away, a multiplicity
approaches as 1/ln t, a step of finite size widens the posterior.

References
----------
Lau, Furman, Wang, Murfet and Wei 2025 (arXiv 2308.12108) for the estimator; Watanabe 2013 for the
temperature 1/ln n; the integrals are derived here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import quad
from scipy.special import k0e, k1e

GRID = np.linspace(0.0, 10.0, 8001)
"""In units where the exponent is 1 at 1: at 10 an even, analytic integrand is below e^-100, so that
the trapezoidal rule is exact to rounding."""


@final
@dataclass(frozen=True)
class TemperedReading:
    """The exact expectations under a tempered posterior.

    Attributes
    ----------
    llc : float
        nβ E[L - L*].
    llc_variance : float
        (nβ)² Var[L].
    virial : float
        nβ E[w · ∇L] + γ E|w|²; the number of parameters where the sampler is right.
    """

    llc: float
    llc_variance: float
    virial: float


def canonical_nbeta(num_samples: float) -> float:
    """Return n/ln n, the inverse temperature at which the mean of nL is the free energy.

    Raises
    ------
    ValueError
        If n is not above 1.
    """
    if not num_samples > 1:
        raise ValueError(f"num_samples must be above 1; it is {num_samples}.")
    return num_samples / math.log(num_samples)


def power(half_power: int, nbeta: float, localization: float = 0.0) -> TemperedReading:
    """Return the readings of K = w^(2k), by quadrature.

    Without localization t K is a Gamma(1/(2k)) variable at every t.

    Raises
    ------
    ValueError
        If k is below 1, nβ not positive or the localization negative.
    """
    check(nbeta, localization)
    if half_power < 1:
        raise ValueError(f"half_power must be at least 1; it is {half_power}.")
    unit = unit_of(half_power, nbeta, localization)
    potential = nbeta * (unit * GRID) ** (2 * half_power)
    weight = np.exp(-potential - localization / 2 * (unit * GRID) ** 2)
    weight[0] /= 2  # the other half of the line is the same
    weight /= weight.sum()
    mean = float(weight @ potential)
    return TemperedReading(mean, float(weight @ (potential - mean) ** 2), 1.0)


def unit_of(half_power: int, nbeta: float, localization: float) -> float:
    """Return the w > 0 at which t w^(2k) + γ w²/2 = 1, up to a factor of 2 in the exponent."""
    by_potential = math.exp(-math.log(nbeta) / (2 * half_power))
    return min(by_potential, math.sqrt(2 / localization)) if localization else by_potential


def crossing_on_box(nbeta: float, half_width: float = 1.0) -> TemperedReading:
    """Return the readings of K = (xy)² on the box |x|, |y| <= a, by quadrature.

    λ = 1/2 of multiplicity 2. The product u = |xy|/a² has the density -ln u, so with u = e^-v

        Z(t) ∝ ∫ v e^-v exp(-t a⁴ e^-2v) dv,   llc ≈ 1/2 - 1/ln t.

    Here the virial is 4 llc: at the walls of a box the parts do not vanish.

    Raises
    ------
    ValueError
        If nβ or the width is not positive.
    """
    check(nbeta, 0.0)
    if not half_width > 0:
        raise ValueError(f"half_width must be positive; it is {half_width}.")
    t = nbeta * half_width**4
    peak = max(0.0, math.log(t) / 2)

    def moment(order: int) -> float:
        def integrand(v: float) -> float:
            potential = t * math.exp(-2 * v)
            return float(v * math.exp(peak - v - potential) * potential**order)

        edges = (max(0.0, peak - 4), peak, peak + 4, peak + 50)
        parts = zip(edges, edges[1:], strict=False)
        return float(
            sum(quad(integrand, a, b, epsabs=0, epsrel=1e-11)[0] for a, b in parts if b > a)
        )

    mean, square = (moment(order) / moment(0) for order in (1, 2))
    return TemperedReading(mean, square - mean**2, 4 * mean)


def crossing(nbeta: float, localization: float) -> TemperedReading:
    """Return the readings of K = (xy)² in the plane, in closed form.

    With z = γ²/(8t) and r = K_1(z)/K_0(z), Bessel's functions of the second kind,

        Z ∝ t^(-1/2) e^z K_0(z),   llc = 1/2 - z (r - 1),   llc_variance = llc + z - z² (r² - 1).

    Raises
    ------
    ValueError
        If nβ or the localization is not positive: without one there is no posterior.
    """
    check(nbeta, localization)
    if not localization > 0:
        raise ValueError(f"localization must be positive for a crossing; it is {localization}.")
    z = localization**2 / (8 * nbeta)
    ratio = float(k1e(z) / k0e(z))
    llc = 0.5 - z * (ratio - 1)
    return TemperedReading(llc, llc + z - z**2 * (ratio**2 - 1), 2.0)


def quadratic(
    curvature: ArrayLike, nbeta: float, localization: float = 0.0, step_size: float = 0.0
) -> TemperedReading:
    """Return the readings of K = ½ Σ h_i w_i², as Langevin steps of a finite size find them.

    The step w ← w - (ε/2) a w + √ε ξ with a = nβ h + γ keeps the variance v for which
    v = (1 - εa/2)² v + ε, that is

        v = 1/(a (1 - εa/4)),   llc = ½ Σ nβ h v,   llc_variance = ½ Σ (nβ h v)²,   virial = Σ a v.

    A step size of 0 is the posterior itself.

    Parameters
    ----------
    curvature : (d,) array_like
        h_i >= 0.
    nbeta, localization, step_size : float
        nβ, γ and ε. The gradient is exact: noise of minibatches is not in it.

    Raises
    ------
    ValueError
        If a direction has neither curvature nor localization, or the steps diverge: εa >= 4.
    """
    check(nbeta, localization)
    h = np.atleast_1d(np.asarray(curvature, dtype=np.float64))
    stiffness = nbeta * h + localization
    if np.any(h < 0) or np.any(stiffness <= 0):
        raise ValueError(
            "curvature must not be negative, and positive where localization is 0; the least is "
            f"{h.min()}."
        )
    if step_size < 0 or step_size * stiffness.max() >= 4:
        raise ValueError(
            f"step_size must be from 0 to below 4/(nβ h + γ) = {4 / stiffness.max():.3g}; it is "
            f"{step_size}."
        )
    variance = 1 / (stiffness * (1 - step_size * stiffness / 4))
    share = nbeta * h * variance
    return TemperedReading(
        float(share.sum() / 2), float(np.sum(share**2) / 2), float(np.sum(stiffness * variance))
    )


def check(nbeta: float, localization: float) -> None:
    """Check the two strengths of a tempered posterior."""
    if not 0 < nbeta < math.inf:
        raise ValueError(f"nbeta must be positive and finite; it is {nbeta}.")
    if not 0 <= localization < math.inf:
        raise ValueError(f"localization must be finite and at least 0; it is {localization}.")
