"""Reduced rank regression at a finite temperature, where the true map is 0: exact readings.

The posterior around the center 0 of K = ½|BA|², B (N, H) and A (H, M), is

    p(A, B) ∝ exp(-t/2 |BA|² - γ/2 |A|² - γ/2 |B|²).

Given B every column of A is Gaussian with the precision t BᵀB + γ. With q = ts/(ts + γ) for each
of the k = min(N, H) eigenvalues s of BᵀB that can differ from 0, given B

    E[tK] = (M/2) Σ q,   Var[tK] = (M/2) Σ q².

The eigenvalues of a Gaussian matrix are a Laguerre ensemble, here with one more factor:

    p(s) ∝ Π_{i<j} |s_i - s_j|  Π_i w(s_i),
    w(s) = s^((|N - H| - 1)/2) e^(-γs/2) (ts + γ)^(-M/2),

and by de Bruijn's formula Z is the Pfaffian of Q, bordered by c where k is odd,

    Q_ij = ∫∫_{x<y} (p_i(x) p_j(y) - p_j(x) p_i(y)) w(x) w(y) dx dy,   c_i = ∫ p_i w dx,

p_i any polynomials of the degrees 0 to k - 1. So every width is a matter of integrals over a line,
and with τ = ln t

    llc = E[tK] = -d ln Z/dτ,   llc_variance = Var[tK] = d² ln Z/dτ² + llc.

Transposing BA exchanges N and M; the smaller is taken for N. A localization of γ at t is one of 1
at t/γ², since K is of degree 4.

References
----------
de Bruijn 1955, J. Indian Math. Soc. 19, 133-151, for the Pfaffian; James 1964, Ann. Math.
Statist. 35, 475-501, for the eigenvalues; the readings are derived here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import cumulative_simpson

from theory.learning_coefficients.tempered import TemperedReading, check

Floats = NDArray[np.float64]

SPACING = 0.01
"""Of ln s. Outer integrals converge faster than any power of it, inner ones with the fourth."""
TAIL = 80.0
"""How far ln s goes below its scales: the integrand falls at least as s^(1/2), to e^-40."""
MOST_EXPONENT = 200.0
"""Where e^(-γs/2) ends."""


def tempered_reduced_rank(
    num_inputs: int, num_hidden: int, num_outputs: int, nbeta: float, localization: float
) -> TemperedReading:
    """Return the readings of K = ½|BA|² around 0, exactly.

    llc → λ - (m - 1)/ln t + ... with the λ and m of `reduced_rank` at the true rank 0.

    Parameters
    ----------
    num_inputs, num_hidden, num_outputs : int
        M, H and N, at least 1. The integrals are good to about eight digits; tried up to a
        least width of 10.
    nbeta, localization : float
        t and γ, both positive.

    Raises
    ------
    ValueError
        If a width is below 1, or nβ or the localization is not positive: without one there is no
        posterior.
    """
    check(nbeta, localization)
    if min(num_inputs, num_hidden, num_outputs) < 1:
        raise ValueError(
            f"widths must be at least 1; they are {(num_inputs, num_hidden, num_outputs)}."
        )
    if not localization > 0:
        raise ValueError(
            f"localization must be positive for reduced rank regression; it is {localization}."
        )
    n, m = sorted((num_inputs, num_outputs))
    weighted, share, spacing = ensemble(n, num_hidden, m, nbeta / localization**2)
    first = -m / 2 * share * weighted
    second = (m**2 / 4 * share**2 - m / 2 * share * (1 - share)) * weighted
    q, dq, ddq = pfaffian_matrices(weighted, first, second, spacing)
    slope = np.linalg.solve(q, dq)
    llc = -float(np.trace(slope)) / 2
    bend = float(np.trace(np.linalg.solve(q, ddq)) - np.trace(slope @ slope)) / 2
    num_parameters = num_hidden * (num_inputs + num_outputs)
    return TemperedReading(llc, bend + llc, float(num_parameters))


def ensemble(n: int, num_hidden: int, m: int, t: float) -> tuple[Floats, Floats, float]:
    """Return p_i w s over a grid of ln s, (k, G), the shares q, (G,), and the spacing; γ is 1.

    The p_i are chosen so that the p_i w s are orthonormal, and Q well conditioned.
    """
    low, high = min(-np.log(t), 0.0) - TAIL, np.log(2 * MOST_EXPONENT)
    log_s = np.linspace(low, high, int((high - low) / SPACING) + 1)
    s = np.exp(log_s)
    power = (abs(n - num_hidden) + 1) / 2
    log_weight = power * log_s - s / 2 - m / 2 * np.logaddexp(np.log(t) + log_s, 0.0)
    degrees = np.arange(min(n, num_hidden))[:, None]
    log_columns = degrees * log_s + log_weight
    columns = np.exp(log_columns - log_columns.max(axis=1, keepdims=True))
    columns /= np.linalg.norm(columns, axis=1, keepdims=True)
    weighted = np.linalg.qr(columns.T)[0].T
    spacing = float(log_s[1] - log_s[0])
    return weighted, t * s / (t * s + 1), spacing


def pfaffian_matrices(
    weighted: Floats, first: Floats, second: Floats, spacing: float
) -> tuple[Floats, Floats, Floats]:
    """Return Q and its two derivatives in τ from those of p_i w s, bordered where k is odd."""
    each = np.stack([weighted, first, second])
    inner = cumulative_simpson(each, dx=spacing, axis=-1, initial=0.0)
    ordered = spacing * np.einsum("aig,bjg->abij", inner, each)
    pairs = ordered - ordered.transpose(0, 1, 3, 2)
    q, dq, ddq = pairs[0, 0], pairs[1, 0] + pairs[0, 1], pairs[2, 0] + 2 * pairs[1, 1] + pairs[0, 2]
    if len(weighted) % 2 == 0:
        return q, dq, ddq
    border = spacing * each.sum(axis=-1)
    return bordered(q, border[0]), bordered(dq, border[1]), bordered(ddq, border[2])


def bordered(q: Floats, c: Floats) -> Floats:
    """Return [[Q, c], [-cᵀ, 0]]."""
    return np.block([[q, c[:, None]], [-c[None, :], np.zeros((1, 1))]])
