"""Which shards a maze agent has: goal vectors, retargeting, decisions and heuristics."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import final

import numpy as np

from empirics.activations.site import Site
from empirics.coerce import coerce_fields, whole
from empirics.maze import MazeConfig
from empirics.probe import Probe
from empirics.probes.decision_regression import draw_decision_regression
from empirics.probes.decision_squares import draw_decision_squares
from empirics.probes.goal_vector import draw_goal_vector
from empirics.probes.heuristic_weights import draw_heuristic_weights
from empirics.probes.retarget import draw_retarget
from theory.curve import Condition


@final
@dataclass(frozen=True)
class ShardPlan:
    """What is measured of shards, beside the P(goal) and P(proxy) of every `MazePlan`.

    Attributes
    ----------
    shard_layer : int
        The layer of a `MazePolicy` in which vectors are put: the features after this
        convolution, counted from 0.
    num_shard_squares : int
        Decision squares, at most two a level.
    num_shard_levels : int
        Held-out levels on every square of which heuristics are weighed.
    shard_seed : int
        Seed of what is drawn; all runs of an experiment share it.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    shard_layer: int = 2
    num_shard_squares: int = 1000
    num_shard_levels: int = 100
    shard_seed: int = 0

    def __post_init__(self) -> None:
        coerce_fields(self)
        whole("shard_layer", self.shard_layer, 0)
        whole("num_shard_squares", self.num_shard_squares, 1)
        whole("num_shard_levels", self.num_shard_levels, 1)
        whole("shard_seed", self.shard_seed, 0)

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
def _probes(plan: ShardPlan, environment: MazeConfig) -> tuple[Probe, ...]:
    levels = environment.pools().held_out
    streams = np.random.SeedSequence(plan.shard_seed).spawn(5)
    squares, vector, target, regression, field = (np.random.default_rng(s) for s in streams)
    drawn = draw_decision_squares(
        levels, environment, num_squares=plan.num_shard_squares, rng=squares
    )
    site = Site(f"stream.{plan.shard_layer}")
    return (
        draw_goal_vector(drawn, site=site, rng=vector),
        draw_retarget(drawn, site=site, rng=target),
        draw_decision_regression(drawn, rng=regression),
        draw_heuristic_weights(levels, environment, num_levels=plan.num_shard_levels, rng=field),
    )
