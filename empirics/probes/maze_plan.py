"""What is measured on every checkpoint of a maze agent."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import final

import numpy as np

from empirics.coerce import coerce_fields, whole
from empirics.maze import MazeConfig
from empirics.probe import Probe
from empirics.probes.decision_squares import draw_decision_squares
from empirics.probes.goal_and_proxy import GoalAndProxy, GoalRemoved
from empirics.probes.policy_entropy import draw_policy_entropy
from empirics.probes.success import draw_success
from theory.curve import Condition


@final
@dataclass(frozen=True)
class MazePlan:
    """Goal and proxy at decision squares, success on and off distribution, entropy.

    Attributes
    ----------
    num_squares : int
        Decision squares, at most two a level.
    num_success_levels : int
        Held-out levels on which success is computed, from every start.
    success_gamma : float
        Discount of the return that is reported beside success.
    probe_seed : int
        Seed of the squares and cheeses; all runs of an experiment share them.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    num_squares: int = 1500
    num_success_levels: int = 100
    success_gamma: float = 0.97
    probe_seed: int = 0

    def __post_init__(self) -> None:
        coerce_fields(self)
        whole("num_squares", self.num_squares, 1)
        whole("num_success_levels", self.num_success_levels, 1)
        whole("probe_seed", self.probe_seed, 0)
        if not 0 <= self.success_gamma <= 1:
            raise ValueError(f"success_gamma must lie in [0, 1]; it is {self.success_gamma}.")

    @property
    def conditions(self) -> dict[str, Condition]:
        """The plan as rows of a ledger."""
        return asdict(self)

    def probes(self, environment: MazeConfig) -> tuple[Probe, ...]:
        """Return the probes; equal plans and environments, equal probes."""
        levels = environment.pools().held_out
        streams = np.random.SeedSequence(self.probe_seed).spawn(3)
        for_squares, for_success, for_entropy = (np.random.default_rng(s) for s in streams)
        squares = draw_decision_squares(
            levels, environment, num_squares=self.num_squares, rng=for_squares
        )
        success = draw_success(
            levels,
            environment,
            num_levels=self.num_success_levels,
            gamma=self.success_gamma,
            rng=for_success,
        )
        entropy = draw_policy_entropy(levels, environment, rng=for_entropy)
        return GoalAndProxy(squares), GoalRemoved(squares), success, entropy
