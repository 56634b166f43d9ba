"""A tabular problem to learn in: many copies stepped as one array."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from empirics.environment import Transition, generator_from, generator_state
from empirics.tabular.mdp import TabularMDP


@final
class TabularEnvironment:
    """`num_envs` copies of a tabular problem; a `VectorEnvironment`.

    An episode ends in a state that every action keeps without reward.

    Parameters
    ----------
    mdp : TabularMDP
    observations : (S, ...) array
        What is seen in every state.
    num_envs : int
    max_steps : int
        Length at which an episode is cut.
    rng : numpy.random.Generator
        Made by `numpy.random.default_rng`; owned by the environment from here on.

    Raises
    ------
    ValueError
        If an episode could begin at its end, or a number is out of its range.
    """

    def __init__(
        self,
        mdp: TabularMDP,
        observations: NDArray[np.float32],
        num_envs: int,
        *,
        max_steps: int,
        rng: np.random.Generator,
    ) -> None:
        if observations.shape[0] != mdp.num_states:
            raise ValueError(
                f"there must be one observation a state, {mdp.num_states}; "
                f"there are {observations.shape[0]}."
            )
        for name, value in (("num_envs", num_envs), ("max_steps", max_steps)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1; it is {value}.")
        transition = mdp.transition.cpu().numpy()
        self._reward = mdp.reward.cpu().numpy()
        self._onward = np.cumsum(transition, axis=2)
        self._first = np.cumsum(mdp.start.cpu().numpy())
        each = np.arange(mdp.num_states)
        stays = (transition[each, :, each] == 1).all(1) & (self._reward == 0).all(1)
        self._is_end = stays
        if bool((mdp.start.cpu().numpy()[stays] > 0).any()):
            raise ValueError("an episode must not begin at its end; `start` allows it.")
        self._observations = observations
        self.num_envs, self._max_steps, self._rng = num_envs, max_steps, rng
        self.observation_shape = observations.shape[1:]
        self.num_actions = mdp.num_actions
        self._state = self._begun(num_envs)
        self._clock = np.zeros(num_envs, dtype=np.int64)

    def reset(self) -> NDArray[np.float32]:
        """Start every environment anew; return (num_envs, *observation_shape)."""
        self._state = self._begun(self.num_envs)
        self._clock[:] = 0
        return self.observation()

    def step(self, actions: NDArray[np.int64]) -> Transition:
        """Act once in every environment.

        Parameters
        ----------
        actions : (num_envs,) integer array

        Raises
        ------
        ValueError
            If an action does not exist or the shape is another.
        """
        actions = np.asarray(actions)
        if actions.shape != (self.num_envs,) or not 0 <= actions.min() <= actions.max() < (
            self.num_actions
        ):
            raise ValueError(
                f"actions must be {self.num_envs} integers from 0 to {self.num_actions - 1}; "
                f"they have shape {actions.shape}."
            )
        reward = self._reward[self._state, actions].astype(np.float32)
        self._state = _drawn(self._onward[self._state, actions], self._rng)
        self._clock += 1
        terminated = self._is_end[self._state]
        truncated = ~terminated & (self._clock >= self._max_steps)
        final = self.observation()
        ended = np.flatnonzero(terminated | truncated)
        if ended.size:
            self._state[ended] = self._begun(ended.size)
            self._clock[ended] = 0
        return Transition(self.observation(), reward, terminated, truncated, final)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return positions, clocks and the random generator, arrays only."""
        return {
            "state": self._state.copy(),
            "clock": self._clock.copy(),
            "rng": generator_state(self._rng),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly from what `state` returned."""
        if np.shape(state["state"]) != (self.num_envs,):
            raise ValueError(
                f"the state is of {np.size(state['state'])} environments; "
                f"this one has {self.num_envs}."
            )
        self._state = np.array(state["state"], dtype=np.int64)
        self._clock = np.array(state["clock"], dtype=np.int64)
        self._rng = generator_from(state["rng"])

    def observation(self) -> NDArray[np.float32]:
        """Return what is seen now, without acting."""
        return self._observations[self._state]

    def _begun(self, count: int) -> NDArray[np.int64]:
        return _drawn(np.broadcast_to(self._first, (count, self._first.size)), self._rng)


def _drawn(cumulative: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return one draw a row from distributions given by their cumulative sums, (n, S)."""
    at = rng.random((cumulative.shape[0], 1)) * cumulative[:, -1:]
    drawn: NDArray[np.int64] = (cumulative <= at).sum(axis=1).astype(np.int64)
    return drawn
