"""Whether a maze agent looks ahead: patching, moves ahead, thinking time, plans at junctions."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import final

import numpy as np

from empirics.coerce import coerce_fields, whole
from empirics.maze import MazeConfig
from empirics.probe import Policy, Probe
from empirics.probes.lookahead.draw_inputs import draw_lookahead_inputs
from empirics.probes.lookahead.junction_plan import draw_junction_plan
from empirics.probes.lookahead.patching import LookaheadPatching
from empirics.probes.lookahead.second_move import draw_second_move
from empirics.probes.lookahead.stages import network_of
from empirics.probes.lookahead.thinking import draw_thinking
from theory.curve import Condition


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
    lookahead_seed: int = 0

    def __post_init__(self) -> None:
        coerce_fields(self)
        for name in ("num_lookahead_inputs", "num_thinking_levels", "num_plan_levels"):
            whole(name, getattr(self, name), 1)
        whole("lookahead_seed", self.lookahead_seed, 0)

    @property
    def conditions(self) -> dict[str, Condition]:
        """The plan as rows of a ledger."""
        return asdict(self)

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
        ValueError
            If no position is hard for the weak agent and solved by the strong one.
        """
        levels = environment.pools().held_out
        streams = np.random.SeedSequence(self.lookahead_seed).spawn(4)
        inputs, times, moves, junctions = (np.random.default_rng(s) for s in streams)
        chosen = draw_lookahead_inputs(
            levels,
            environment,
            weak=weak,
            strong=strong,
            num_inputs=self.num_lookahead_inputs,
            rng=inputs,
        )
        network, num_levels = network_of(strong), self.num_plan_levels
        return (
            LookaheadPatching(chosen, seed=self.lookahead_seed),
            draw_thinking(levels, environment, num_levels=self.num_thinking_levels, rng=times),
            draw_second_move(levels, environment, network, num_levels=num_levels, rng=moves),
            draw_junction_plan(levels, environment, network, num_levels=num_levels, rng=junctions),
        )
