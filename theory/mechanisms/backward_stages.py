"""Stages of a backward curriculum: what practice makes of each step, and when the start moves back.

The k last steps of a lock are practiced together. A rewarded episode moves the logit z of each by
(1 - p) times the same amount, and with it z + e^z by that amount, whatever p is. So the sum of all
these amounts, the practice s, says everything: the step that joined in at s_j has

    p_j = ω/(1 + ω),  ω = Wright's ω(y + s - s_j),  y = z + e^z of the untrained step,

the last k steps succeed with the chance q = p_1 … p_k, and the stage of k steps ends at the s at
which q reaches the threshold. What a run waits for it, in units of its speed, is the work

    w = ∫ gamma^(1 - k) ds/q.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import sympy
from numpy.typing import ArrayLike
from scipy.interpolate import PPoly
from scipy.optimize import brentq
from scipy.special import logit, wrightomega

from theory.curve import FloatArray

NODES, WEIGHTS = np.polynomial.legendre.leggauss(8)
FAR = 1e9
"""Practice beyond which chances of success are followed no more."""
GRID = np.append(np.arange(0.0, 20.0, 0.02), np.geomspace(20.0, FAR, 900))
"""Knots from the start of a stage on: fiftieths of an e-folding of a rare chance, then 2 %."""


def practiced(practice: ArrayLike, start: ArrayLike) -> FloatArray:
    """Return the chance of the right action after some practice."""
    z = logit(start)
    omega = wrightomega(z + np.exp(z) + practice)
    return np.asarray(omega / (1 + omega))


def needed(chance: float, start: float) -> float:
    """Return the practice that brings a step to a chance, the inverse of `practiced`."""
    ends = np.array([chance, start])
    reached, begun = logit(ends) + ends / (1 - ends)
    return float(reached - begun)


@lru_cache(maxsize=4096)
def joined(start: float, threshold: float, horizon: int) -> tuple[float, ...]:
    """Return the practice at which each step joins in, the last of the lock first.

    At a threshold of one that is never, infinite, for all but the first.
    """
    begun = [0.0]
    while len(begun) < horizon:
        before = np.array(begun)

        def lacks(s: float, before: FloatArray = before) -> float:
            return float(np.prod(practiced(s - before, start))) - threshold

        s = begun[-1]
        if threshold >= 1:
            s = np.inf
        elif lacks(s) < 0:
            # All are as good as the threshold's k-th root when the last to join is.
            high = s + needed(threshold ** (1 / len(begun)), start) + 1e-9
            s = float(brentq(lacks, s, high, xtol=1e-13, rtol=1e-14))
        begun.append(s)
    return tuple(begun)


def _knots(low: float, high: float) -> FloatArray:
    return np.append(low + GRID[low + GRID < high], high)


def works(s: FloatArray, begun: FloatArray, start: float) -> tuple[FloatArray, FloatArray]:
    """Return ∫ ds/q and ∫ (1 - q)/q² ds between the knots s (n,), within a stage: (n - 1,) each.

    Parameters
    ----------
    begun : (k,) array
        When the steps of the stage joined in.
    """
    half = np.diff(s)[:, None] / 2
    at = s[:-1, None] + half * (1 + NODES)
    q = np.prod(practiced(at[..., None] - begun, start), axis=-1)
    return np.sum(half * WEIGHTS / q, axis=1), np.sum(half * WEIGHTS * (1 - q) / q**2, axis=1)


@lru_cache(maxsize=4096)
def waits(start: float, threshold: float, horizon: int) -> tuple[tuple[float, float], ...]:
    """Return both integrals of `works` over each stage, the last ending with the onset.

    The onset is when all steps of the lock are right with a chance of one half.
    """
    begun = np.array(joined(start, threshold, horizon))

    def opens(s: float) -> float:
        return float(np.prod(practiced(np.maximum(s - begun, 0.0), start))) - 0.5

    end = 0.0
    if opens(0.0) < 0:
        high = begun[-1] + max(0.0, needed(0.5 ** (1 / horizon), start)) + 1e-9
        end = float(brentq(opens, 0.0, high, xtol=1e-13, rtol=1e-14))
    edges = np.minimum([*begun, end], end)
    found = []
    for k, (low, high) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
        s = _knots(low, high)
        work, spread = works(s, begun[: k + 1], start)
        found.append((float(work.sum()), float(spread.sum())))
    return tuple(found)


@lru_cache(maxsize=256)
def path(start: float, threshold: float, horizon: int, gamma: float) -> PPoly:
    """Return the practice as a function of the work, by cubics with the right slopes at knots."""
    begun = np.array(joined(start, threshold, horizon))
    begun = begun[np.isfinite(begun)]
    pieces = []
    for k, low in enumerate(begun):
        s = _knots(low, begun[k + 1] if k + 1 < len(begun) else low + FAR)
        if s[-1] == low:
            continue
        steps = begun[: k + 1]
        slope = gamma**k * np.prod(practiced(s[:, None] - steps, start), axis=-1)
        width, rise = works(s, steps, start)[0] / gamma**k, np.diff(s)
        secant = rise / width
        cubic = (slope[:-1] + slope[1:] - 2 * secant) / width**2
        square = (3 * secant - 2 * slope[:-1] - slope[1:]) / width
        pieces.append((width, np.array([cubic, square, slope[:-1], s[:-1]])))
    knots = np.append(0.0, np.cumsum(np.concatenate([width for width, _ in pieces])))
    return PPoly(np.hstack([cubics for _, cubics in pieces]), knots)


def at_work(
    work: ArrayLike, start: ArrayLike, threshold: ArrayLike, horizon: ArrayLike, gamma: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Return the chance of success of the present start and of the whole lock.

    Parameters
    ----------
    work, start, threshold, horizon, gamma : arrays (...)

    Returns
    -------
    two arrays (...)
    """
    w, *settings = np.broadcast_arrays(work, start, threshold, horizon, gamma)
    rows = np.stack([np.ravel(setting) for setting in settings], axis=-1).astype(np.float64)
    kinds, which = np.unique(rows, axis=0, return_inverse=True)
    which = which.reshape(w.shape)
    present, whole = np.empty(w.shape), np.empty(w.shape)
    for index, (p0, level, length, discount) in enumerate(kinds.tolist()):
        own = which == index
        begun = np.array(joined(p0, level, int(length)))
        since = path(p0, level, int(length), discount)(w[own])[..., None] - begun
        p = practiced(np.maximum(since, 0.0), p0)
        present[own] = np.prod(np.where(since >= 0, p, 1.0), axis=-1)
        whole[own] = np.prod(p, axis=-1)
    return present, whole


class present(sympy.Function):  # type: ignore[misc]  # noqa: N801 (as sympy writes functions)
    """``present(work, start, threshold, horizon, gamma)``: the success of the present start."""

    nargs = 5
    _imp_ = staticmethod(lambda *at: at_work(*at)[0])


class whole(sympy.Function):  # type: ignore[misc]  # noqa: N801
    """``whole(work, start, threshold, horizon, gamma)``: the chance that all steps are right."""

    nargs = 5
    _imp_ = staticmethod(lambda *at: at_work(*at)[1])


class stage(sympy.Function):  # type: ignore[misc]  # noqa: N801
    """``stage(k, start, threshold, horizon)``: ∫ ds/q while k steps are practiced."""

    nargs = 4

    def _eval_evalf(self, prec: int) -> sympy.Expr:
        k, start, threshold, horizon = (float(value) for value in self.args)
        return sympy.Float(waits(start, threshold, int(horizon))[int(k) - 1][0])
