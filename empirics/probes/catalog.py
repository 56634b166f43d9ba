"""Every probe that a plan makes, with its observables: what there is to measure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import final

from empirics.maze import MazeConfig
from empirics.policies.maze_policy import MazeNetwork
from empirics.probe import Probe
from empirics.probes.exact_regret import cheese_regret
from empirics.probes.forced_replies.first_moves import FirstMoves
from empirics.probes.forced_replies.patching import ReplyPatching
from empirics.probes.forced_replies.third_move import ThirdMove
from empirics.probes.forced_replies.win_rate import WinRate
from empirics.probes.incentive_plan import IncentivePlan
from empirics.probes.lookahead.junction_plan import JunctionPlan
from empirics.probes.lookahead.patching import LookaheadPatching
from empirics.probes.lookahead.second_move import SecondMove
from empirics.probes.lookahead.thinking import Thinking
from empirics.probes.maze_plan import MazePlan
from empirics.probes.objective_plan import ObjectivePlan
from empirics.probes.shard_plan import ShardPlan
from empirics.tabular.cheese import CheeseConfig

FEW = MazeConfig(cells=4, distractor=True, num_train_levels=1, num_held_out_levels=60)
"""Mazes that are drawn in no time and have what every probe asks for."""


@final
@dataclass(frozen=True)
class Entry:
    """A probe, by what can be said of it without a policy.

    Attributes
    ----------
    name, summary : str
    observables : tuple of str
        In mazes with a distractor.
    plan : str
        What makes it.
    """

    name: str
    summary: str
    observables: tuple[str, ...]
    plan: str


OfMazes = type[LookaheadPatching] | type[Thinking] | type[SecondMove] | type[JunctionPlan]
OfReplies = type[FirstMoves] | type[WinRate] | type[ReplyPatching] | type[ThirdMove]
Listed = Probe | OfMazes | OfReplies
"""A probe, or the class of one whose name and observables do not depend on what is drawn."""

SMALL = MazeNetwork(width=2, depth=5, hidden=2)
"""A network with the layers that are read."""

PLANS: Mapping[str, Callable[[], tuple[Listed, ...]]] = MappingProxyType(
    {
        "MazePlan": lambda: MazePlan(num_squares=20, num_success_levels=5).probes(FEW),
        "ShardPlan": lambda: ShardPlan(num_shard_squares=40, num_shard_levels=20).probes(FEW),
        "IncentivePlan": lambda: IncentivePlan(
            num_incentive_levels=5, num_response_squares=20
        ).probes(FEW),
        "ObjectivePlan": lambda: ObjectivePlan(
            SMALL, num_outcome_levels=5, num_location_levels=5, num_retarget_squares=40
        ).probes(FEW),
        # What these measure is drawn with two trained agents; their observables are fixed.
        "LookaheadPlan": lambda: (LookaheadPatching, Thinking, SecondMove, JunctionPlan),
        "ForcedRepliesPlan": lambda: (FirstMoves, WinRate, ReplyPatching, ThirdMove),
        "cheese_regret": lambda: (cheese_regret(CheeseConfig()),),
    }
)
"""What makes probes, by name; a plan of several is listed at the first that has the probe."""


def kind_of(probe: Listed) -> type:
    """Return the class of a probe, or the class itself."""
    return probe if isinstance(probe, type) else type(probe)


@cache
def catalog() -> tuple[Entry, ...]:
    """Return every probe once, plan by plan."""
    found: dict[str, Entry] = {}
    for plan, make in PLANS.items():
        for probe in make():
            [line, *_] = (kind_of(probe).__doc__ or "").splitlines()
            summary = line.removesuffix("; a `Probe`.").rstrip(".") + "."
            found.setdefault(probe.name, Entry(probe.name, summary, tuple(probe.observables), plan))
    return tuple(found.values())
