"""Whether one stage of a fitted sum of stages could better be another one.

With the other stages where the descent has brought them, a dictionary of single stages
(`fitting.optimum.stage_search`) tells by inner products which of it explains most of what they
leave. The best that differ are new starts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fitting.optimum.stage_search import Transport, candidates, own_part, placed
from fitting.optimum.stage_sum import StageSum
from theory.form import Form
from theory.native import native

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

TRIED = 8
"""New starts for each stage of each curve."""

_ALIKE = 0.99  # correlation from which on two candidates are one start
_DEPENDENT = 1e-6  # share of a candidate that the others must leave


def exchanged(
    form: Form,
    stages: StageSum,
    t: FloatArray,
    y: FloatArray,
    weight: FloatArray,
    transport: Transport,
    found: FloatArray,
) -> FloatArray:
    """Find values (C, K * TRIED, d) of the nonlinear parameters, the shares at one half.

    Parameters
    ----------
    form, stages
        The form, and its K stages.
    t : ndarray, shape (n,)
    y, weight : ndarray, shape (C, n)
    transport : callable
        Values (G, d) of the nonlinear parameters from standard normal deviates.
    found : ndarray, shape (C, d)
        Where the stages are.
    """
    number = len(stages.blocks)
    values = candidates(form, stages, transport, len(t))
    columns = form.design(t, values)
    single = _apart(stages, found)
    own = form.design(t, single.reshape(-1, single.shape[-1]))
    own = own.reshape(len(y), number, *own.shape[1:])
    alike = bool(np.all(weight == weight[:1]))
    unit = own_part(columns, stages, weight[0])
    starts = np.empty((len(y), number * TRIED, number, values.shape[1]))
    for c in range(len(y)):
        if not alike:
            unit = own_part(columns, stages, weight[c])
        here = own_part(own[c], stages, weight[c])
        target = y[c] * weight[c]
        for k in range(number):
            others = np.delete(here, k, axis=0)
            chosen = np.empty(TRIED, dtype=np.intp)
            _choose_beside(unit, others, target, bool(stages.shares), chosen)
            rows = slice(k * TRIED, (k + 1) * TRIED)
            starts[c, rows] = single[c]
            starts[c, rows, k] = values[chosen]
    return placed(form, stages, starts)


def _apart(stages: StageSum, found: FloatArray) -> FloatArray:
    """Give every stage (C, K, d) a row of its own, in which it is the first and alone."""
    single = np.repeat(found[:, None], len(stages.blocks), axis=1)
    for k, block in enumerate(stages.blocks):
        single[:, k, stages.blocks[0]] = found[:, block]
    single[:, :, stages.shares] = stages.alone
    return single


def _choose_beside(
    unit: FloatArray, others: FloatArray, target: FloatArray, one_way: bool, chosen: IntArray
) -> None:
    """Choose the unit vectors (N, n) that explain most of what the others (m, n) leave."""
    inner = others @ others.T + 1e-9 * np.eye(len(others))
    inverse = np.linalg.inv(inner)
    alone = inverse @ (others @ target)
    cross = unit @ others.T
    shared = cross @ inverse
    own = 1.0 - np.einsum("nm,nm->n", cross, shared)
    left = unit @ target - cross @ alone
    with np.errstate(divide="ignore", invalid="ignore"):
        size = left / own
        gained = np.where(own > _DEPENDENT, left * size, -1.0)
    if one_way:
        agree = np.all((alone - shared * size[:, None]) * size[:, None] >= 0.0, axis=1)
        gained[~agree] = -1.0
    _pick(unit, gained, chosen)


@native
def _pick(unit: FloatArray, gained: FloatArray, chosen: IntArray) -> None:
    """Take the best one after the other, without those nearly parallel to one that was taken."""
    for p in range(len(chosen)):
        best = gained.argmax()
        chosen[p] = best
        for i in range(len(gained)):
            if gained[i] >= 0.0 and abs(np.dot(unit[i], unit[best])) > _ALIKE:
                gained[i] = -1.0
