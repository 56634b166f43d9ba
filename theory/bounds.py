"""Theories without dynamics: how many samples learning may take, how often they are used."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma


def effective_horizon(rollouts: Mapping[int, float], n_actions: int) -> float:
    """Return how far a learner must look ahead, counting rollouts as actions.

    Greedy planning over the random policy tries all sequences of k actions in turn, continues each
    with `rollouts[k]` random episodes, and keeps the first action of the best. The effective
    horizon is the least k + log(rollouts[k]) to the base of `n_actions`: with it
    `samples_to_plan` counts the steps of this planner, which a test confirms.

    Parameters
    ----------
    rollouts : mapping of int to float
        For each number k of actions that are looked ahead, the fewest random continuations with
        which the plan is optimal at least half of the time.
    n_actions : int
        At least 2.

    References
    ----------
    Laidlaw, Russell and Dragan 2023 (arXiv 2304.09853).
    """
    if n_actions < 2 or not rollouts:
        raise ValueError("an effective horizon needs two actions or more, and rollouts for one k.")
    if any(k < 1 or m < 1 for k, m in rollouts.items()):
        raise ValueError(f"looks ahead and rollouts must be at least 1; they are {dict(rollouts)}.")
    return min(k + math.log(m, n_actions) for k, m in rollouts.items())


def samples_to_plan(horizon: ArrayLike, n_actions: ArrayLike, effective: ArrayLike) -> NDArray[Any]:
    """Bound the steps in a deterministic environment that greedy planning needs: T² A^H.

    At each of T steps A^k sequences are continued by m episodes of T steps, T² A^k m in all, which
    is T² A^(k + log m). The bound is for this planner; other learners may take more or less.

    Parameters
    ----------
    horizon, n_actions, effective : array_like
        Steps of an episode T, actions A, effective horizon H.
    """
    steps, actions = np.asarray(horizon, dtype=float), np.asarray(n_actions, dtype=float)
    return np.asarray(steps**2 * actions ** np.asarray(effective, dtype=float))


def expected_updates(arrival: ArrayLike, now: int, replay_ratio: float) -> NDArray[Any]:
    """Return how often samples have been learned from under uniform replay.

    A buffer takes in one sample a step, and `replay_ratio` of those in it are drawn: sample i has
    been drawn replay_ratio · (1/i + ... + 1/now) times on average, near replay_ratio · ln(now/i).
    Early samples weigh more: a primacy bias that no learning rate takes away.

    Parameters
    ----------
    arrival : array_like of int
        When the samples came in, from 1 to `now`.
    now : int
        Steps so far.
    replay_ratio : float
        Samples drawn in a step.

    References
    ----------
    Nikishin et al. 2022 (arXiv 2205.07802) for the bias; the count is derived here.
    """
    first = np.asarray(arrival, dtype=float)
    if np.any((first < 1) | (first > now)):
        raise ValueError(f"samples must have arrived between 1 and {now}.")
    return np.asarray(replay_ratio * (digamma(now + 1.0) - digamma(first)))
