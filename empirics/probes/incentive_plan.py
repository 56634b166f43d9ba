"""What a maze agent is directed at, responds to and controls."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import final

import numpy as np

from empirics.coerce import coerce_fields, whole
from empirics.maze import MazeConfig
from empirics.probe import Probe
from empirics.probes.decision_squares import draw_decision_squares
from empirics.probes.ends import draw_ends
from empirics.probes.goal_directedness import MazeGoalDirectedness
from empirics.probes.information_and_control import draw_information_and_control
from empirics.probes.response import draw_response
from theory.curve import Condition


@final
@dataclass(frozen=True)
class IncentivePlan:
    """Goal-directedness, response, intent, information and control; a plan beside a `MazePlan`.

    Attributes
    ----------
    num_incentive_levels : int
        Held-out levels of goal-directedness, information and control.
    num_response_squares : int
        Decision squares on which objects are moved, at most two a level.
    incentive_gamma : float
        Discount of the utilities.
    incentive_seed : int
        Seed of what is drawn; all runs of an experiment share it.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    num_incentive_levels: int = 64
    num_response_squares: int = 500
    incentive_gamma: float = 0.97
    incentive_seed: int = 0

    def __post_init__(self) -> None:
        coerce_fields(self)
        whole("num_incentive_levels", self.num_incentive_levels, 1)
        whole("num_response_squares", self.num_response_squares, 1)
        whole("incentive_seed", self.incentive_seed, 0)
        if not 0 <= self.incentive_gamma <= 1:
            raise ValueError(f"incentive_gamma must lie in [0, 1]; it is {self.incentive_gamma}.")

    @property
    def conditions(self) -> dict[str, Condition]:
        """The plan as rows of a ledger."""
        return asdict(self)

    def probes(self, environment: MazeConfig) -> tuple[Probe, ...]:
        """Return the probes; equal plans and environments, equal probes.

        Those made last are kept: what they learn of random networks serves all agents.
        """
        return _probes(self, environment)


@lru_cache(maxsize=2)
def _probes(plan: IncentivePlan, environment: MazeConfig) -> tuple[Probe, ...]:
    levels = environment.pools().held_out
    rng = np.random.default_rng([plan.incentive_seed, 1])
    ends = draw_ends(
        levels,
        environment,
        num_levels=plan.num_incentive_levels,
        gamma=plan.incentive_gamma,
        rng=rng,
    )
    squares = draw_decision_squares(
        levels, environment, num_squares=plan.num_response_squares, rng=rng
    )
    return (
        MazeGoalDirectedness(ends, plan.incentive_seed),
        draw_response(squares, random_seed=plan.incentive_seed, rng=rng),
        draw_information_and_control(ends, rng=rng),
    )
