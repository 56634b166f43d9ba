"""Heuristics: what is good about a step, by one rule each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from empirics.levels import NUM_ACTIONS, Levels, first_steps
from empirics.maze import CORNER, Situation
from empirics.probes.decision_regression import as_the_crow_flies

HEURISTICS = ("goal_path", "proxy_path", "goal_euclid", "proxy_euclid", "up_left")
"""Along the path to the goal; to the corner; nearer to the goal as the crow flies; to the
corner; up or left whatever there is."""

UP_LEFT = (0, 3)


def heuristic_features(levels: Levels, situation: Situation) -> NDArray[np.float64]:
    """Return what each heuristic says of each step, (n, num_actions, number of heuristics).

    1 for the first step of a path and for up and left, else 0; by how many squares a step brings
    the mouse nearer, from −1 to 1. The situations must have a goal.
    """
    each, size = np.arange(len(situation)), levels.size
    of_each = levels[situation.level]
    after = levels.next_square[situation.level, situation.mouse]
    actions = np.arange(NUM_ACTIONS)
    columns = []
    targets = (situation.goal, np.full(len(situation), CORNER))
    for target in targets:
        step = first_steps(of_each, target)[each, situation.mouse]
        columns.append(step[:, None] == actions)
    for target in targets:
        now = as_the_crow_flies(situation.mouse, target, size)
        columns.append(now[:, None] - as_the_crow_flies(after, target[:, None], size))
    columns.append(np.broadcast_to(np.isin(actions, UP_LEFT), after.shape))
    return np.stack(columns, axis=2).astype(np.float64)


def legal_moves(levels: Levels, situation: Situation) -> NDArray[np.bool_]:
    """Return which steps lead to another square, (n, num_actions)."""
    after = levels.next_square[situation.level, situation.mouse]
    return np.asarray(after != situation.mouse[:, None])
