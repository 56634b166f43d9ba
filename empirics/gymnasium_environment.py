"""A Gymnasium vector environment as a `VectorEnvironment`.

Gymnasium (1.x) resets an ended episode in the same step or in the next one, as
`metadata["autoreset_mode"]` says. Here it is always the same step: with NEXT_STEP the
ended environments are reset by hand (`reset_mask`), so that no step is spent on a reset
and none is learned from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import gymnasium as gym
import numpy as np
from gymnasium.envs.classic_control.acrobot import AcrobotEnv
from gymnasium.envs.classic_control.cartpole import CartPoleEnv
from gymnasium.envs.classic_control.mountain_car import MountainCarEnv
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv
from gymnasium.wrappers import OrderEnforcing, PassiveEnvChecker, TimeLimit
from numpy.typing import NDArray

from empirics.coerce import whole
from empirics.environment import Transition, generator_from, generator_state

EXACT = (AcrobotEnv, CartPoleEnv, MountainCarEnv)
"""Environments whose whole state is known here: `state` vector, clock, random generator."""


def gymnasium_environment(
    env_id: str, num_envs: int, *, seed: int, **arguments: Any
) -> GymnasiumEnvironment:
    """Return `num_envs` copies of a registered Gymnasium environment.

    Parameters
    ----------
    env_id : str
        For example "CartPole-v1".
    num_envs : int
    seed : int
    **arguments
        Passed on to `gymnasium.make`.

    Raises
    ------
    ValueError
        If there is no such environment, its observations are no box, its actions are not
        discrete, or `num_envs` is not positive.
    """
    copies = whole("num_envs", num_envs, 1)
    make = [lambda: gym.make(env_id, **arguments)] * copies
    try:
        vector = SyncVectorEnv(make, autoreset_mode=AutoresetMode.SAME_STEP)
    except gym.error.Error as error:
        raise ValueError(f"Gymnasium cannot make {env_id!r}: {error}") from None
    return GymnasiumEnvironment(vector, seed=seed)


@final
class GymnasiumEnvironment:
    """A Gymnasium vector environment with a box to see and discrete actions.

    Parameters
    ----------
    vector : gymnasium.vector.VectorEnv
        Its autoreset mode is SAME_STEP; or NEXT_STEP for a sync or async vector environment.
    seed : int

    Raises
    ------
    ValueError
        If its spaces or its autoreset mode are others.
    """

    def __init__(self, vector: VectorEnv[Any, Any, Any], *, seed: int) -> None:
        seen, actions = vector.single_observation_space, vector.single_action_space
        if not isinstance(seen, gym.spaces.Box):
            raise ValueError(f"observations must be a Box; they are {seen}.")
        if not isinstance(actions, gym.spaces.Discrete):
            raise ValueError(f"actions must be Discrete; they are {actions}.")
        self._by_hand = _resets_by_hand(vector)
        self._vector = vector
        self._seed = seed
        self._resets = 0
        self._first_action = int(actions.start)
        self.num_envs = vector.num_envs
        self.observation_shape = tuple(seen.shape)
        self.num_actions = int(actions.n)

    @property
    def resumes_exactly(self) -> bool:
        """Whether `restore` brings back the running episodes.

        True for a `SyncVectorEnv` of `EXACT` environments under no other wrappers than
        Gymnasium's own. Others cannot be restored without pickles: their episodes restart.
        """
        vector = self._vector
        return isinstance(vector, SyncVectorEnv) and all(map(_is_exact, vector.envs))

    def reset(self) -> NDArray[np.float32]:
        """Start every environment anew; the n-th call always begins the same episodes."""
        source = np.random.SeedSequence([self._seed, self._resets])
        self._resets += 1
        seeds: Any = [int(word) for word in source.generate_state(self.num_envs)]
        return _float32(self._vector.reset(seed=seeds)[0])

    def step(self, actions: NDArray[np.int64]) -> Transition:
        """Act once in every environment."""
        seen, reward, terminated, truncated, infos = self._vector.step(actions + self._first_action)
        observation = final_observation = _float32(seen)
        ended = terminated | truncated
        if ended.any():
            if self._by_hand:
                observation = _float32(self._vector.reset(options={"reset_mask": ended})[0])
            else:
                final_observation = observation.copy()
                for i in np.flatnonzero(ended):
                    final_observation[i] = infos["final_obs"][i]
        rewards = np.asarray(reward, dtype=np.float32)
        return Transition(observation, rewards, terminated, truncated, final_observation)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what can be known of the future, arrays only; all of it if exact."""
        resets = {"resets": np.array([self._resets])}
        if not self.resumes_exactly or not self._resets:
            return resets
        parts = [_state_of(env) for env in self._envs()]
        return resets | {name: np.stack([part[name] for part in parts]) for name in parts[0]}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `state` returned: exactly, or from the next reset on."""
        self._resets = int(state["resets"][0])
        if len(state) > 1:
            self._vector.reset()
            for i, env in enumerate(self._envs()):
                _restore_to(
                    env, {name: array[i] for name, array in state.items() if name != "resets"}
                )

    def _envs(self) -> list[gym.Env[Any, Any]]:
        return self._vector.envs if isinstance(self._vector, SyncVectorEnv) else []


def _float32(values: NDArray[Any]) -> NDArray[np.float32]:
    return np.array(values, dtype=np.float32)


def _resets_by_hand(vector: VectorEnv[Any, Any, Any]) -> bool:
    mode = vector.metadata.get("autoreset_mode")
    if mode == AutoresetMode.SAME_STEP:
        return False
    if mode == AutoresetMode.NEXT_STEP and isinstance(vector, SyncVectorEnv | AsyncVectorEnv):
        return True
    raise ValueError(
        f"the autoreset mode of {type(vector).__name__} is {mode}; it must be SAME_STEP, "
        "or NEXT_STEP of a SyncVectorEnv or AsyncVectorEnv. Make it with "
        "autoreset_mode=AutoresetMode.SAME_STEP."
    )


def _is_exact(env: gym.Env[Any, Any]) -> bool:
    while isinstance(env, OrderEnforcing | PassiveEnvChecker | TimeLimit):
        env = env.env
    return type(env) in EXACT


def _time_limit(env: gym.Env[Any, Any]) -> Any:
    while isinstance(env, gym.Wrapper) and not isinstance(env, TimeLimit):
        env = env.env
    return env if isinstance(env, TimeLimit) else None


def _state_of(env: gym.Env[Any, Any]) -> dict[str, NDArray[Any]]:
    limit, inner = _time_limit(env), vars(env.unwrapped)
    return {
        # copied as it is: CartPole keeps float64, what it shows is float32
        "state": np.array(inner["state"]),
        "clock": np.array(limit._elapsed_steps if limit else 0),
        "rng": generator_state(env.unwrapped.np_random),
    }


def _restore_to(env: gym.Env[Any, Any], state: Mapping[str, NDArray[Any]]) -> None:
    limit, inner = _time_limit(env), env.unwrapped
    vars(inner)["state"] = state["state"].copy()
    inner.np_random = generator_from(state["rng"])
    if limit:
        limit._elapsed_steps = int(state["clock"])
