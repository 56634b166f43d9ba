"""What a maze agent is directed at, responds to and controls, beside what is always measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

import numpy as np

from empirics.coerce import coerce_fields, whole
from empirics.maze import MazeConfig
from empirics.probe import Probe
from empirics.probes.decision_squares import draw_decision_squares
from empirics.probes.ends import draw_ends
from empirics.probes.goal_directedness import MazeGoalDirectedness
from empirics.probes.information_and_control import draw_information_and_control
from empirics.probes.maze_plan import MazePlan
from empirics.probes.response import draw_response
from theory.curve import Condition


@final
@dataclass(frozen=True)
class IncentivePlan:
    """A `MazePlan`, and goal-directedness, response, intent, information and control; a plan.

    Attributes
    ----------
    maze : MazePlan
        What is measured besides; its discount and seed serve all.
    num_incentive_levels : int
        Held-out levels of goal-directedness, information and control.
    num_response_squares : int
        Decision squares on which objects are moved, at most two a level.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    maze: MazePlan = field(default_factory=MazePlan)
    num_incentive_levels: int = 64
    num_response_squares: int = 500

    def __post_init__(self) -> None:
        coerce_fields(self)
        whole("num_incentive_levels", self.num_incentive_levels, 1)
        whole("num_response_squares", self.num_response_squares, 1)

    @property
    def conditions(self) -> dict[str, Condition]:
        """The plan as rows of a ledger."""
        return {
            **self.maze.conditions,
            "num_incentive_levels": self.num_incentive_levels,
            "num_response_squares": self.num_response_squares,
        }

    def probes(self, environment: MazeConfig) -> tuple[Probe, ...]:
        """Return the probes; equal plans and environments, equal probes."""
        levels = environment.pools().held_out
        # A stream of its own: the probes of the maze plan are those of a plan without these.
        rng = np.random.default_rng([self.maze.probe_seed, 1])
        ends = draw_ends(
            levels,
            environment,
            num_levels=self.num_incentive_levels,
            gamma=self.maze.success_gamma,
            rng=rng,
        )
        squares = draw_decision_squares(
            levels, environment, num_squares=self.num_response_squares, rng=rng
        )
        return (
            *self.maze.probes(environment),
            MazeGoalDirectedness(ends, self.maze.probe_seed),
            draw_response(squares, rng=rng),
            draw_information_and_control(ends, rng=rng),
        )
