"""The toy model of superposition in the limit of high sparsity, in closed form.

    f(x; W, b) = ReLU(WᵀW x + b),   W of shape (2, c), b of shape (c,),
    x = μ e_i,  feature i with probability p_i,  μ uniform on [0, 1],
    L(W, b) = E |x - f(x)|² = Σ_i p_i Σ_j F(g_ij, b_j; δ_ij),   g = WᵀW.

With t = δ_ij an entry is F(g, b; t) = ∫ (tμ - ReLU(gμ + b))² dμ over [0, 1]. The unit is active
between lo and hi, which are 0, 1 or m = -b/g; there it errs by pμ - b with p = t - g. With
h_k = hi^k - lo^k,

    F    = p² h_3/3 - p b h_2 + b² h_1 + t² (1 - h_3)/3
    F_g  = -2 (p h_3/3 - b h_2/2)           F_b  = -2 (p h_2/2 - b h_1)
    F_gg = 2 h_3/3 - 2t m³/|g|    F_gb = h_2 - 2t m²/|g|    F_bb = 2 h_1 - 2t m/|g|,

the terms in m only where the boundary m lies inside (0, 1): a second derivative of the population
loss sees the corner of the ReLU. Where m reaches 0 or 1 the loss is once differentiable, not twice.

References
----------
Chen, Lau, Mendel, Wei and Murfet 2023 (arXiv 2310.06301) for the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from theory.curve import FloatArray

PLANE = 2
"""Dimensions that the features are squeezed into."""


def loss(weights: ArrayLike, bias: ArrayLike, probability: ArrayLike | None = None) -> FloatArray:
    """Return the population loss L(W, b).

    Parameters
    ----------
    weights : (..., 2, c) array_like
    bias : (..., c) array_like
        Leading axes of both are batches and broadcast.
    probability : (c,) array_like, optional
        p_i of each feature; 1/c without it.

    Returns
    -------
    (...) array of float

    Raises
    ------
    ValueError
        If the shapes do not go together or the probabilities are none.
    """
    w, b, p = checked(weights, bias, probability)
    e = entries(w, b)
    value = (
        e.slope**2 * e.third / 3
        - e.slope * e.bias * e.second
        + e.bias**2 * e.first
        + e.target * (1 - e.third) / 3
    )
    return np.asarray(np.einsum("i,...ij->...", p, value))


def gradient(
    weights: ArrayLike, bias: ArrayLike, probability: ArrayLike | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return dL/dW = W (D + Dᵀ) with D_ij = p_i F_g, and dL/db_j = Σ_i p_i F_b.

    Arguments as of `loss`.

    Returns
    -------
    (..., 2, c) and (..., c) arrays of float
    """
    w, b, p = checked(weights, bias, probability)
    by_product, by_bias = first_derivatives(entries(w, b))
    d = p[:, None] * by_product
    return w @ (d + d.swapaxes(-1, -2)), np.einsum("i,...ij->...j", p, by_bias)


def hessian(
    weights: ArrayLike, bias: ArrayLike, probability: ArrayLike | None = None
) -> FloatArray:
    """Return the second derivatives in the 3c parameters: row 0 of W, row 1 of W, b.

    Arguments as of `loss`.

    Returns
    -------
    (..., 3c, 3c) array of float
    """
    w, b, p = checked(weights, bias, probability)
    e, c = entries(w, b), b.shape[-1]
    eye = np.eye(c)
    # d g_ij / d W_ak = δ_ik W_aj + δ_jk W_ai
    turn = np.einsum("ik,...aj->...ijak", eye, w) + np.einsum("jk,...ai->...ijak", eye, w)
    turn = turn.reshape(*turn.shape[:-2], PLANE * c)
    by_product, _ = first_derivatives(e)
    gg, gb, bb = (p[:, None] * part for part in second_derivatives(e))
    d = p[:, None] * by_product
    bend = np.einsum("ab,...kl->...akbl", np.eye(PLANE), d + d.swapaxes(-1, -2))
    weight_block = np.einsum("...ijx,...ij,...ijy->...xy", turn, gg, turn, optimize=True)
    weight_block = weight_block + bend.reshape(weight_block.shape)
    cross = np.einsum("...ijx,...ij->...xj", turn, gb)
    bias_block = np.einsum("...ij,jk->...jk", bb, eye)
    return np.block([[weight_block, cross], [cross.swapaxes(-1, -2), bias_block]])


@final
@dataclass(frozen=True, eq=False)
class Entries:
    """What F(g_ij, b_j; δ_ij) and its derivatives are made of, for every input i and output j.

    Attributes
    ----------
    slope : (..., c, c) array of float
        p = δ_ij - g_ij.
    bias : (..., 1, c) array of float
    target : (c, c) array of float
        δ_ij.
    first, second, third : (..., c, c) arrays of float
        h_k = hi^k - lo^k.
    corner, steepness : (..., c, c) arrays of float
        m and |g| where m lies inside (0, 1); 0 and 1 elsewhere.
    """

    slope: FloatArray
    bias: FloatArray
    target: FloatArray
    first: FloatArray
    second: FloatArray
    third: FloatArray
    corner: FloatArray
    steepness: FloatArray


def entries(w: FloatArray, b: FloatArray) -> Entries:
    """Return where each unit is active and how it errs there."""
    product = w.swapaxes(-1, -2) @ w
    b = b[..., None, :]
    level = np.broadcast_to(b, product.shape)
    bent = (level * product < 0) & (np.abs(level) < np.abs(product))
    steepness = np.where(bent, np.abs(product), 1.0)
    corner = np.where(bent, np.abs(level) / steepness, 0.0)
    lo = np.where(bent & (product > 0), corner, 0.0)
    # A unit is active at one end at least, or not at all.
    hi = np.where(np.maximum(level, level + product) > 0, 1.0, 0.0)
    hi = np.where(bent & (product < 0), corner, hi)
    target = np.eye(b.shape[-1])
    first, second, third = (hi**k - lo**k for k in (1, 2, 3))
    return Entries(target - product, b, target, first, second, third, corner, steepness)


def first_derivatives(e: Entries) -> tuple[FloatArray, FloatArray]:
    """Return F_g and F_b."""
    by_product = -2 * (e.slope * e.third / 3 - e.bias * e.second / 2)
    return by_product, -2 * (e.slope * e.second / 2 - e.bias * e.first)


def second_derivatives(e: Entries) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return F_gg, F_gb and F_bb."""
    at_corner = 2 * e.target * e.corner / e.steepness
    return (
        2 * e.third / 3 - at_corner * e.corner**2,
        e.second - at_corner * e.corner,
        2 * e.first - at_corner,
    )


def checked(
    weights: ArrayLike, bias: ArrayLike, probability: ArrayLike | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return weights, bias and probabilities as arrays that go together."""
    w, b = np.asarray(weights, dtype=np.float64), np.asarray(bias, dtype=np.float64)
    if w.ndim < 2 or b.ndim < 1 or w.shape[-2:] != (PLANE, b.shape[-1]):
        raise ValueError(
            f"weights must be (..., 2, c) and bias (..., c); they are {w.shape} and {b.shape}."
        )
    c = b.shape[-1]
    p = np.full(c, 1 / c) if probability is None else np.asarray(probability, dtype=np.float64)
    if p.shape != (c,) or np.any(p < 0) or not np.isclose(p.sum(), 1, rtol=0, atol=1e-9):
        raise ValueError(
            f"probability must be {c} numbers from 0 up that sum to 1; it is {p.tolist()}."
        )
    batch = np.broadcast_shapes(w.shape[:-2], b.shape[:-1])
    return np.broadcast_to(w, (*batch, PLANE, c)), np.broadcast_to(b, (*batch, c)), p
