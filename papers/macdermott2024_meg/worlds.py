"""Grids with exactly known goal-directedness, and one with a cliff."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from empirics.goal_directedness.episodes import Episodes, FloatArray, soft_policy

MOVES = ((0, 1), (1, 0), (0, -1), (-1, 0))
HARD = 100.0
"""Weight of a utility of whole numbers at which the soft policy is the optimal one."""


def moves_on(height: int, width: int) -> NDArray[np.int64]:
    """Return the next square of each square and step, (height · width, 4); walls stop."""
    row, column = np.divmod(np.arange(height * width), width)
    return np.stack(
        [
            np.clip(row + down, 0, height - 1) * width + np.clip(column + right, 0, width - 1)
            for down, right in MOVES
        ],
        axis=1,
    )


def grid(features: FloatArray, height: int, width: int, horizon: int, start: int = 0) -> Episodes:
    """Return the world on a grid that pays features (K, squares) for each step onto a square."""
    to = moves_on(height, width)
    first = np.eye(height * width)[[start]]
    return Episodes(to[None], np.eye(len(MOVES)), features[:, None, to], first, horizon)


def corner_grid(side: int = 6, horizon: int = 12) -> Episodes:
    """Return a square grid that pays 1 for each step in the corner across; nothing ends."""
    pays = np.zeros((1, side * side))
    pays[0, -1] = 1.0
    return grid(pays, side, side, horizon)


def cliff_utility(width: int, height: int, goals: int) -> FloatArray:
    """Return what each square of a cliff world is worth, (squares,).

    The start is bottom left. The squares between it and the bottom right are the cliff, worth
    -1; the lowest `goals` squares of the last column are the goal region, worth 1 a step.
    """
    worth = np.zeros((height, width))
    worth[-1, 1:-1] = -1.0
    worth[height - goals :, -1] = 1.0
    return worth.ravel()


def optimal(world: Episodes, *, ties: bool) -> FloatArray:
    """Return an optimal policy, (horizon, L, S, A): all best actions alike, or one of them."""
    soft = soft_policy(world, np.array([HARD]))
    if ties:
        return soft
    one = np.zeros_like(soft)
    np.put_along_axis(one, np.round(soft, 9).argmax(axis=-1)[..., None], 1.0, axis=-1)
    return one


def strayed(policy: FloatArray, epsilon: float) -> FloatArray:
    """Return the policy that acts uniformly with probability epsilon."""
    return np.asarray((1 - epsilon) * policy + epsilon / policy.shape[-1])


def returns_of_random_play(world: Episodes) -> tuple[list[float], list[int]]:
    """Return the returns of all sequences of actions, and how many sequences have each.

    For worlds with one start, certain moves and one feature, without discount.
    """
    to, pays = world.next_state[0], world.features[0, 0]
    counts = {(int(world.start[0].argmax()), 0.0): 1}
    for _ in range(world.horizon):
        later: dict[tuple[int, float], int] = {}
        for (state, total), count in counts.items():
            for after, paid in zip(to[state].tolist(), pays[state].tolist(), strict=True):
                key = after, total + paid
                later[key] = later.get(key, 0) + count
        counts = later
    totals: dict[float, int] = {}
    for (_, total), count in counts.items():
        totals[total] = totals.get(total, 0) + count
    return list(totals), list(totals.values())
