"""The Cholesky factor of a banded Toeplitz matrix, one column from the one before."""

import math

import numpy as np
from numpy.typing import NDArray

from theory.native import native

Array = NDArray[np.float64]


@native
def whiten_banded_toeplitz(
    columns: Array, rows: Array, whitened: Array, half_log_det: Array
) -> None:
    """Whiten columns (B or 1, k, n) by Toeplitz covariances with first rows (B, n): O(n b).

    Schur's algorithm. Shifted down its diagonal the covariance changes by ``u u' - v v'`` only,
    and a hyperbolic rotation of the two vectors gives the next column of the factor; in the mixed
    form used here it is as stable as Cholesky's (Bojanczyk, Brent, de Hoog and Sweet 1995, SIAM J.
    Matrix Anal. Appl. 16:40). Where a row is zero from some lag on, so are both vectors.
    """
    n_draws, n_columns, n = whitened.shape
    u, v = np.empty(n), np.empty(n + 1)
    for b in range(n_draws):
        band = n
        while band > 1 and rows[b, band - 1] == 0.0:
            band -= 1
        scale = 1.0 / math.sqrt(rows[b, 0])
        for d in range(band):
            u[d] = scale * rows[b, d]
            v[d] = u[d]
        v[band] = 0.0
        whitened[b] = columns[b if len(columns) > 1 else 0]
        log_det = 0.0
        for j in range(n):
            log_det += math.log(u[0])
            scale = 1.0 / u[0]
            below = u[1 : min(band, n - j)]
            for k in range(n_columns):
                innovation = scale * whitened[b, k, j]
                whitened[b, k, j] = innovation
                rest = whitened[b, k, j + 1 : j + 1 + below.size]
                for d in range(below.size):
                    rest[d] -= innovation * below[d]
            turn = scale * v[1]
            across = math.sqrt((1.0 - turn) * (1.0 + turn))
            along = 1.0 / across
            for d in range(band):
                other = v[d + 1]
                new = along * (u[d] - turn * other)
                u[d] = new
                v[d] = across * other - turn * new
        half_log_det[b] = log_det
