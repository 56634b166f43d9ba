"""Reduced rank regression: y = B A x + noise, B (N, H) and A (H, M), a true map of rank r.

With K = |BA - C|², C of rank r:

    M + H < N + r:   λ = (HM - Hr + Nr)/2,  m = 1
    N + H < M + r:   λ = (HN - Hr + Mr)/2,  m = 1
    M + N < H + r:   λ = MN/2,              m = 1
    else, with S = 2(H + r)(M + N) - (M - N)² - (H + r)²:
        M + H + N + r even:   λ = S/8,        m = 1
        M + H + N + r odd:    λ = (S + 1)/8,  m = 2

References
----------
Aoyagi and Watanabe 2005, Neural Networks 18, 924-933, main theorem.
"""

from __future__ import annotations

from fractions import Fraction

from theory.learning_coefficients.coefficient import LearningCoefficient


def reduced_rank(
    num_inputs: int, num_hidden: int, num_outputs: int, true_rank: int
) -> LearningCoefficient:
    """Return λ and m of reduced rank regression.

    Parameters
    ----------
    num_inputs, num_hidden, num_outputs : int
        M, H and N, at least 1.
    true_rank : int
        r, from 0 to the smallest of the three.

    Raises
    ------
    ValueError
        If a width is below 1, or the rank is none that the model can have.
    """
    m, h, n, r = num_inputs, num_hidden, num_outputs, true_rank
    if min(m, h, n) < 1 or not 0 <= r <= min(m, h, n):
        raise ValueError(
            "widths must be at least 1 and true_rank from 0 to the smallest width; they are "
            f"{(m, h, n)} and {r}."
        )
    if m + h < n + r:
        return LearningCoefficient(Fraction(h * m - h * r + n * r, 2))
    if n + h < m + r:
        return LearningCoefficient(Fraction(h * n - h * r + m * r, 2))
    if m + n < h + r:
        return LearningCoefficient(Fraction(m * n, 2))
    eighths = 2 * (h + r) * (m + n) - (m - n) ** 2 - (h + r) ** 2
    odd = (m + h + n + r) % 2
    return LearningCoefficient(Fraction(eighths + odd, 8), 1 + odd)


def rank_one_product(num_left: int, num_right: int) -> LearningCoefficient:
    """Return λ and m of K = |u vᵀ|² = |u|² |v|² at 0, u of n parameters and v of m.

    Polar coordinates make it a monomial with Jacobian |u|^(n-1) |v|^(m-1): λ = min(n, m)/2, and the
    multiplicity is 2 only where n = m. It is reduced rank regression with H = 1 and r = 0.

    Raises
    ------
    ValueError
        If a number is below 1.
    """
    if min(num_left, num_right) < 1:
        raise ValueError(
            f"num_left and num_right must be at least 1; they are {num_left} and {num_right}."
        )
    return LearningCoefficient(
        Fraction(min(num_left, num_right), 2), 2 if num_left == num_right else 1
    )
