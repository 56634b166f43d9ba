"""The description length of a fitted expression, in nats.

Bartlett, Desmond and Ferreira 2022, Exhaustive symbolic regression, arXiv 2211.11461: the
bits of the residuals, of the constants to the precision that the data give them, and of the
expression itself. Its noise is white of one standard deviation, estimated as one more constant.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def description_length(
    square: float,
    theta: FloatArray,
    gram: FloatArray,
    n_obs: int,
    operators: Sequence[str],
) -> float:
    """Return the length of residuals, constants and expression together.

    Parameters
    ----------
    square : float
        Residual sum of squares.
    theta : ndarray, shape (p,)
        All constants, linear ones too.
    gram : ndarray, shape (p, p)
        The curve's derivatives in the constants, times each other, summed over the points.
    n_obs : int
    operators : sequence of str
        Every sign of the expression, with repeats.
    """
    variance = max(square / n_obs, np.finfo(np.float64).tiny)
    residuals = 0.5 * n_obs * math.log(2 * math.pi * math.e * variance)
    return (
        residuals + constants_length(theta, gram / variance, n_obs) + expression_length(operators)
    )


def constants_length(theta: FloatArray, information: FloatArray, n_obs: int) -> float:
    """Return what the constants and the standard deviation take: ln(size / precision) each.

    The precision is √(12/I) for the Fisher information I; a constant smaller than that takes
    nothing. Each but the standard deviation has a sign too, ln 2.
    """
    diagonal = np.append(np.diag(information), 2.0 * n_obs)
    sizes = np.append(np.abs(theta), 1.0)
    with np.errstate(divide="ignore"):
        lengths = np.log(sizes) + 0.5 * np.log(diagonal / 12)
    return float(np.maximum(lengths, 0.0).sum()) + len(theta) * math.log(2)


def expression_length(operators: Sequence[str]) -> float:
    """Return k ln n, for k signs of n kinds."""
    return len(operators) * math.log(max(2, len(set(operators))))
