"""Games of forced replies, stepped as one array."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from empirics.environment import Transition, generator_from, generator_state
from empirics.row_game.board import Board, IntArray
from empirics.row_game.config import RowGameConfig
from empirics.row_game.observe import observe
from empirics.row_game.positions import Positions, images

FloatArray = NDArray[np.float32]


@final
class RowGame:
    """`num_envs` games stepped as one array; a `VectorEnvironment`.

    An episode starts from a training position, turned or mirrored at random. Action i is to put a
    stone on square i.

    Parameters
    ----------
    config : RowGameConfig
    num_envs : int
    rng : numpy.random.Generator
        Made by `numpy.random.default_rng`; owned by the environment from here on.
    """

    def __init__(self, config: RowGameConfig, num_envs: int, *, rng: np.random.Generator) -> None:
        if num_envs < 1:
            raise ValueError(f"num_envs must be at least 1; it is {num_envs}.")
        self.config, self.board, self.num_envs = config, config.board, num_envs
        self.observation_shape = config.observation_shape
        self.num_actions = self.board.area
        self._rng = rng
        train, _ = config.pools()
        self._starts = {kind: images(self.board, each) for kind, each in train.items()}
        self._clock = np.zeros(num_envs, dtype=np.int64)
        self._own, self._other = np.zeros((2, num_envs), dtype=np.int64)
        self._begin(np.arange(num_envs))

    def reset(self) -> FloatArray:
        """Start every game anew; return (num_envs, 3, size, size)."""
        self._begin(np.arange(self.num_envs))
        return self.observation()

    def step(self, actions: IntArray) -> Transition:
        """Put a stone in every game, and let the opponent answer.

        Parameters
        ----------
        actions : (num_envs,) integer array
            Squares. A square with a stone on it loses the game.

        Raises
        ------
        ValueError
            If an action is no square or the shape is another.
        """
        actions = np.asarray(actions)
        area = self.num_actions
        if actions.shape != (self.num_envs,) or actions.min() < 0 or actions.max() >= area:
            raise ValueError(
                f"actions must be {self.num_envs} integers from 0 to {area - 1}; "
                f"got shape {actions.shape} with values from {actions.min()} to {actions.max()}."
            )
        bit = 1 << actions.astype(np.int64)
        lost = (self._own | self._other) & bit != 0
        self._own = np.where(lost, self._own, self._own | bit)
        won = self.board.has_line(self._own)
        goes_on = np.flatnonzero(~won & ~lost)
        reply = opponent_reply(self.board, self._own[goes_on], self._other[goes_on], rng=self._rng)
        self._other[goes_on] |= reply
        lost[goes_on] |= self.board.has_line(self._other[goes_on])
        self._clock += 1
        over = self._clock >= self.config.max_moves
        terminated = won | lost | over | ((self._own | self._other) == self.board.full)
        observation = final_observation = self.observation()
        reward = won.astype(np.float32) - lost.astype(np.float32)
        ended = np.flatnonzero(terminated)
        if ended.size:
            self._begin(ended)
            observation = self.observation()
        truncated = np.zeros(self.num_envs, dtype=np.bool_)
        return Transition(observation, reward, terminated, truncated, final_observation)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return stones, clocks and the random generator, arrays only."""
        return {
            "own": self._own.copy(),
            "other": self._other.copy(),
            "clock": self._clock.copy(),
            "rng": generator_state(self._rng),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly from what `state` returned."""
        if np.shape(state["own"]) != (self.num_envs,):
            raise ValueError(
                f"the state is of {np.size(state['own'])} environments; "
                f"this one has {self.num_envs}."
            )
        self._own, self._other, self._clock = (
            np.array(state[name], dtype=np.int64) for name in ("own", "other", "clock")
        )
        self._rng = generator_from(state["rng"])

    def observation(self) -> FloatArray:
        """Return what is seen now, without acting."""
        share_left = 1 - self._clock / self.config.max_moves
        return observe(self.board, self._own, self._other, share_left)

    def _begin(self, ended: IntArray) -> None:
        """Start a new game where one ended."""
        kinds, shares = zip(*self.config.shares.items(), strict=True)
        drawn = self._rng.choice(len(kinds), size=ended.size, p=shares)
        for number, kind in enumerate(kinds):
            here = ended[drawn == number]
            starts: Positions = self._starts[kind]
            chosen = self._rng.integers(len(starts), size=here.size)
            self._own[here], self._other[here] = starts.own[chosen], starts.other[chosen]
        self._clock[ended] = 0


def opponent_reply(
    board: Board, own: IntArray, other: IntArray, *, rng: np.random.Generator
) -> IntArray:
    """Return the square that the opponent takes, packed, (n,); none of a full board.

    It fills a line if it can, else blocks one of those that the agent could fill, else plays
    anywhere; where there are several such squares, each is as likely.

    Parameters
    ----------
    board : Board
    own, other : (n,) integer array
        Packed stones of the agent, who has moved, and of the opponent.
    rng : numpy.random.Generator
    """
    wins, blocks = board.completing(other, own), board.completing(own, other)
    choice = np.where(wins != 0, wins, np.where(blocks != 0, blocks, board.full & ~(own | other)))
    squares = board.unpack(choice)
    taken = np.where(squares, rng.random(squares.shape), -1.0).argmax(axis=1)
    return np.where(choice != 0, 1 << taken, 0)
