"""Exceedance probabilities of a Dirichlet distribution: which component is the largest.

A Dirichlet vector is independent gamma variables x_k of shapes α_k over their sum, so the largest
component is the largest of these:

    P(k is largest) = ∫ g_k(x) ∏_{j≠k} G_j(x) dx

with g the gamma densities and G their distribution functions (Soch and Allefeld 2016, Exceedance
probabilities for the Dirichlet distribution; the quantity itself Stephan et al. 2009).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, gammainc, gammainccinv, gammaincinv, gammaln

Array = NDArray[np.float64]

# The integrand in ln x is smooth between such quantiles of every gamma variable, so a few nodes
# of Gauss's rule on each piece are exact to rounding.
_TAILS = np.array([1e-17, 1e-12, 1e-8, 1e-5, 1e-3, 0.02, 0.1, 0.3])
_NODES = 16
_SMALLEST = 1e-300


def exceedance(concentrations: ArrayLike) -> Array:
    """Probability of each component of a Dirichlet vector to be the largest.

    Parameters
    ----------
    concentrations
        Shape (K,), positive, K >= 1.

    Returns
    -------
    ndarray
        Shape (K,). By the beta distribution for K = 2, else by quadrature, to 1e-9 for
        concentrations of 0.01 and more.

    Raises
    ------
    ValueError
        If there is no concentration, or one is not positive and finite.
    """
    alpha = np.asarray(concentrations, dtype=np.float64)
    if alpha.ndim != 1 or alpha.size == 0:
        raise ValueError(f"concentrations must have shape (K,), K >= 1; it is {alpha.shape}.")
    wrong = np.flatnonzero(~(np.isfinite(alpha) & (alpha > 0.0)))
    if wrong.size:
        i = int(wrong[0])
        raise ValueError(
            f"concentrations must be positive and finite; concentrations[{i}] = {alpha[i]}."
        )
    if alpha.size == 1:
        return np.ones(1)
    if alpha.size == 2:
        return np.asarray(betainc(alpha[::-1], alpha, 0.5))
    return _largest(alpha)


def _largest(alpha: Array) -> Array:
    log_x, weights = _nodes(alpha)
    x = np.exp(log_x)
    below = gammainc(alpha[:, None], x)
    log_density = alpha[:, None] * log_x - x - gammaln(alpha)[:, None]  # of ln x
    density = np.exp(log_density) * weights
    others = [np.prod(np.delete(below, k, axis=0), axis=0) for k in range(alpha.size)]
    return np.asarray(np.einsum("kx,kx->k", density, np.array(others)))


def _nodes(alpha: Array) -> tuple[Array, Array]:
    """Nodes in ln x and their weights, each (n,)."""
    edges = np.concatenate(
        [
            gammaincinv(alpha[:, None], _TAILS).ravel(),
            gammaincinv(alpha, 0.5),
            gammainccinv(alpha[:, None], _TAILS).ravel(),
        ]
    )
    edges = np.unique(np.log(np.maximum(edges, _SMALLEST)))
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    half = 0.5 * np.diff(edges)[:, None]
    middle = edges[:-1, None] + half
    return (middle + half * nodes).ravel(), (half * weights).ravel()
