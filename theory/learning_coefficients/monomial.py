"""Normal crossings: the potentials that every other one is resolved to.

    K(w) = Π w_j^(2k_j),  prior ∝ Π |w_j|^(h_j) near 0:
    λ = min_j (h_j + 1)/(2k_j),  m = the number of j that attain it.

A sum of potentials of separate parameters has the zeta function's poles added: λ adds up, and
m - 1 too. A potential that is a nondegenerate square in r directions and flat in the others, under
a positive prior, has λ = r/2.

References
----------
Watanabe 2009, Algebraic geometry and statistical learning theory.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from theory.learning_coefficients.coefficient import LearningCoefficient


def monomial(half_powers: Sequence[int], prior_powers: Sequence[int] = ()) -> LearningCoefficient:
    """Return λ and m of K = Π w_j^(2k_j) under a prior Π |w_j|^(h_j).

    Parameters
    ----------
    half_powers : sequence of int
        k_j >= 0, not all 0; a parameter with k_j = 0 does not enter.
    prior_powers : sequence of int, optional
        h_j >= 0, one for every k_j; all 0 without it.

    Raises
    ------
    ValueError
        If powers are negative, all k_j are 0, or the sequences differ in length.
    """
    h = list(prior_powers) or [0] * len(half_powers)
    if len(h) != len(half_powers):
        raise ValueError(
            f"prior_powers must be as many as half_powers; they are {len(h)} and "
            f"{len(half_powers)}."
        )
    if min(half_powers, default=0) < 0 or min(h, default=0) < 0 or not any(half_powers):
        raise ValueError(
            "half_powers and prior_powers must not be negative, and one half power must be "
            f"positive; they are {list(half_powers)} and {h}."
        )
    poles = [Fraction(h_j + 1, 2 * k_j) for k_j, h_j in zip(half_powers, h, strict=True) if k_j]
    return LearningCoefficient(min(poles), poles.count(min(poles)))


def minimally_singular(rank: int) -> LearningCoefficient:
    """Return λ = rank/2, m = 1, of a nondegenerate square in so many directions.

    A regular model of d parameters is the case rank = d.
    """
    return LearningCoefficient(Fraction(rank, 2))


def separable_sum(parts: Iterable[LearningCoefficient]) -> LearningCoefficient:
    """Return λ and m of K_1(u) + K_2(v) + ..., each of parameters of its own."""
    found = list(parts)
    if not found:
        raise ValueError("parts must hold one LearningCoefficient at least; it is empty.")
    value = found[0].value
    for part in found[1:]:
        value += part.value
    return LearningCoefficient(value, 1 + sum(part.multiplicity - 1 for part in found))
