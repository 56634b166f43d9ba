"""A mixture of two Gaussians that learns one: a N(b, 1) + (1 - a) N(0, 1), truth N(0, 1).

With f(x) = a (exp(bx - b²/2) - 1) the ratio of the densities is 1 + f, and

    K(a, b) = E[f - ln(1 + f)] = a² b² u(a, b),   u(0, 0) = ½ E[x²] = 1/2,

for f is ab times an analytic function that does not vanish. So K is a normal crossing where both
a = 0 and b = 0 are possible: λ = 1/2, m = 2.

References
----------
Watanabe 2009, Algebraic geometry and statistical learning theory; the lines above are the
proof. A test checks that u stays between positive bounds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import roots_hermitenorm

from theory.curve import FloatArray
from theory.learning_coefficients.coefficient import LearningCoefficient
from theory.learning_coefficients.monomial import monomial

NODES, NODE_WEIGHTS = roots_hermitenorm(120)


def two_gaussians() -> LearningCoefficient:
    """Return λ and m, for a prior that is positive around a = b = 0."""
    return monomial((1, 1))


def divergence(share: ArrayLike, shift: ArrayLike) -> FloatArray:
    """Return K(a, b), the Kullback and Leibler divergence from the truth, by Gauss and Hermite.

    Parameters
    ----------
    share : (...) array_like
        a, from 0 to below 1.
    shift : (...) array_like
        b; a test holds |b| <= 2 to a millionth.

    Raises
    ------
    ValueError
        If a share is below 0, or not below 1.
    """
    a, b = (np.asarray(x, dtype=np.float64)[..., None] for x in (share, shift))
    if np.any((a < 0) | (a >= 1)):
        raise ValueError(f"share must be from 0 to below 1; it goes from {a.min()} to {a.max()}.")
    f = a * np.expm1(b * NODES - b**2 / 2)
    # E[f] = 0, but near a = b = 0 its terms cancel: a series keeps the digits.
    gap = np.where(np.abs(f) < 1e-4, f**2 * (0.5 - f / 3), f - np.log1p(f))
    return np.asarray(gap @ NODE_WEIGHTS / NODE_WEIGHTS.sum())
