"""Conditional logit: weights of features by which one of several alternatives is chosen.

The choice probabilities are a product of experts, q(a) ∝ exp(Σ_h w_h x_h(a)) over the
alternatives that there are (McFadden 1974, eq. 12). What is fitted are the probabilities of an
agent, not drawn choices: the weights minimize Σ_i KL(p_i ‖ q_i), which is convex.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

MOST_STEPS = 100
"""Newton steps; a dozen is usual."""


@final
@dataclass(frozen=True, eq=False)
class ConditionalLogit:
    """A fit.

    Attributes
    ----------
    weights : (H,) array
        In log-odds a unit of the feature.
    covariance : (H, H) array
        Of the weights, for levels drawn anew; robust against a wrong model (White 1982) with
        levels as clusters (Liang and Zeger 1986).
    explained : float
        Share of Σ KL(p ‖ uniform over the alternatives there are) that the weights take away:
        1 if q is p, 0 if q is no better than uniform. Negative only with a penalty.
    """

    weights: FloatArray
    covariance: FloatArray
    explained: float

    @property
    def se(self) -> FloatArray:
        """Standard errors of the weights, over levels."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0))


def fit_conditional_logit(
    features: FloatArray,
    available: BoolArray,
    target: FloatArray,
    cluster: NDArray[np.int64],
    *,
    count: FloatArray | None = None,
    penalty: float = 1e-3,
) -> ConditionalLogit:
    """Fit the weights by Newton's method.

    Parameters
    ----------
    features : (n, A, H) array
    available : (n, A) bool array
        Which alternatives there are in each situation.
    target : (n, A) array
        What was chosen, as probabilities; 0 where there is no such alternative.
    cluster : (n,) integer array
        The level of each situation.
    count : (n,) array, optional
        How often each situation counts; once if not given.
    penalty : float
        Of ½ Σ w²: the information of so many evenly split choices, 4 times over, on every weight.
        It decides only where the situations do not.

    Raises
    ------
    ValueError
        If a situation's target does not sum to 1, or features that say the same are not told apart
        by a penalty.
    """
    wrong = np.flatnonzero(~np.isclose(np.where(available, target, 0.0).sum(axis=1), 1.0))
    if wrong.size:
        raise ValueError(
            f"the probabilities of the alternatives must sum to 1; they do not in {int(wrong[0])}."
        )
    weight = np.ones(len(features)) if count is None else count
    w = np.zeros(features.shape[2])
    loss, q = _loss(w, features, available, target, weight, penalty)
    for _ in range(MOST_STEPS):
        gradient, hessian = _slopes(w, q, features, target, weight, penalty)
        step = _solved(hessian, gradient)
        if gradient @ step < 1e-12 * max(1.0, abs(loss)):
            w = w - step  # so near that a whole step squares the error
            break
        size = 1.0
        while True:
            new, new_q = _loss(w - size * step, features, available, target, weight, penalty)
            if new <= loss - 1e-4 * size * gradient @ step or size < 1e-8:
                break
            size /= 2
        w, loss, q = w - size * step, new, new_q
    _, q = _loss(w, features, available, target, weight, penalty)
    _, hessian = _slopes(w, q, features, target, weight, penalty)
    bread = _solved(hessian, np.eye(w.size))
    meat = _meat(q, features, target, weight, cluster)
    left = _divergence(target, q, weight)
    uniform = available / available.sum(axis=1, keepdims=True)
    total = _divergence(target, uniform, weight)
    explained = 1.0 - left / total if total > 1e-12 * len(features) else 0.0
    return ConditionalLogit(w, bread @ meat @ bread, explained)


def variance_inflation(features: FloatArray, available: BoolArray) -> FloatArray:
    """Return the variance inflation factor of each feature, (H,).

    1 / (1 − R²) of a feature from the others, within choices: what counts of a feature is how it
    differs between the alternatives of one choice. Infinite where the others say the same.
    """
    shown = available[:, :, None]
    mean = (features * shown).sum(axis=1, keepdims=True) / shown.sum(axis=1, keepdims=True)
    rows = (features - mean)[available]
    gram = rows.T @ rows
    size = np.sqrt(np.diag(gram))
    result = np.full(size.size, np.inf)
    for i in np.flatnonzero(size > 0):
        others = np.delete(rows, i, axis=1)
        fitted = others @ np.linalg.lstsq(others, rows[:, i], rcond=None)[0]
        left = float(((rows[:, i] - fitted) ** 2).sum() / gram[i, i])
        result[i] = 1.0 / left if left > 1e-10 else np.inf
    return result


def _loss(
    w: FloatArray,
    features: FloatArray,
    available: BoolArray,
    target: FloatArray,
    weight: FloatArray,
    penalty: float,
) -> tuple[float, FloatArray]:
    """Return the penalized cross-entropy and the choice probabilities."""
    logits = np.where(available, features @ w, -np.inf)
    logits -= logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(logits).sum(axis=1, keepdims=True))
    log_q = logits - log_sum
    chosen = np.where(available, target, 0.0) * np.where(available, log_q, 0.0)
    return float(-(weight @ chosen.sum(axis=1)) + penalty / 2 * w @ w), np.exp(log_q)


def _slopes(
    w: FloatArray,
    q: FloatArray,
    features: FloatArray,
    target: FloatArray,
    weight: FloatArray,
    penalty: float,
) -> tuple[FloatArray, FloatArray]:
    gradient = np.einsum("n,na,nah->h", weight, q - target, features) + penalty * w
    mean = np.einsum("na,nah->nh", q, features)
    spread = (features - mean[:, None]) * np.sqrt(weight[:, None] * q)[:, :, None]
    rows = spread.reshape(-1, w.size)
    return gradient, rows.T @ rows + penalty * np.eye(w.size)


def _meat(
    q: FloatArray,
    features: FloatArray,
    target: FloatArray,
    weight: FloatArray,
    cluster: NDArray[np.int64],
) -> FloatArray:
    """Return the sum over levels of the outer product of a level's score."""
    names, place = np.unique(cluster, return_inverse=True)
    score = np.einsum("n,na,nah->nh", weight, target - q, features)
    sums = np.zeros((names.size, features.shape[2]))
    np.add.at(sums, place, score)
    return np.asarray(names.size / max(names.size - 1, 1) * (sums.T @ sums))


def _divergence(p: FloatArray, q: FloatArray, weight: FloatArray) -> float:
    there = p > 0
    ratio = np.log(np.where(there, p, 1.0)) - np.log(np.where(there, np.maximum(q, 1e-300), 1.0))
    return float(weight @ (p * ratio).sum(axis=1))


def _solved(hessian: FloatArray, right: FloatArray) -> FloatArray:
    try:
        return np.linalg.solve(hessian, right).astype(np.float64)
    except np.linalg.LinAlgError:
        raise ValueError(
            "some features say the same as others, so their weights cannot be told apart; leave "
            "one out or give a penalty."
        ) from None
