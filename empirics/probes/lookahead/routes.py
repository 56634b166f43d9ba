"""Routes through mazes: which way an agent would go, step by step, and which is best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from empirics.levels import NUM_ACTIONS, Levels, first_steps
from empirics.maze import NOWHERE, MazeConfig, Situation, observe
from empirics.probe import Policy
from empirics.probes.behavior import action_probabilities

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

STAY = -1
"""The step where a route has ended."""


@final
@dataclass(frozen=True, eq=False)
class Routes:
    """Ways through n mazes that never turn back, to the cheese or into a dead end.

    Attributes
    ----------
    squares : (n, m) integer array
        The squares in their order, the mouse's first; `NOWHERE` behind the end.
    steps : (n, m) integer array
        The action taken on each; `STAY` on the last one and behind it.
    """

    squares: IntArray
    steps: IntArray

    def at(self, time: int) -> IntArray:
        """Return the square after so many steps, (n,); `NOWHERE` where the route has ended."""
        if time >= self.squares.shape[1]:
            return np.full(len(self.squares), NOWHERE)
        return np.asarray(self.squares[:, time])

    def on_route(self, size: int) -> NDArray[np.bool_]:
        """Return which squares of a maze of `size` squares a side are visited, (n, size²)."""
        visited = np.zeros((len(self.squares), size**2), dtype=np.bool_)
        row, time = np.nonzero(self.squares != NOWHERE)
        visited[row, self.squares[row, time]] = True
        return visited


def open_ways(levels: Levels) -> IntArray:
    """Return how many steps lead away from each square, (num_levels, size²); 0 for walls.

    A square with three or more is a junction.
    """
    here = np.arange(levels.size**2)
    ways = (levels.next_square != here[None, :, None]).sum(axis=2)
    return np.asarray(np.where(levels.walls.reshape(len(levels), -1), 0, ways))


def walk(levels: Levels, situation: Situation, preference: FloatArray) -> Routes:
    """Walk from each mouse to the cheese or a dead end, never back.

    Parameters
    ----------
    levels : Levels
    situation : Situation
        (n,) the starts.
    preference : (n, size², num_actions) array
        Of the open steps that do not turn back the one preferred most is taken.
    """
    each = np.arange(len(situation))
    moves = levels.next_square[situation.level]
    here, before = situation.mouse, np.full(len(situation), NOWHERE)
    squares, steps = [here], []
    for _ in range(levels.num_open):
        after = moves[each, here]
        is_open = (after != here[:, None]) & (after != before[:, None])
        goes = is_open.any(axis=1) & (here != situation.cheese)
        chosen = np.where(is_open, preference[each, here], -np.inf).argmax(axis=1)
        steps.append(np.where(goes, chosen, STAY))
        if not goes.any():
            break
        before, here = np.where(goes, here, before), np.where(goes, after[each, chosen], here)
        squares.append(np.where(goes, here, NOWHERE))
    return Routes(np.stack(squares, axis=1), np.stack(steps, axis=1))


def own_routes(policy: Policy, levels: Levels, config: MazeConfig, situation: Situation) -> Routes:
    """Return the routes of an agent: at each junction the open step it would most likely take.

    In corridors there is nothing to choose but to turn back, so the agent is asked only at
    junctions and at the start. An agent that succeeds goes this way; of any other it says which
    branches it prefers, where its own walk would never end.
    """
    each = np.arange(len(situation))
    asked = open_ways(levels)[situation.level] > 2
    asked[each, situation.mouse] = True
    asked[each, situation.cheese] = False
    row, square = np.nonzero(asked)
    there = Situation(
        situation.level[row], square, situation.cheese[row], situation.distractor[row]
    )
    preference = np.zeros((*asked.shape, NUM_ACTIONS))
    preference[row, square] = action_probabilities(policy, observe(levels, there, config))
    return walk(levels, situation, preference)


def best_routes(levels: Levels, situation: Situation) -> Routes:
    """Return the only paths from mouse to cheese."""
    best = first_steps(levels[situation.level], situation.cheese)
    return walk(levels, situation, (best[:, :, None] == np.arange(NUM_ACTIONS)).astype(np.float64))
