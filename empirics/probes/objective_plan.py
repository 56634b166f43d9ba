"""What a maze agent's objective is: foretold by, located in, and moved by its activations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

import numpy as np

from empirics.activations.site import Site
from empirics.coerce import coerce_fields, whole
from empirics.maze import MazeConfig
from empirics.networks import NetworkSpec
from empirics.policies.maze_policy import MazeNetwork
from empirics.policies.recurrent_maze_policy import RecurrentMazeNetwork
from empirics.probe import Probe
from empirics.probes.decision_squares import draw_decision_squares
from empirics.probes.object_location import draw_object_location
from empirics.probes.objective_retarget import draw_objective_retarget
from empirics.probes.outcome import draw_outcome
from theory.curve import Condition


@final
@dataclass(frozen=True)
class ObjectivePlan:
    """Outcome, location and retargeting of the objective; a plan.

    In an environment without a distractor only the outcome is measured: the other two compare
    the objective with it.

    Attributes
    ----------
    network : NetworkSpec
        Shape of the agents; random networks of this shape are the baselines.
    objective_layer : str
        The layer that is read.
    edited_layer : str
        The layer in which vectors are put.
    objective_tick, edited_tick : int or None
        Ticks of a weight-tied network, from 0; None where a layer is called once.
    num_outcome_levels, num_location_levels : int
        Held-out levels.
    num_retarget_squares : int
        Decision squares drawn, at most two a level; those that suit are kept.
    objective_seed : int
        Seed of what is drawn; all runs of an experiment share it.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    network: NetworkSpec = field(default_factory=MazeNetwork)
    objective_layer: str = "stream.4"
    edited_layer: str = "stream.2"
    objective_tick: int | None = None
    edited_tick: int | None = None
    num_outcome_levels: int = 120
    num_location_levels: int = 200
    num_retarget_squares: int = 300
    objective_seed: int = 0

    def __post_init__(self) -> None:
        coerce_fields(self)
        for name in ("num_outcome_levels", "num_location_levels"):
            whole(name, getattr(self, name), 2)
        whole("num_retarget_squares", self.num_retarget_squares, 1)
        whole("objective_seed", self.objective_seed, 0)

    @classmethod
    def of(cls, network: MazeNetwork | RecurrentMazeNetwork) -> ObjectivePlan:
        """Return the plan that reads a network's last layer or tick and edits one half-way."""
        if isinstance(network, MazeNetwork):
            last, middle = network.depth - 1, network.depth // 2
            return cls(network, f"stream.{last}", f"stream.{middle}")
        last, middle = network.ticks - 1, (network.ticks - 1) // 2
        return cls(network, "cell", "cell", objective_tick=last, edited_tick=middle)

    @property
    def conditions(self) -> dict[str, Condition]:
        """The plan as rows of a ledger; the network is the run's own and stands there already."""
        named = {each: getattr(self, each) for each in self.__dataclass_fields__}
        return {k: v for k, v in named.items() if k != "network" and v is not None}

    def probes(self, environment: MazeConfig) -> tuple[Probe, ...]:
        """Return the probes; equal plans and environments, equal probes."""
        levels = environment.pools().held_out
        streams = np.random.SeedSequence(self.objective_seed).spawn(4)
        outcome, location, squares, target = (np.random.default_rng(s) for s in streams)
        read = Site(self.objective_layer, tick=self.objective_tick)
        foretold = draw_outcome(
            levels,
            environment,
            network=self.network,
            site=read,
            num_levels=self.num_outcome_levels,
            rng=outcome,
        )
        if not environment.distractor:
            return (foretold,)
        located = draw_object_location(
            levels,
            environment,
            network=self.network,
            site=read,
            num_levels=self.num_location_levels,
            rng=location,
        )
        drawn = draw_decision_squares(
            levels, environment, num_squares=self.num_retarget_squares, rng=squares
        )
        edited = Site(self.edited_layer, tick=self.edited_tick)
        return foretold, located, draw_objective_retarget(drawn, site=edited, rng=target)
