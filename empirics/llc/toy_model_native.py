"""The toy model's loss and gradient over many particles, compiled.

For the feature i at a strength μ the output j is ReLU(g_ij μ + b_j), g = WᵀW. All that the loss
needs of the strengths are the moments Σ μ^0, Σ μ^1 and Σ μ^2 over those where the output is
positive, which lie to one side of -b_j/g_ij: an integral for strengths uniform on [0, 1], a
difference of running sums for data.
"""

from __future__ import annotations

from theory.curve import FloatArray, IntArray
from theory.native import native


@native
def loss_and_gradient(
    w: FloatArray,
    probability: FloatArray,
    strengths: FloatArray,
    starts: IntArray,
    sums: FloatArray,
    energy: FloatArray,
    gradient: FloatArray,
) -> None:
    """Write the loss and its gradient at every particle into `energy` and `gradient`.

    Parameters
    ----------
    w : (N, 3c) array
        W, row by row, then b.
    probability : (N or 1, c) array
        Of the features; of use where there are no data.
    strengths : (n,) array
        Of the data, sorted within a feature; empty for the population.
    starts : (c + 1,) array
        Where each feature's data begin.
    sums : (n + c, 3) array
        Running sums of μ^0, μ^1 and μ^2 over n, from 0; a feature's are one longer than its data.
    energy, gradient : (N,) and (N, 3c) arrays
    """
    c = w.shape[1] // 3
    for k in range(w.shape[0]):
        x, y, b = w[k, :c], w[k, c : 2 * c], w[k, 2 * c :]
        at_x, at_y, at_b = gradient[k, :c], gradient[k, c : 2 * c], gradient[k, 2 * c :]
        p = probability[k % probability.shape[0]]
        gradient[k] = 0.0
        loss = 0.0
        for i in range(c):
            for j in range(c):
                g = x[i] * x[j] + y[i] * y[j]
                if strengths.size:
                    zeroth, first, second = _of_data(g, b[j], i, strengths, starts, sums)
                else:
                    zeroth, first, second = _of_population(g, b[j], p[i])
                mass, pull = g * first + b[j] * zeroth, g * second + b[j] * first
                loss += g * pull + b[j] * mass
                if i == j:
                    whole = sums[starts[i + 1] + i, 2] if strengths.size else p[i] / 3
                    loss += whole - 2 * pull
                    mass -= first
                    pull -= second
                at_b[j] += 2 * mass
                at_x[i] += 2 * pull * x[j]
                at_x[j] += 2 * pull * x[i]
                at_y[i] += 2 * pull * y[j]
                at_y[j] += 2 * pull * y[i]
        energy[k] = loss


@native
def _of_population(g: float, b: float, p: float) -> tuple[float, float, float]:
    """Return p times the integrals of μ^0, μ^1, μ^2 over [0, 1] where gμ + b is positive."""
    if b <= 0 and g + b <= 0:
        return 0.0, 0.0, 0.0
    low = -b / g if b <= 0 else 0.0
    high = -b / g if g + b <= 0 else 1.0
    return p * (high - low), p * (high**2 - low**2) / 2, p * (high**3 - low**3) / 3


@native
def _of_data(
    g: float, b: float, i: int, strengths: FloatArray, starts: IntArray, sums: FloatArray
) -> tuple[float, float, float]:
    """Return the sums of μ^0, μ^1, μ^2 over the feature's data at which gμ + b is positive."""
    low, high = starts[i], starts[i + 1]
    rising = g > 0
    while low < high:
        middle = (low + high) // 2
        if (g * strengths[middle] + b > 0) == rising:
            high = middle
        else:
            low = middle + 1
    if rising:
        above, below = starts[i + 1] + i, low + i
    else:
        above, below = low + i, starts[i] + i
    return (
        sums[above, 0] - sums[below, 0],
        sums[above, 1] - sums[below, 1],
        sums[above, 2] - sums[below, 2],
    )
