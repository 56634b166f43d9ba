"""Deterministic draws from a hypothesis's prior."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from fitting.low_discrepancy import low_discrepancy
from theory.hypothesis import Hypothesis

FloatArray = NDArray[np.float64]


def prior_draws(hypothesis: Hypothesis, number: int) -> FloatArray:
    """Parameters (number, p) of the form, a fixed low-discrepancy set from their joint prior.

    The component of a Gaussian mixture is picked by a coordinate of its own: much faster than
    inverting the mixture's distribution function.
    """
    form = hypothesis.form
    mixed = [name for name in form.names if len(hypothesis.priors[name].gaussians) > 1]
    points = np.clip(low_discrepancy(number, len(form.names) + len(mixed)), 1e-9, 1 - 1e-9)
    z = ndtri(points[:, : len(form.names)])
    theta = np.empty(z.shape)
    for k, name in enumerate(mixed):
        weights, means, sds = np.array(hypothesis.priors[name].gaussians).T
        picked = np.searchsorted(np.cumsum(weights)[:-1], points[:, len(form.names) + k])
        i = form.names.index(name)
        theta[:, i] = means[picked] + sds[picked] * z[:, i]
    others = tuple(name for name in form.names if name not in mixed)
    columns = [form.names.index(name) for name in others]
    theta[:, columns] = hypothesis.transport(z[:, columns], others)
    return theta
