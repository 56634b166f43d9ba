"""Inputs on which looking ahead matters: hard for a weak agent, solved by a strong one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import final

import numpy as np
from numpy.typing import NDArray

from empirics.coerce import coerce_fields, whole
from empirics.levels import Levels
from empirics.maze import MazeConfig, Situation, observe
from empirics.probes.lookahead.routes import Routes, best_routes

IntArray = NDArray[np.int64]


@final
@dataclass(frozen=True)
class Filters:
    """What an input must be like (Jenner et al. 2024, appendix on data, but for `hard`).

    Attributes
    ----------
    hard : float
        The weak agent's P(best first step) lies below. The paper's .05 is of some thirty legal
        moves; a mouse has two to four, and a network of two open steps to choose from .5.
    solved : float
        The strong agent's P(best step) lies above, on every square of the path.
    corrupted : float
        The strong agent's P(the once best step) lies below, after the corruption.
    noticed : float
        The weak agent's log-odds of that step fall by no more.
    divergence : float
        The Jensen-Shannon divergence of the weak agent's policies before and after, in nats, is no
        larger.
    far : int
        Least distance of what is changed from where the decision is made (the mouse; on a board,
        the first move), in squares, the larger of rows and columns.

    Raises
    ------
    ValueError
        If a number is not finite, or `far` less than 2: the first step would be walled up.
    """

    hard: float = 0.2
    solved: float = 0.5
    corrupted: float = 0.1
    noticed: float = 0.2
    divergence: float = 0.2
    far: int = 3

    def __post_init__(self) -> None:
        coerce_fields(self)
        whole("far", self.far, 2)


@final
@dataclass(frozen=True, eq=False)
class LookaheadInputs:
    """Positions, each with a corruption far ahead after which another first step is best.

    Attributes
    ----------
    levels : Levels
        The held-out pool.
    corrupted : Levels
        (n,) the mazes with one passage closed and one wall opened.
    config : MazeConfig
    situation : Situation
        (n,) each of another level.
    changed : (n, 2) integer array
        The square closed and the square opened.
    fallen : mapping of str to int
        How many candidates fell at each filter, in order.
    """

    levels: Levels
    corrupted: Levels
    config: MazeConfig
    situation: Situation
    changed: IntArray
    fallen: Mapping[str, int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "fallen", MappingProxyType(dict(self.fallen)))

    def __len__(self) -> int:
        return len(self.situation)

    @cached_property
    def observation(self) -> NDArray[np.float32]:
        """What the agent sees, (n, planes, size, size)."""
        return observe(self.levels, self.situation, self.config)

    @cached_property
    def corrupted_observation(self) -> NDArray[np.float32]:
        """The same after the corruption."""
        return observe(self.corrupted, self._in_corrupted, self.config)

    @cached_property
    def best(self) -> Routes:
        """The path from mouse to cheese."""
        return best_routes(self.levels, self.situation)

    @cached_property
    def best_corrupted(self) -> Routes:
        """The path after the corruption; it begins with another step."""
        return best_routes(self.corrupted, self._in_corrupted)

    @property
    def _in_corrupted(self) -> Situation:
        return replace(self.situation, level=np.arange(len(self)))
