"""Whether a maze agent looks ahead: patching, moves ahead, thinking time, plans at junctions."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import final

import numpy as np
from torch import nn

from empirics.coerce import coerce_fields, whole
from empirics.levels import NUM_ACTIONS
from empirics.maze import MazeConfig
from empirics.maze_agent import MazeAgent
from empirics.policies.maze_policy import MazeNetwork
from empirics.policies.recurrent_maze_policy import RecurrentMazeNetwork
from empirics.probe import Policy, Probe
from empirics.probes.lookahead.draw_inputs import NoInputs, draw_lookahead_inputs
from empirics.probes.lookahead.junction_plan import draw_junction_plan
from empirics.probes.lookahead.patching import LookaheadPatching
from empirics.probes.lookahead.second_move import draw_second_move
from empirics.probes.lookahead.stages import network_of
from empirics.probes.lookahead.thinking import draw_thinking
from theory.curve import Condition

FEWEST_INPUTS = 8
"""Positions, one a level, below which a mean over them says nothing."""


@final
@dataclass(frozen=True)
class LookaheadPlan:
    """What is measured of look-ahead.

    Attributes
    ----------
    num_lookahead_inputs : int
        The most positions on which states are patched.
    num_thinking_levels : int
        Held-out levels of thinking time.
    num_plan_levels : int
        Held-out levels of the probes that are fitted: of moves ahead, and of plans at junctions.
    weak_share : float
        The weak agent of a run is its last checkpoint within this share of training.
    lookahead_seed : int
        Seed of what is drawn; all runs of an experiment share it.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    num_lookahead_inputs: int = 32
    num_thinking_levels: int = 300
    num_plan_levels: int = 300
    weak_share: float = 0.25
    lookahead_seed: int = 0

    def __post_init__(self) -> None:
        coerce_fields(self)
        whole("num_lookahead_inputs", self.num_lookahead_inputs, FEWEST_INPUTS)
        for name in ("num_thinking_levels", "num_plan_levels"):
            whole(name, getattr(self, name), 1)
        whole("lookahead_seed", self.lookahead_seed, 0)
        if not 0 < self.weak_share < 1:
            raise ValueError(f"weak_share must lie between 0 and 1; it is {self.weak_share}.")

    @property
    def conditions(self) -> dict[str, Condition]:
        """The plan as rows of a ledger."""
        return asdict(self)

    def probes_of(self, agent: MazeAgent) -> tuple[Probe, ...]:
        """Return the probes of all checkpoints of an agent, whose last one is the strong agent.

        Where fewer than `FEWEST_INPUTS` positions are hard for the weak agent and solved by the
        strong one, there is too little to patch, and that probe is left out.
        """
        last, strong = agent.checkpoints[-1]
        early = [path for t, path in agent.checkpoints if t <= self.weak_share * last]
        policies = {"weak": agent.policy(early[-1]), "strong": agent.policy(strong)}
        others = _without_patching(self, agent.environment, agent.network)
        try:
            return self.patching(agent.environment, **policies), *others
        except NoInputs:
            return others

    def probes(self, environment: MazeConfig, *, weak: Policy, strong: Policy) -> tuple[Probe, ...]:
        """Return the probes of all checkpoints of a run.

        Parameters
        ----------
        environment : MazeConfig
        weak, strong : Policy
            An early and a late checkpoint, by which the inputs of patching are chosen. All other
            levels and squares depend on the plan alone.

        Raises
        ------
        NoInputs
            If fewer than `FEWEST_INPUTS` positions are hard for the weak agent and solved by the
            strong one.
        """
        return (
            self.patching(environment, weak=weak, strong=strong),
            *self.without_patching(environment, network_of(strong)),
        )

    def patching(
        self, environment: MazeConfig, *, weak: Policy, strong: Policy
    ) -> LookaheadPatching:
        """Return the first of the probes, the one that depends on a weak and a strong agent.

        Raises
        ------
        NoInputs
            If fewer than `FEWEST_INPUTS` positions are hard for the weak agent and solved by the
            strong one.
        """
        chosen = draw_lookahead_inputs(
            environment.pools().held_out,
            environment,
            weak=weak,
            strong=strong,
            num_inputs=self.num_lookahead_inputs,
            rng=self._streams[0],
        )
        if len(chosen) < FEWEST_INPUTS:
            raise NoInputs(
                f"patching needs {FEWEST_INPUTS} positions that are hard for the weak agent and "
                f"solved by the strong one; there are {len(chosen)}. Take a stronger one."
            )
        return LookaheadPatching(chosen, seed=self.lookahead_seed)

    def without_patching(self, environment: MazeConfig, network: nn.Module) -> tuple[Probe, ...]:
        """Return the other probes, of agents of the shape of a network."""
        levels, num_levels = environment.pools().held_out, self.num_plan_levels
        _, times, moves, junctions = self._streams
        return (
            draw_thinking(levels, environment, num_levels=self.num_thinking_levels, rng=times),
            draw_second_move(levels, environment, network, num_levels=num_levels, rng=moves),
            draw_junction_plan(levels, environment, network, num_levels=num_levels, rng=junctions),
        )

    @property
    def _streams(self) -> tuple[np.random.Generator, ...]:
        """New generators, one for each probe: what one draws does not depend on the others."""
        streams = np.random.SeedSequence(self.lookahead_seed).spawn(4)
        return tuple(np.random.default_rng(stream) for stream in streams)


@lru_cache(maxsize=2)
def _without_patching(
    plan: LookaheadPlan, environment: MazeConfig, shape: MazeNetwork | RecurrentMazeNetwork
) -> tuple[Probe, ...]:
    # Kept, for what random networks read is the same for all agents of a shape.
    rng = np.random.default_rng(plan.lookahead_seed)
    network = shape.build(environment.observation_shape, NUM_ACTIONS, rng=rng)
    return plan.without_patching(environment, network)
