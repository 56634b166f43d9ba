"""A maze that is another one during a window of training: other levels, or no reward.

What happens in a window and leaves a trace at the end of training is what critical periods are
about (Achille, Rovere and Soatto 2019, "Critical learning periods in deep networks"). Until the
window opens a run is the run without it, bit for bit; a window longer than training never closes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from empirics.coerce import coerce_fields, whole
from empirics.environment import Transition
from empirics.experiment import Experiment, ProbePlan
from empirics.levels import NUM_ACTIONS
from empirics.maze import MazeConfig, MazeEnvironment
from empirics.probe import Probe
from theory.curve import Condition

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]


@final
@dataclass(frozen=True)
class WindowedMaze:
    """A maze, and what is different in it during a window of training.

    Attributes
    ----------
    maze : MazeConfig
        The maze outside the window, and what is measured.
    window_start, window_length : int
        In environment steps of the whole run, all environments together. Length 0 is the control.
    window_alpha : float or None
        The maze's alpha inside the window; None leaves it as it is. Episodes begun inside the
        window have it, and keep it when the window closes before they end.
    window_rewarded : bool
        Whether the cheese is rewarded inside the window; episodes end there all the same.

    Raises
    ------
    ValueError
        For a window that cannot be.
    """

    maze: MazeConfig
    window_start: int = 0
    window_length: int = 0
    window_alpha: float | None = None
    window_rewarded: bool = True

    def __post_init__(self) -> None:
        coerce_fields(self)
        whole("window_start", self.window_start, 0)
        whole("window_length", self.window_length, 0)
        if self.window_alpha is not None and not 0.0 <= self.window_alpha <= 1.0:
            raise ValueError(f"window_alpha must be a probability; it is {self.window_alpha}.")

    @property
    def inside(self) -> MazeConfig:
        """The maze inside the window."""
        alpha = self.maze.alpha if self.window_alpha is None else self.window_alpha
        return replace(self.maze, alpha=alpha)

    @property
    def conditions(self) -> dict[str, Condition]:
        """The maze's rows of a ledger, and those of the window."""
        own = {field.name: getattr(self, field.name) for field in fields(self)[1:]}
        return {**self.maze.conditions, **own, "window_alpha": self.inside.alpha}

    def make(self, num_envs: int, seed: int) -> WindowedMazeEnvironment:
        """Return an environment on the training levels, at the start of training."""
        return WindowedMazeEnvironment(self, num_envs, seed)


@final
class WindowedMazeEnvironment:
    """A `VectorEnvironment` that counts its steps to know whether the window is open.

    One environment outside and one inside hand their state to each other, the random generator
    with it. They draw the same numbers whatever alpha is, so that with and without a window
    levels and starts are the same until the actions part.

    Parameters
    ----------
    config : WindowedMaze
    num_envs, seed : int
        As for `MazeConfig.make`.
    """

    def __init__(self, config: WindowedMaze, num_envs: int, seed: int) -> None:
        self.config = config
        self.num_envs = num_envs
        self.num_actions = NUM_ACTIONS
        self.observation_shape = config.maze.observation_shape
        self._steps = 0
        self._now = self._at_work().make(num_envs, seed)

    @property
    def is_open(self) -> bool:
        """Whether the next step is inside the window."""
        since = self._steps * self.num_envs - self.config.window_start
        return 0 <= since < self.config.window_length

    def reset(self) -> FloatArray:
        """Start every environment anew; the step count goes on."""
        return self._now.reset()

    def step(self, actions: IntArray) -> Transition:
        """Act once in every environment; see `MazeEnvironment.step`."""
        found = self._now.step(actions)
        if self.is_open and not self.config.window_rewarded:
            found = replace(found, reward=np.zeros_like(found.reward))
        self._steps += 1
        if self._now.config != self._at_work():
            self._now = self._entered(self._now.state())
        return found

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the maze's state and the steps taken."""
        return {**self._now.state(), "steps": np.array(self._steps)}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly from what `state` returned."""
        self._steps = int(state["steps"])
        self._now = self._entered(state)

    def observation(self) -> FloatArray:
        """Return what is seen now, without acting."""
        return self._now.observation()

    def _at_work(self) -> MazeConfig:
        return self.config.inside if self.is_open else self.config.maze

    def _entered(self, state: Mapping[str, NDArray[Any]]) -> MazeEnvironment:
        """Return the environment that is at work now, in a state."""
        entered = self._at_work().make(self.num_envs, seed=0)  # the state replaces what it draws
        entered.restore(state)
        return entered


@final
@dataclass(frozen=True)
class OutsideWindow:
    """A plan for mazes that measures the maze outside the window, whatever training is in.

    Attributes
    ----------
    plan : ProbePlan
    """

    plan: ProbePlan

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """The plan's rows of a ledger."""
        return self.plan.conditions

    def probes(self, environment: WindowedMaze) -> tuple[Probe, ...]:
        """Return the plan's probes of the maze."""
        return self.plan.probes(environment.maze)


def windowed(experiment: Experiment, /, **window: Condition) -> Experiment:
    """Return a maze experiment with a window of training in which the maze is another.

    Parameters
    ----------
    experiment : Experiment
        On a `MazeConfig`.
    **window
        Fields of `WindowedMaze`; none gives the control. `Experiment.at` and `run_ladder` vary
        them further.

    Raises
    ------
    ValueError
        If the experiment is on no maze, or there is no such field or no such window.
    """
    maze = experiment.environment
    if not isinstance(maze, MazeConfig):
        raise ValueError(
            f"a window needs an experiment on a MazeConfig; {experiment.name!r} is on a "
            f"{type(maze).__name__}."
        )
    plan = OutsideWindow(experiment.plan)
    return replace(experiment, environment=WindowedMaze(maze), plan=plan).at(**window)
