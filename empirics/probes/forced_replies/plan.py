"""What is measured of agents of the game of forced replies."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import final

import numpy as np

from empirics.coerce import coerce_fields, whole
from empirics.probe import Policy, Probe
from empirics.probes.forced_replies.draw_inputs import FILTERS, draw_reply_inputs
from empirics.probes.forced_replies.first_moves import FirstMoves
from empirics.probes.forced_replies.patching import ReplyPatching
from empirics.probes.forced_replies.third_move import draw_third_move
from empirics.probes.forced_replies.win_rate import WinRate
from empirics.probes.lookahead.draw_inputs import NoInputs
from empirics.probes.lookahead.inputs import Filters
from empirics.probes.lookahead.plan import FEWEST_INPUTS
from empirics.probes.lookahead.stages import network_of
from empirics.row_game.config import RowGameConfig
from theory.curve import Condition


@final
@dataclass(frozen=True)
class ForcedRepliesPlan:
    """Forced wins begun, and games won, on held-out positions; look-ahead between two agents.

    Attributes
    ----------
    play_seed : int
        Seed of the games.
    num_reply_inputs : int
        The most positions on which states are patched.
    lookahead_seed : int
        Seed of folds, untrained networks and random vectors.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    play_seed: int = 0
    num_reply_inputs: int = 64
    lookahead_seed: int = 0

    def __post_init__(self) -> None:
        coerce_fields(self)
        whole("num_reply_inputs", self.num_reply_inputs, FEWEST_INPUTS)
        for name in ("play_seed", "lookahead_seed"):
            whole(name, getattr(self, name), 0)

    @property
    def conditions(self) -> dict[str, Condition]:
        """The plan as rows of a ledger."""
        return asdict(self)

    def probes(self, environment: RowGameConfig) -> tuple[Probe, ...]:
        """Return the probes of every checkpoint as it is made."""
        _, held_out = environment.pools()
        return (
            FirstMoves(environment.board, environment.max_moves, held_out),
            WinRate(environment, held_out, self.play_seed),
        )

    def lookahead(
        self,
        environment: RowGameConfig,
        *,
        weak: Policy,
        strong: Policy,
        filters: Filters = FILTERS,
    ) -> tuple[ReplyPatching, Probe]:
        """Return the probes of look-ahead, whose inputs an early and a late checkpoint choose.

        Parameters
        ----------
        environment : RowGameConfig
        weak, strong : Policy
        filters : Filters

        Raises
        ------
        NoInputs
            If fewer than `FEWEST_INPUTS` positions are hard for the weak agent and solved by the
            strong one.
        """
        inputs = draw_reply_inputs(
            environment,
            environment.pools()[1]["three"],
            weak=weak,
            strong=strong,
            num_inputs=self.num_reply_inputs,
            filters=filters,
        )
        if len(inputs) < FEWEST_INPUTS:
            raise NoInputs(
                f"patching needs {FEWEST_INPUTS} positions that are hard for the weak agent and "
                f"solved by the strong one; there are {len(inputs)}. Take a stronger one."
            )
        third_move = self.third_move(environment, strong)
        return ReplyPatching(inputs, seed=self.lookahead_seed), third_move

    def third_move(self, environment: RowGameConfig, policy: Policy) -> Probe:
        """Return the probe of the third move, for agents of the shape of a policy."""
        positions, rng = environment.pools()[1]["three"], np.random.default_rng(self.lookahead_seed)
        return draw_third_move(environment.board, positions, network_of(policy), rng=rng)
