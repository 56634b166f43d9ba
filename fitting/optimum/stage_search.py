"""Where to look for the stages of a form that is a sum of them.

A dictionary of single stages, so dense that on these t every stage is nearly one of it, turns the
search into inner products: all pairs of a coarse part of it are compared, to the best pairs that
differ further stages are added one by one, and each is then exchanged for a better one of the whole
while there is one (orthogonal matching pursuit, Pati, Rezaiifar & Krishnaprasad 1993, with
exchange).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from fitting.low_discrepancy import low_discrepancy
from fitting.optimum.stage_sum import StageSum
from theory.form import Form
from theory.native import native

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
Transport = Callable[[FloatArray], FloatArray]

CANDIDATES = 1500
"""Single stages of the dictionary, spread over the prior."""

EXTREMES = 400
"""Stages as sharp and as flat as the prior has them, at most: between any two points, and so on."""

ALIKE = 0.995
"""Correlation from which on two single stages count as one in its coarse part."""

STARTS = 16
"""Combinations of stages for each curve."""


def stage_starts(
    form: Form,
    stages: StageSum,
    t: FloatArray,
    y: FloatArray,
    weight: FloatArray,
    transport: Transport,
) -> FloatArray:
    """Find values (C, STARTS, d) of the nonlinear parameters, the shares at one half.

    Parameters
    ----------
    form, stages
        The form, and its stages.
    t : ndarray, shape (n,)
    y, weight : ndarray, shape (C, n)
    transport : callable
        Values (G, d) of the nonlinear parameters from standard normal deviates.
    """
    values = candidates(form, stages, transport, len(t))
    columns = form.design(t, values)
    alike = bool(np.all(weight == weight[:1]))
    unit = own_part(columns, stages, weight.mean(axis=0))
    coarse = _unlike(unit, ALIKE)
    gram = unit @ unit.T
    chosen = np.empty((len(y), STARTS, len(stages.blocks)), dtype=np.intp)
    for c in range(1 if alike else len(y)):
        rows = slice(None) if alike else slice(c, c + 1)
        if not alike:
            unit = own_part(columns, stages, weight[c])
            gram = unit @ unit.T
        along = (y[rows] * weight[rows]) @ unit.T
        _choose(along, gram, coarse, bool(stages.shares), chosen[rows])
    return placed(form, stages, values[chosen])


def candidates(form: Form, stages: StageSum, transport: Transport, points: int) -> FloatArray:
    """Spread values (N, d) of a stage over the prior, the same for all stages.

    Some are as sharp or as flat as can be: twice as many as there are `points` on the curve, and
    no more than `EXTREMES`.
    """
    extremes = min(EXTREMES, 2 * points)
    block = stages.blocks[0]
    (place,) = (k for k, i in enumerate(block) if form.nonlinear[i] in form.ordered[0])
    cube = np.clip(1.1 * low_discrepancy(CANDIDATES, len(block)) - 0.05, 1e-9, 1 - 1e-9)
    ends = []
    for k in range(len(block)):
        for end in (1e-9, 1 - 1e-9) if k != place else ():
            row = np.full((extremes // 2, len(block)), 0.5)
            row[:, place] = (np.arange(len(row)) + 0.5) / len(row)
            row[:, k] = end
            ends.append(row)
    cube = np.concatenate((cube, *ends))
    deviates = np.zeros((len(cube), len(form.nonlinear)))
    for columns in stages.blocks:
        deviates[:, columns] = ndtri(cube)
    values = transport(deviates)
    values[:, stages.shares] = stages.alone
    return values


def own_part(columns: FloatArray, stages: StageSum, weight: FloatArray) -> FloatArray:
    """Return unit vectors (N, n): what of each stage no other linear parameter can take up."""
    stage = columns[:, :, stages.gain] * weight
    if stages.beside:
        basis, _ = np.linalg.qr(columns[0][:, stages.beside] * weight[:, None])
        stage = stage - (stage @ basis) @ basis.T
        stage -= (stage @ basis) @ basis.T
    length = np.linalg.norm(stage, axis=1, keepdims=True)
    whole = np.linalg.norm(weight)
    return np.asarray(
        np.where(length > 1e-6 * whole, 1 / np.where(length > 0, length, 1), 0) * stage
    )


def _unlike(unit: FloatArray, limit: float) -> IntArray:
    """Keep vectors of which no two are nearly parallel, the earlier one of two that are."""
    left = np.any(unit != 0.0, axis=1)
    kept = []
    while np.any(left):
        kept.append(int(left.argmax()))
        left &= np.abs(unit @ unit[kept[-1]]) <= limit
        left[kept[-1]] = False
    return np.array(kept, dtype=np.intp)


@native
def _choose(
    along: FloatArray, gram: FloatArray, coarse: IntArray, one_way: bool, chosen: IntArray
) -> None:
    """Choose combinations (C, P, K) of the dictionary for curves with these inner products."""
    number = len(coarse)
    starts, stages = chosen.shape[1], chosen.shape[2]
    value, partner = np.empty(number), np.empty(number, dtype=np.intp)
    members = np.zeros(stages, dtype=np.intp)
    for c in range(len(along)):
        b = along[c]
        for i in range(number):
            value[i], partner[i] = 0.0, i
        for i in range(number):
            for j in range(i):
                one, two = coarse[i], coarse[j]
                gained = _explained(b[one], b[two], gram[one, two], one_way)
                if gained > value[i]:
                    value[i], partner[i] = gained, j
                if gained > value[j]:
                    value[j], partner[j] = gained, i
        for p in range(starts):
            best = -1
            for i in range(number):
                if value[i] >= 0.0 and (best < 0 or value[i] > value[best]):
                    best = i
            if best < 0:
                chosen[c, p] = members  # the last again: a copy does no harm
                continue
            members[0], members[1] = coarse[best], coarse[partner[best]]
            # What is nearly this pair is no other start.
            for i in range(number):
                one, two = coarse[i], coarse[partner[i]]
                same = gram[one, members[0]] > 0.95 and gram[two, members[1]] > 0.95
                swapped = gram[one, members[1]] > 0.95 and gram[two, members[0]] > 0.95
                if same or swapped:
                    value[i] = -1.0
            for k in range(2, stages):
                members[k] = _best_beside(b, gram, members[:k], one_way)
            if stages > 2:
                _exchange(b, gram, members, one_way)
            chosen[c, p] = members


@native
def _explained(first: float, second: float, common: float, one_way: bool) -> float:
    """Return what two unit vectors explain of a square; only the better one if signs must agree."""
    own = 1.0 - common * common
    if own < 1e-6:
        return max(first * first, second * second)
    if one_way and (first - common * second) * (second - common * first) < 0.0:
        return max(first * first, second * second)
    return (first * first + second * second - 2.0 * common * first * second) / own


@native
def _best_beside(b: FloatArray, gram: FloatArray, members: IntArray, one_way: bool) -> int:
    """Find the vector that explains most of what the members leave."""
    k, number = len(members), len(b)
    inner, there = np.empty((k, k)), np.empty(k)
    for i in range(k):
        there[i] = b[members[i]]
        for j in range(k):
            inner[i, j] = gram[members[i], members[j]]
        inner[i, i] += 1e-9
    inverse = np.linalg.inv(inner)
    alone = inverse @ there
    best, most, loose, loosest = 0, -1.0, 0, -1.0
    common, shared = np.empty(k), np.empty(k)
    for g in range(number):
        own, left = 1.0, b[g]
        for i in range(k):
            common[i] = gram[g, members[i]]
        for i in range(k):
            shared[i] = 0.0
            for j in range(k):
                shared[i] += inverse[i, j] * common[j]
        for i in range(k):
            own -= common[i] * shared[i]
            left -= common[i] * alone[i]
        if own < 1e-6:
            continue
        gained = left * left / own
        if gained > loosest:
            loose, loosest = g, gained
        if one_way:
            size = left / own
            agree = True
            for i in range(k):
                agree = agree and (alone[i] - shared[i] * size) * size >= 0.0
            if not agree:
                continue
        if gained > most:
            best, most = g, gained
    return best if most >= 0.0 else loose


@native
def _exchange(b: FloatArray, gram: FloatArray, members: IntArray, one_way: bool) -> None:
    """Replace each member by the best beside the others, until none is better."""
    k = len(members)
    others = np.empty(k - 1, dtype=np.intp)
    for _ in range(10):
        moved = False
        for place in range(k):
            n = 0
            for i in range(k):
                if i != place:
                    others[n] = members[i]
                    n += 1
            new = _best_beside(b, gram, others, one_way)
            moved = moved or new != members[place]
            members[place] = new
        if not moved:
            break


def placed(form: Form, stages: StageSum, single: FloatArray) -> FloatArray:
    """Join stages (C, P, K, d), each the first of its own row, in order of time: (C, P, d)."""
    first = stages.blocks[0]
    place = next(k for k in first if form.nonlinear[k] in form.ordered[0])
    order = np.argsort(single[..., place], axis=2, kind="stable")
    single = np.take_along_axis(single, order[..., None], axis=2)
    starts = np.full((*single.shape[:2], single.shape[-1]), 0.5)
    for k, block in enumerate(stages.blocks):
        starts[:, :, block] = single[:, :, k][:, :, first]
    return starts
