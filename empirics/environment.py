"""What a vectorized environment is: many copies stepped as one array."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, final

import numpy as np
from numpy.typing import NDArray

_WORD = (1 << 64) - 1


@final
@dataclass(frozen=True, eq=False)
class Transition:
    """What one step of `num_envs` environments returns.

    Attributes
    ----------
    observation : (num_envs, *observation_shape) float32 array
        The observation to act on next; the first of a new episode where one ended.
    reward : (num_envs,) float32 array
    terminated : (num_envs,) bool array
        The episode ended by the rules of the task (the value beyond is zero).
    truncated : (num_envs,) bool array
        The episode was cut by a time limit (the value beyond is not zero).
    final_observation : (num_envs, *observation_shape) float32 array
        The last observation of the episode where one ended, else `observation`.
    """

    observation: NDArray[np.float32]
    reward: NDArray[np.float32]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    final_observation: NDArray[np.float32]


class VectorEnvironment(Protocol):
    """Environments stepped together, with automatic reset in the same step.

    `state` returns everything that shapes the future (positions, clocks, the random
    generator) as arrays; `restore` makes the environment go on exactly from there.
    """

    @property
    def num_envs(self) -> int:
        """Number of environments stepped together."""
        ...

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """Shape of one environment's observation."""
        ...

    @property
    def num_actions(self) -> int:
        """Number of discrete actions."""
        ...

    def reset(self) -> NDArray[np.float32]:
        """Start every environment anew; return (num_envs, *observation_shape)."""
        ...

    def step(self, actions: NDArray[np.int64]) -> Transition:
        """Act once in every environment; `actions` has shape (num_envs,)."""
        ...

    def state(self) -> dict[str, NDArray[Any]]:
        """Return everything that shapes the future, arrays only."""
        ...

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly from what `state` returned."""
        ...


def generator_state(rng: np.random.Generator) -> NDArray[np.uint64]:
    """Return the state of a PCG64 generator as (6,) unsigned integers.

    Raises
    ------
    ValueError
        If the generator is not a PCG64, the one `numpy.random.default_rng` makes.
    """
    state = rng.bit_generator.state
    if state["bit_generator"] != "PCG64":
        raise ValueError(
            f"the random generator must be PCG64; it is {state['bit_generator']}. "
            "Make it with numpy.random.default_rng."
        )
    inner = state["state"]
    words = [inner["state"] & _WORD, inner["state"] >> 64, inner["inc"] & _WORD, inner["inc"] >> 64]
    return np.array([*words, state["has_uint32"], state["uinteger"]], dtype=np.uint64)


def generator_from(state: NDArray[np.uint64]) -> np.random.Generator:
    """Return the PCG64 generator whose state `generator_state` returned."""
    words = [int(word) for word in state]
    bit_generator = np.random.PCG64(0)
    bit_generator.state = {
        "bit_generator": "PCG64",
        "state": {"state": words[0] | words[1] << 64, "inc": words[2] | words[3] << 64},
        "has_uint32": words[4],
        "uinteger": words[5],
    }
    return np.random.Generator(bit_generator)
