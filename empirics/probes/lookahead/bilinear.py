"""A bilinear probe: which of several squares is meant, told from their states and another's.

The probability of candidate y is softmax over y of x_y' W (1, z), with x_y the candidate's
features and z those of the square that asks, both standardized. The loss, with ½ ridge Σ W², is
convex. Jenner et al. 2024 (arXiv 2406.00877) restrict W to rank 32; states of no more channels
than that, as here, leave nothing to restrict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@final
@dataclass(frozen=True, eq=False)
class BilinearProbe:
    """A fitted probe.

    Attributes
    ----------
    weights : (d, 1 + e) array
    center, spread : pair of (d,) and (e,) arrays
        By which the features of candidates and askers are standardized.
    """

    weights: FloatArray
    center: tuple[FloatArray, FloatArray]
    spread: tuple[FloatArray, FloatArray]

    def logits(self, candidates: FloatArray, asker: FloatArray) -> FloatArray:
        """Return the logit of each candidate, (n, m), from (n, m, d) and (n, e) features."""
        x, z = _standardized(candidates, asker, self.center, self.spread)
        return np.asarray(np.einsum("nmd,nd->nm", x, z @ self.weights.T))


def fit_bilinear(
    candidates: FloatArray,
    asker: FloatArray,
    is_there: NDArray[np.bool_],
    chosen: IntArray,
    *,
    ridge: float = 1.0,
) -> BilinearProbe:
    """Fit a probe by L-BFGS.

    Parameters
    ----------
    candidates : (n, m, d) array
    asker : (n, e) array
    is_there : (n, m) bool array
        Which of m candidates a row has.
    chosen : (n,) integer array
        Index of the right one.
    ridge : float

    Raises
    ------
    ValueError
        If a chosen candidate is not there.
    """
    each = np.arange(len(chosen))
    if not is_there[each, chosen].all():
        raise ValueError("the chosen candidate must be one of those that are there.")
    rows = candidates[is_there]
    center = rows.mean(axis=0), asker.mean(axis=0)
    spread = _or_one(rows.std(axis=0)), _or_one(asker.std(axis=0))
    x, z = _standardized(candidates, asker, center, spread)
    shape = x.shape[2], z.shape[1]

    def loss(flat: FloatArray) -> tuple[float, FloatArray]:
        w = flat.reshape(shape)
        logits = np.where(is_there, (x @ (z @ w.T)[:, :, None])[:, :, 0], -np.inf)
        logits -= logits.max(axis=1, keepdims=True)
        p = np.exp(logits)
        total = p.sum(axis=1)
        value = float((np.log(total) - logits[each, chosen]).sum()) + ridge / 2 * float(flat @ flat)
        wrong = p / total[:, None]
        wrong[each, chosen] -= 1.0
        slope = (wrong[:, None, :] @ x)[:, 0].T @ z + ridge * w
        return value, slope.ravel()

    found = minimize(loss, np.zeros(shape[0] * shape[1]), jac=True, method="L-BFGS-B")
    return BilinearProbe(found.x.reshape(shape), center, spread)


def told_by_folds(
    candidates: FloatArray,
    asker: FloatArray,
    is_there: NDArray[np.bool_],
    chosen: IntArray,
    fold: IntArray,
) -> IntArray:
    """Return the candidate that a probe fitted to the other folds tells of each row, (n,).

    Parameters
    ----------
    candidates, asker, is_there, chosen
        As in `fit_bilinear`.
    fold : (n,) integer array
    """
    told = np.empty(len(chosen), dtype=np.int64)
    for f in np.unique(fold):
        fit, test = fold != f, fold == f
        probe = fit_bilinear(candidates[fit], asker[fit], is_there[fit], chosen[fit])
        logits = probe.logits(candidates[test], asker[test])
        told[test] = np.where(is_there[test], logits, -np.inf).argmax(axis=1)
    return told


def _standardized(
    candidates: FloatArray,
    asker: FloatArray,
    center: tuple[FloatArray, FloatArray],
    spread: tuple[FloatArray, FloatArray],
) -> tuple[FloatArray, FloatArray]:
    """Return standardized features, those of the asker behind a 1."""
    z = (asker - center[1]) / spread[1]
    return (candidates - center[0]) / spread[0], np.concatenate([np.ones((len(z), 1)), z], axis=1)


def _or_one(spread: FloatArray) -> FloatArray:
    return np.where(spread > 1e-9, spread, 1.0)
