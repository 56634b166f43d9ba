"""Gaussian integrals over linear parameters, from inner products alone."""

import math

import numpy as np
from numpy.typing import NDArray

from theory.native import native

Array = NDArray[np.float64]


@native
def log_marginals(
    gram: Array,
    constant: Array,
    share: Array,
    weight: Array,
    sds: Array,
    log_weights: Array,
    logs: Array,
    total: Array,
) -> None:
    """Gaussian integrals over the linear parameters, summed over prior components and shares.

    ``ln N(r; 0, I + X D^2 X')`` by the matrix determinant lemma (Rasmussen and Williams 2006, A.9)
    from the Cholesky factor of ``I + D X'X D``. Rows of `gram` are the design's, the divided one
    last but one where there are shares (B, S), and the residual's; the factor differs between
    shares in the row of the divided column only. The terms go into `logs` (B, C, S) if it has room.
    """
    n_parts, q = sds.shape
    n_nodes = share.shape[1]
    joined = gram.shape[1] == q + 2
    r = gram.shape[1] - 1
    side, lower, forward = np.empty(q + 1), np.empty((q, q)), np.empty(q)
    terms = np.empty((n_parts, n_nodes))
    for b in range(len(gram)):
        top = -np.inf
        for c in range(n_parts):
            determinant, fitted = 1.0, 0.0
            for i in range(q - 1):
                for j in range(i + 1):
                    rest = sds[c, i] * gram[b, i, j] * sds[c, j]
                    for k in range(j):
                        rest -= lower[i, k] * lower[j, k]
                    if i > j:
                        lower[i, j] = rest / lower[j, j]
                    else:
                        # Rounding cannot push the pivot below the prior's own contribution.
                        lower[i, i] = math.sqrt(1.0 + max(rest, 0.0))
                known = sds[c, i] * gram[b, i, r]
                for k in range(i):
                    known -= lower[i, k] * forward[k]
                forward[i] = known / lower[i, i]
                determinant *= lower[i, i] ** 2
                fitted += forward[i] ** 2
            sd = sds[c, q - 1]
            for s in range(n_nodes):
                for i in range(q - 1):
                    side[i] = gram[b, q - 1, i]
                side[q - 1], side[q] = gram[b, q - 1, q - 1], gram[b, q - 1, r]
                if joined:
                    u = share[b, s]
                    for i in range(q - 1):
                        side[i] += u * gram[b, q, i]
                    side[q - 1] += u * (2.0 * gram[b, q, q - 1] + u * gram[b, q, q])
                    side[q] += u * gram[b, q, r]
                own, known = sd * side[q - 1] * sd, sd * side[q]
                for i in range(q - 1):
                    along = sd * side[i] * sds[c, i]
                    for k in range(i):
                        along -= lower[q - 1, k] * lower[i, k]
                    along /= lower[i, i]
                    lower[q - 1, i] = along
                    own -= along * along
                    known -= along * forward[i]
                pivot = 1.0 + max(own, 0.0)
                square = gram[b, r, r] - fitted - known * known / pivot
                terms[c, s] = log_weights[c] - 0.5 * (square + math.log(determinant * pivot))
                top = max(top, terms[c, s])
        total[b] = 0.0
        for c in range(n_parts):
            for s in range(n_nodes):
                total[b] += weight[b, s] * math.exp(terms[c, s] - top)
                if logs.size:
                    logs[b, c, s] = constant[b] + terms[c, s] + math.log(weight[b, s])
        total[b] = constant[b] + top + math.log(total[b])
