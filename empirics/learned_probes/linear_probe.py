"""Multinomial logistic regression: what a linear reader can make of activations.

The probabilities are q_i = softmax(W x_i) with x_i the features, standardized, behind a 1 for the
constant. The weights minimize Σ_i CE(p_i, q_i) + ½ ridge Σ W², where p_i are the labels, as
classes or as probabilities; a ridge of 1 is a Gaussian prior of variance 1 on each weight. The
constants are penalized too, so that the minimum is one point even where a class never occurs, but
by no more than 1, so that a strong ridge leaves the shares of the classes alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import minimize

from empirics.coerce import number, whole

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

PRECISION = 1e-4
"""Largest slope left, where the curvature is about 1: the loss is within about 1e-8 of its least a
weight, in nats of *all* rows."""


@final
@dataclass(frozen=True, eq=False)
class LinearProbe:
    """A fitted probe.

    Attributes
    ----------
    mean, scale : (d,) array
        By which features are standardized; the scale of a constant feature is 1.
    weights : (1 + d, k) array
        Constants first, then one row a standardized feature. In nats.
    """

    mean: FloatArray
    scale: FloatArray
    weights: FloatArray

    def log_probabilities(self, features: ArrayLike) -> FloatArray:
        """Return log probabilities of the classes, (n, k), in nats.

        Raises
        ------
        ValueError
            If the features are not (n, d) finite numbers.
        """
        rows = _rows(features)
        if rows.shape[1] != self.mean.size:
            raise ValueError(
                f"the probe was fitted to {self.mean.size} features; these rows have "
                f"{rows.shape[1]}."
            )
        logits = (rows - self.mean) / self.scale @ self.weights[1:] + self.weights[0]
        return _log_softmax(logits.T).T

    def predict(self, features: ArrayLike) -> IntArray:
        """Return the likeliest class of each row, (n,)."""
        return np.asarray(self.log_probabilities(features).argmax(axis=1))


@final
@dataclass(frozen=True, eq=False)
class Design:
    """Features to which probes of many labels can be fitted; what they share is computed once.

    Attributes
    ----------
    features : (n, d) array
    ridge : float
        Above 0.

    Raises
    ------
    ValueError
        If the features are not (n, d) finite numbers, there is no row, or the ridge is not
        positive.
    """

    features: FloatArray
    ridge: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "features", _rows(self.features))
        object.__setattr__(self, "ridge", number("ridge", self.ridge))
        if not len(self.features):
            raise ValueError("a probe cannot be fitted to no rows; give it at least one.")
        if self.ridge <= 0:
            raise ValueError(f"ridge must be above 0; it is {self.ridge}.")

    def fit(self, target: ArrayLike) -> LinearProbe:
        """Fit a probe by L-BFGS.

        The weights are W = U V with U U' = (X'X / k + penalty)⁻¹, whereby the curvature in V is
        about 1 in every direction (Böhning 1992 has the bound), however the features correlate.

        Parameters
        ----------
        target : (n, k) array
            Probabilities of the classes; see `one_hot`.

        Raises
        ------
        ValueError
            If they are no probabilities, or not one row for each row of features.
        """
        wanted = _probabilities(target, len(self.features)).T.copy()
        k = len(wanted)
        root, rows = self._whitened(k)

        def loss(flat: FloatArray) -> tuple[float, FloatArray]:
            # Classes first: numpy reduces a long last axis ten times faster than a short one.
            inner = flat.reshape(k, -1)
            weights = root @ inner.T
            log_q = _log_softmax(inner @ rows.T)
            penalized = self._penalty[:, None] * weights
            value = float((weights * penalized).sum()) / 2 - float((wanted * log_q).sum())
            slope = (np.exp(log_q) - wanted) @ rows + penalized.T @ root
            return value, slope.ravel()

        # No end for small gains (ftol): the slope is what says how far the minimum is.
        options = {"maxiter": 1000, "maxcor": 20, "gtol": PRECISION, "ftol": 0.0}
        start = np.zeros(rows.shape[1] * k)
        found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options)
        return LinearProbe(self._mean, self._scale, root @ found.x.reshape(k, -1).T)

    @cached_property
    def _mean(self) -> FloatArray:
        return np.asarray(self.features.mean(axis=0))

    @cached_property
    def _scale(self) -> FloatArray:
        spread = self.features.std(axis=0)
        # Rounding of a constant is not spread.
        is_constant = spread <= 1e-9 * np.abs(self.features).max(axis=0)
        return np.where(is_constant, 1.0, spread)

    @cached_property
    def _standardized(self) -> FloatArray:
        rows = (self.features - self._mean) / self._scale
        return np.concatenate([np.ones((len(rows), 1)), rows], axis=1)

    @cached_property
    def _gram(self) -> FloatArray:
        return np.asarray(self._standardized.T @ self._standardized)

    @cached_property
    def _penalty(self) -> FloatArray:
        """The ridge of each row of weights, (1 + d,)."""
        penalty = np.full(1 + self.features.shape[1], self.ridge)
        penalty[0] = min(self.ridge, 1.0)
        return penalty

    @cached_property
    def _of_k(self) -> dict[int, tuple[FloatArray, FloatArray]]:
        return {}

    def _whitened(self, k: int) -> tuple[FloatArray, FloatArray]:
        """Return U, (1 + d, 1 + d), and the rows in its terms, (n, 1 + d), for k classes."""
        if k not in self._of_k:
            curvature = self._gram / k + np.diag(self._penalty)
            lower = cholesky(curvature, lower=True)
            root = solve_triangular(lower, np.eye(len(lower)), lower=True).T
            self._of_k[k] = root, self._standardized @ root
        return self._of_k[k]


def fit_linear_probe(features: ArrayLike, target: ArrayLike, *, ridge: float = 1.0) -> LinearProbe:
    """Fit a probe of (n, d) features to (n, k) probabilities of classes; see `Design`."""
    return Design(_rows(features), ridge).fit(target)


def one_hot(labels: ArrayLike, num_classes: int) -> FloatArray:
    """Return whole labels 0 to k − 1 as probabilities, (n, k).

    Raises
    ------
    ValueError
        If a label is none of them.
    """
    classes, k = np.asarray(labels), whole("num_classes", num_classes, 1)
    if classes.ndim != 1 or classes.dtype.kind not in "iu":
        raise ValueError(f"labels must be a row of whole numbers; got {classes.dtype} numbers.")
    outside = classes[(classes < 0) | (classes >= k)]
    if outside.size:
        raise ValueError(f"labels must be 0 to {k - 1}; one is {outside[0]}.")
    return np.asarray(np.eye(k)[classes])


def _rows(features: ArrayLike) -> FloatArray:
    rows = np.asarray(features, dtype=np.float64)
    if rows.ndim != 2 or not np.isfinite(rows).all():
        raise ValueError(
            f"features must be finite numbers of the shape (rows, features); got {rows.shape}."
        )
    return rows


def _probabilities(target: ArrayLike, n: int) -> FloatArray:
    rows = np.asarray(target, dtype=np.float64)
    if rows.ndim != 2 or len(rows) != n:
        raise ValueError(
            f"target must be (rows, classes) with a row for each of {n} rows of features; its "
            f"shape is {rows.shape}."
        )
    if not (rows >= 0).all() or np.abs(rows.sum(axis=1) - 1).max() > 1e-6:
        raise ValueError("target must be probabilities that sum to 1 in each row; it is not.")
    return rows


def _log_softmax(logits: FloatArray) -> FloatArray:
    """Return logits (k, n) normalized over the first axis."""
    shifted = logits - logits.max(axis=0)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=0)))
