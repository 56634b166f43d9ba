"""A network of H hyperbolic tangents that learns nothing: f(x) = Σ_h a_h tanh(b_h x), truth 0.

The odd powers of x are independent, so K = E[f²] vanishes as fast as the sum of the squares of

    c_n = Σ_h a_h b_h^(2n-1),   n = 1, ..., H;   later ones are in their ideal.

Let |b_h| be below t = ε^τ. The c_n are H combinations of the a_h, of the sizes t^(2n-1); to keep
them below ε takes from the volume a factor ε/t^(2n-1) where that is below 1. Hence

    V(K < ε²) ~ ε^(2λ),   2λ = min_τ [ τH + Σ_n max(0, 1 - (2n - 1) τ) ].

The slope in τ is H - i² where i terms are left, so that with i the whole part of √H

    λ = (i² + i + H)/(4i + 2),   m = 2 where i² = H, else 1:   1/2, 2/3, 5/6, 1, ...

This argument bounds λ from above for every H. That nothing shrinks more slowly is the theorem of
the reference; for H = 1 and 2 a test resolves the singularity instead.

References
----------
Aoyagi and Watanabe (Resolution of singularities and the generalization error with Bayesian
estimation for layered neural network), cited from a secondary source.
"""

from __future__ import annotations

import math
from fractions import Fraction

from theory.learning_coefficients.coefficient import LearningCoefficient


def tanh_network(num_hidden: int) -> LearningCoefficient:
    """Return λ and m of H hidden units with one input and one output, where the truth is 0.

    Raises
    ------
    ValueError
        If H is below 1.
    """
    if num_hidden < 1:
        raise ValueError(f"num_hidden must be at least 1; it is {num_hidden}.")
    i = math.isqrt(num_hidden)
    return LearningCoefficient(
        Fraction(i**2 + i + num_hidden, 4 * i + 2), 2 if i**2 == num_hidden else 1
    )
