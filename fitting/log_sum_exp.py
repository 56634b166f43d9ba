"""Sums of numbers given by their logarithms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def log_sum_exp(logs: Array, axis: int | tuple[int, ...] | None = None) -> Array:
    """Log of the sum of exponentials; -inf for a sum of nothing but zeros.

    As `scipy.special.logsumexp` for real arrays, without its milliseconds of dispatch a call.
    """
    top = np.max(logs, axis=axis, keepdims=True)
    finite = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        total = np.log(np.sum(np.exp(logs - finite), axis=axis))
    return np.asarray(total + np.squeeze(finite, axis=axis))
