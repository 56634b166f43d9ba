"""Cheese in the corner: an open grid in which the cheese mostly, but not always, lies in a corner.

The smallest relative of the mazes of `empirics.maze` in which a goal and its proxy come apart
(Langosco et al. 2022): small enough that the regret of any policy is one linear solve.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray

from empirics.coerce import coerce_fields, whole
from empirics.levels import MOVES, NUM_ACTIONS
from empirics.tabular.environment import TabularEnvironment
from empirics.tabular.mdp import TabularMDP
from theory.curve import Condition


@final
@dataclass(frozen=True)
class CheeseConfig:
    """A grid with a mouse and a cheese; an `EnvironmentConfig`.

    State c · size² + m has the cheese on square c and the mouse on square m; squares go row by
    row, the corner is square 0. The step onto the cheese is rewarded with 1 and is the end.

    Attributes
    ----------
    size : int
        Squares a side, at least 2.
    alpha : float
        Share of episodes with the cheese on any square alike; in the others it lies in the corner.
    gamma : float
        Discount; from d steps away the best return is gamma^(d - 1).
    max_steps : int
        Length at which an episode of training is cut.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    size: int = 3
    alpha: float = 0.1
    gamma: float = 0.9
    max_steps: int = 20

    def __post_init__(self) -> None:
        coerce_fields(self)
        whole("size", self.size, 2)
        whole("max_steps", self.max_steps, 1)
        if not 0 <= self.alpha <= 1:
            raise ValueError(f"alpha must lie in [0, 1]; it is {self.alpha}.")
        if not 0 <= self.gamma < 1:
            raise ValueError(f"gamma must be at least 0 and below 1; it is {self.gamma}.")

    @property
    def conditions(self) -> dict[str, Condition]:
        """The configuration as rows of a ledger."""
        return asdict(self)

    @property
    def area(self) -> int:
        """Squares."""
        return self.size**2

    def problem(self) -> TabularMDP:
        """Return the decision problem, episodes without a cut."""
        return self._with_cheese(self._cheese)

    def with_cheese_on(self, squares: NDArray[np.int64]) -> TabularMDP:
        """Return the problem with the cheese on some squares only, all alike."""
        chances = np.zeros(self.area)
        chances[squares] = 1 / len(squares)
        return self._with_cheese(chances)

    def observations(self) -> NDArray[np.float32]:
        """Return what is seen in every state, (size⁴, 2, size, size): cheese, then mouse."""
        cheese, mouse = np.divmod(np.arange(self.area**2), self.area)
        seen = np.zeros((self.area**2, 2, self.area), dtype=np.float32)
        each = np.arange(self.area**2)
        seen[each, 0, cheese] = 1.0
        seen[each, 1, mouse] = 1.0
        return seen.reshape(-1, 2, self.size, self.size)

    def make(self, num_envs: int, seed: int) -> TabularEnvironment:
        """Return the training environment."""
        return TabularEnvironment(
            self.problem(),
            self.observations(),
            num_envs,
            max_steps=self.max_steps,
            rng=np.random.default_rng(seed),
        )

    @cached_property
    def _cheese(self) -> NDArray[np.float64]:
        chances = np.full(self.area, self.alpha / self.area)
        chances[0] += 1 - self.alpha
        return chances

    def _with_cheese(self, chances: NDArray[np.float64]) -> TabularMDP:
        area, states = self.area, self.area**2
        cheese, mouse = np.divmod(np.arange(states), area)
        row, column = np.divmod(mouse, self.size)
        to_row = np.clip(row[:, None] + MOVES[:, 0], 0, self.size - 1)
        to_column = np.clip(column[:, None] + MOVES[:, 1], 0, self.size - 1)
        eaten = cheese == mouse
        square = np.where(eaten[:, None], mouse[:, None], to_row * self.size + to_column)
        transition = np.zeros((states, NUM_ACTIONS, states))
        each, action = np.arange(states)[:, None], np.arange(NUM_ACTIONS)
        transition[each, action, cheese[:, None] * area + square] = 1.0
        reward = ((square == cheese[:, None]) & ~eaten[:, None]).astype(np.float64)
        start = np.where(eaten, 0.0, chances[cheese] / (area - 1))
        return TabularMDP(
            torch.from_numpy(transition),
            torch.from_numpy(reward),
            torch.from_numpy(start),
            self.gamma,
        )
