"""Walkers that spread from every start over a posterior its modes do not describe.

Where a form has parts that the curve does not need (a second stage of share zero may stand
anywhere), most of the mass lies in broad regions without a peak, in several lobes. A group of
walkers starts in each place the deterministic search found, so that no lobe is lost to a heavier
one. They move by differences of others (ter Braak 2006, Stat. Comput. 16:239) in random subspaces
(Vrugt et al. 2009, Int. J. Nonlinear Sci. 10:273), and by drawing a subspace from the prior anew.

They only shape the next proposal: the evidence is weighted exactly whatever they did.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

POWERS = (0.3, 1.0, 1.0)  # of the likelihood: walkers spread before they settle


def walk(
    log_likelihood: Callable[[Array], Array],
    groups: Array,
    *,
    rng: np.random.Generator,
    steps: int = 48,
) -> Array:
    """Late positions of walkers, (M, d).

    Parameters
    ----------
    log_likelihood : callable
        From deviates (B, d), prior N(0, I), to (B,).
    groups : ndarray, shape (G, W, d)
        Where the walkers start.
    rng : numpy.random.Generator
    steps : int
    """
    shape = groups.shape
    z = groups.reshape(-1, shape[-1])
    value = log_likelihood(z)
    late = []
    for i in range(steps):
        power = POWERS[min(3 * i // steps, len(POWERS) - 1)]
        new, symmetric = _propose(z, shape[1], rng)
        new_value = log_likelihood(new)
        prior = 0.5 * (np.einsum("nd,nd->n", z, z) - np.einsum("nd,nd->n", new, new))
        with np.errstate(invalid="ignore"):
            gain = power * (new_value - value) + np.where(symmetric, prior, 0.0)
        accept = np.log(rng.random(len(z))) < gain
        z = np.where(accept[:, None], new, z)
        value = np.where(accept, new_value, value)
        if i >= steps - 4 * 4 and (steps - i) % 4 == 1:
            late.append(z)
    return np.concatenate(late)


def _propose(z: Array, size: int, rng: np.random.Generator) -> tuple[Array, NDArray[np.bool_]]:
    """Proposals, and which of them need the prior's ratio (those not drawn from it)."""
    n, d = z.shape
    me = np.arange(n)
    chosen = rng.random((n, d)) < rng.choice([0.25, 0.5, 1.0], size=n)[:, None]
    chosen[me, rng.integers(0, d, size=n)] = True
    home = me // size * size
    group = home + (me - home + rng.integers(1, size, size=(2, n))) % size
    anyone = (me + rng.integers(1, n, size=(2, n))) % n
    others = np.where(rng.random(n) < 0.7, group, anyone)
    length = 2.38 / np.sqrt(2 * chosen.sum(axis=1)) * rng.uniform(0.2, 1.0, size=n)
    length = np.where(rng.random(n) < 0.1, 1.0, length)
    jitter = 1e-4 * rng.standard_normal((n, d))
    walked = z + chosen * (length[:, None] * (z[others[0]] - z[others[1]]) + jitter)
    afresh: NDArray[np.bool_] = np.less(rng.random(n), 0.3)
    few = chosen & (rng.random((n, d)) < 0.6)
    drawn = np.where(few, rng.standard_normal((n, d)), z)
    return np.where(afresh[:, None], drawn, walked), ~afresh
