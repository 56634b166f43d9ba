"""Deep linear networks: y = W_L ... W_1 x + noise, widths H_0, ..., H_L, a true map of rank r.

With the spare widths M_i = H_i - r, let Σ be the l + 1 layers whose spare widths are smallest, l
chosen so that with s the sum of theirs

    max_Σ M_i < min_rest M_i,   s >= l max_Σ M_i,   s < l min_rest M_i.

With M = ceil(s/l) and a = s - (M - 1) l,

    λ = (r (H_0 + H_L) - r²)/2 + a (l - a)/(4l) - (l (l - 1)/4) (s/l)² + ½ Σ_Σ M_i M_j (i < j)
    m = a (l - a) + 1.

References
----------
Aoyagi 2024 (Consideration on the learning efficiency of multiple-layered neural networks with
linear units, Neural Networks 172), main theorem.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations

from theory.learning_coefficients.coefficient import LearningCoefficient


def deep_linear_network(widths: Sequence[int], true_rank: int) -> LearningCoefficient:
    """Return λ and m of a deep linear network.

    Parameters
    ----------
    widths : sequence of int
        H_0 (inputs) to H_L (outputs), two at least.
    true_rank : int
        r, from 0 to the smallest width.

    Raises
    ------
    ValueError
        If there are less than two widths, one is below 1, or the rank is none they can have.
    """
    r = true_rank
    if len(widths) < 2 or min(widths) < 1 or not 0 <= r <= min(widths):
        raise ValueError(
            "widths must be two at least, each at least 1, and true_rank from 0 to the smallest; "
            f"they are {list(widths)} and {r}."
        )
    narrow = narrow_layers([width - r for width in widths])
    layers, s = len(narrow) - 1, sum(narrow)
    a = s - (-(-s // layers) - 1) * layers
    pairs = sum(x * y for x, y in combinations(narrow, 2))
    value = (
        Fraction(r * (widths[0] + widths[-1]) - r**2, 2)
        + Fraction(a * (layers - a), 4 * layers)
        - Fraction((layers - 1) * s**2, 4 * layers)
        + Fraction(pairs, 2)
    )
    return LearningCoefficient(value, a * (layers - a) + 1)


def narrow_layers(spare: Sequence[int]) -> list[int]:
    """Return the spare widths of the layers in Σ, smallest first: the first set that meets all."""
    ordered = sorted(spare)
    return next(
        ordered[: layers + 1]
        for layers in range(1, len(ordered))
        if layers * ordered[layers] <= sum(ordered[: layers + 1])
        and (
            layers + 1 == len(ordered)
            or ordered[layers] < ordered[layers + 1]
            and sum(ordered[: layers + 1]) < layers * ordered[layers + 1]
        )
    )
