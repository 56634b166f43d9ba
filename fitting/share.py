"""Integrals over the share that divides a gain between two columns.

With whitened columns ``a`` and ``d`` the curve is ``gain (a + share d) + …``, so the likelihood at
any share needs nothing but inner products that are already there. The share's own integral is then
one sum over nodes: some everywhere, most of them where least squares puts the share.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

EVERYWHERE = 0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, 17))
AROUND = np.sinh(np.linspace(-3.0, 3.0, 25))  # standard errors: dense near 0, out to ten
WIDE = 0.2  # no larger standard error is believed, so that the nodes stay dense


def least_squares_share(gram: Array, gain: int, precision: Array) -> tuple[Array, Array]:
    """Where the curve puts the share, and its standard error, each (B,); it may lie outside [0, 1].

    Parameters
    ----------
    gram : ndarray, shape (B, 2 + q, 2 + q)
        Of y, the linear parameters' columns, and last the direction ``d``.
    gain : int
        Place of the divided parameter's column.
    precision : ndarray, shape (1 + q,)
        Prior precisions that keep the solution finite, of the linear parameters and gain times
        share.
    """
    covariance = np.linalg.inv(gram[:, 1:, 1:] + np.diag(precision))
    best = np.einsum("bij,bj->bi", covariance, gram[:, 1:, 0])
    along = covariance[:, [gain - 1, -1]][:, :, [gain - 1, -1]]
    with np.errstate(all="ignore"):  # without a gain the share is anywhere
        share = best[:, -1] / best[:, gain - 1]
        slope = np.stack([-share, np.ones_like(share)], axis=1)
        variance = np.einsum("bi,bij,bj->b", slope, along, slope)
        return share, np.sqrt(np.maximum(variance, 0.0)) / np.abs(best[:, gain - 1])


def share_nodes(gram: Array, gain: int, precision: Array) -> tuple[Array, Array]:
    """Nodes in [0, 1] and the logarithms of their trapezoids' weights, each (S, B)."""
    best, se = least_squares_share(gram, gain, precision)
    best = np.clip(np.nan_to_num(best, nan=0.5), -1e6, 1e6)
    se = np.clip(np.nan_to_num(se, nan=1e6), 1e-9, 1e6)
    share = np.clip(best, 0.0, 1.0)
    # Outside [0, 1] what is left inside falls off from the edge, the faster the farther.
    se = np.minimum(se, WIDE) / np.maximum(1.0, np.abs(best - share) / se)
    nodes = np.concatenate(
        [np.repeat(EVERYWHERE[:, None], len(share), axis=1), share + AROUND[:, None] * se]
    )
    nodes = np.sort(np.clip(nodes, 0.0, 1.0), axis=0)
    half = 0.5 * np.diff(nodes, axis=0)
    weight = np.zeros_like(nodes)
    weight[:-1] += half
    weight[1:] += half
    with np.errstate(divide="ignore"):
        return nodes, np.log(weight)


def gram_at(gram: Array, gain: int, share: Array) -> Array:
    """Inner products (S, B, 1 + q, 1 + q) with the divided columns joined at shares (S, B)."""
    kept, side, square = gram[:, :-1, :-1], gram[:, :-1, -1], gram[:, -1, -1]
    joined = np.repeat(kept[None], len(share), axis=0)
    moved = share[..., None] * side
    joined[..., gain, :] += moved
    joined[..., :, gain] += moved
    joined[..., gain, gain] += share**2 * square
    return joined
