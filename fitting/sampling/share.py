"""Integrals over the share that divides a gain between two columns.

With whitened columns ``a`` and ``d`` the curve is ``gain (a + share d) + …``, so the likelihood at
any share needs nothing but inner products that are already there. The share's own integral is then
one sum over nodes: some everywhere, most of them where least squares puts the share.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from theory.native import native

Array = NDArray[np.float64]

EVERYWHERE = 0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, 17))
AROUND = np.sinh(np.linspace(-3.0, 3.0, 25))  # standard errors: dense near 0, out to ten
N_NODES = len(EVERYWHERE) + len(AROUND)
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
    m = len(precision)
    # The two columns that the share stands between come last.
    order = np.array([*(i for i in range(1, m) if i != gain), gain, m, 0])
    kept = np.ascontiguousarray(gram[:, order[:, None], order])
    share, se = np.empty(len(gram)), np.empty(len(gram))
    _least_squares(kept, precision[order[:-1] - 1], share, se)
    return share, se


@native
def _least_squares(gram: Array, precision: Array, share: Array, se: Array) -> None:
    """Cholesky's factor of the normal equations; its last two rows tell of the last two columns."""
    m = len(precision)
    lower, forward = np.zeros((m, m)), np.empty(m)
    for b in range(len(gram)):
        for i in range(m):
            for j in range(i + 1):
                rest = gram[b, i, j]
                for k in range(j):
                    rest -= lower[i, k] * lower[j, k]
                if i > j:
                    lower[i, j] = rest / lower[j, j]
                else:
                    lower[i, i] = math.sqrt(max(rest, 0.0) + precision[i])
            known = gram[b, i, m]
            for k in range(i):
                known -= lower[i, k] * forward[k]
            forward[i] = known / lower[i, i]
        first, cross, second = lower[m - 2, m - 2], lower[m - 1, m - 2], lower[m - 1, m - 1]
        part = forward[m - 1] / second
        whole = (forward[m - 2] - cross * part) / first
        share[b] = part / whole
        # The slope (-share, 1) / whole through the inverse of the factor's last block.
        along = (1.0 + share[b] * cross / first) / second
        se[b] = math.sqrt(along**2 + (share[b] / first) ** 2) / abs(whole)


def share_nodes(gram: Array, gain: int, precision: Array) -> tuple[Array, Array]:
    """Nodes in [0, 1], increasing, and their trapezoids' weights, each (B, S)."""
    best, se = least_squares_share(gram, gain, precision)
    best = np.clip(np.nan_to_num(best, nan=0.5), -1e6, 1e6)
    se = np.clip(np.nan_to_num(se, nan=1e6), 1e-9, 1e6)
    share = np.clip(best, 0.0, 1.0)
    # Outside [0, 1] what is left inside falls off from the edge, the faster the farther.
    se = np.minimum(se, WIDE) / np.maximum(1.0, np.abs(best - share) / se)
    nodes = np.empty((len(gram), N_NODES))
    weight = np.zeros_like(nodes)
    _trapezoids(share, se, EVERYWHERE, AROUND, nodes, weight)
    return nodes, weight


@native
def _trapezoids(
    share: Array, se: Array, everywhere: Array, around: Array, nodes: Array, weight: Array
) -> None:
    """Merge the two sorted lists of nodes of each draw, and share out the gaps between them."""
    for b in range(len(share)):
        i = j = 0
        for s in range(nodes.shape[1]):
            near = 2.0
            if j < len(around):
                near = min(max(share[b] + around[j] * se[b], 0.0), 1.0)
            if i < len(everywhere) and everywhere[i] <= near:
                nodes[b, s] = everywhere[i]
                i += 1
            else:
                nodes[b, s] = near
                j += 1
            if s > 0:
                half = 0.5 * (nodes[b, s] - nodes[b, s - 1])
                weight[b, s - 1] += half
                weight[b, s] += half


def gram_at(gram: Array, gain: int, share: Array) -> Array:
    """Inner products (S, B, 1 + q, 1 + q) with the divided columns joined at shares (S, B)."""
    kept, side, square = gram[:, :-1, :-1], gram[:, :-1, -1], gram[:, -1, -1]
    joined = np.repeat(kept[None], len(share), axis=0)
    moved = share[..., None] * side
    joined[..., gain, :] += moved
    joined[..., :, gain] += moved
    joined[..., gain, gain] += share**2 * square
    return joined
