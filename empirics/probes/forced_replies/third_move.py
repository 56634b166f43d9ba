"""The third move: is it known, before the first is made, at the square of the first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray
from torch import nn

from empirics.learned_probes.held_out import level_folds
from empirics.learned_probes.score import accuracy, mean_score
from empirics.probe import Policy, Reading
from empirics.probes.lookahead.bilinear import told_by_folds
from empirics.probes.lookahead.score_reading import score_reading
from empirics.probes.lookahead.sources import states
from empirics.probes.lookahead.untrained import untrained
from empirics.row_game.board import Board
from empirics.row_game.forced_line import ForcedLines, forced_lines
from empirics.row_game.observe import observe
from empirics.row_game.positions import Positions

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

FEWEST = 20
"""Positions without which no probe is fitted."""


@final
@dataclass(frozen=True, eq=False)
class ThirdMove:
    """A bilinear probe for the square of the third move, before the first; a `Probe`.

    The probe is given the state at the square of the first move and that of each other empty
    square, and tells on which of them the third move of the forced win is made. `third_move` is
    its accuracy on held-out positions minus that of the strongest control: the same from the states
    of an untrained network of the same shape, and from what is seen on and around the squares.

    Attributes
    ----------
    board : Board
    lines : ForcedLines
        (n,)
    fold : (n,) integer array
    fresh : torch.nn.Module
        An untrained network of the policy's shape.
    stage : str
        Of `stages.STAGES`: when the states are read.

    References
    ----------
    Jenner et al. 2024 (arXiv 2406.00877), section 3.3.
    """

    board: Board
    lines: ForcedLines
    fold: IntArray
    fresh: nn.Module
    stage: str = "end"
    name: str = "third_move"
    observables: tuple[str, ...] = ("third_move", "third_move_accuracy")

    def __call__(self, policy: Policy) -> Mapping[str, Reading]:
        """Measure `policy`; se over positions."""
        each = np.arange(len(self.lines))
        own = states(policy, (self.stage,), self._seen)[self.stage]
        score = accuracy(self.lines.third, self._told(own), each)
        controls = {name: accuracy(self.lines.third, told, each) for name, told in self._controls}
        controls["an empty square at random"] = mean_score(1.0 / self._there.sum(axis=1), each)
        gain = score - max(controls.values(), key=lambda control: control.value)
        baselines = {name: control.value for name, control in controls.items()}
        return {
            "third_move": score_reading(gain, {"no look-ahead": 0.0}),
            "third_move_accuracy": score_reading(score, baselines, (0.0, 1.0)),
        }

    def _told(self, features: FloatArray) -> IntArray:
        """Return the square that a probe fitted to the other fold tells, (n,)."""
        asker = features[np.arange(len(self.lines)), self.lines.first]
        return told_by_folds(features, asker, self._there, self.lines.third, self.fold)

    @cached_property
    def _controls(self) -> tuple[tuple[str, IntArray], ...]:
        """What is told from the states of the untrained network and from what is seen."""
        fresh = states(self.fresh, (self.stage,), self._seen)[self.stage]
        return (
            ("random network", self._told(fresh)),
            ("observation", self._told(self._seen_around)),
        )

    @cached_property
    def _seen(self) -> NDArray[np.float32]:
        return observe(self.board, self.lines.positions.own, self.lines.positions.other)

    @cached_property
    def _there(self) -> NDArray[np.bool_]:
        """The empty squares but for that of the first move, (n, size²)."""
        taken = self.lines.positions.own | self.lines.positions.other | (1 << self.lines.first)
        return self.board.unpack(self.board.full & ~taken)

    @cached_property
    def _seen_around(self) -> FloatArray:
        """The stones on and around every square, and where it is, (n, size², 29)."""
        size = self.board.size
        framed = np.pad(self._seen[:, :2], ((0, 0), (0, 0), (1, 1), (1, 1)))
        edge = np.pad(
            np.zeros((len(framed), 1, size, size)),
            ((0, 0), (0, 0), (1, 1), (1, 1)),
            constant_values=1.0,
        )
        planes = np.concatenate([framed, edge], axis=1)
        around = [planes[:, :, i : i + size, j : j + size] for i in range(3) for j in range(3)]
        flat = np.concatenate(around, axis=1).reshape(len(framed), -1, self.board.area)
        where = np.broadcast_to(
            np.stack(np.divmod(np.arange(self.board.area), size)), (len(framed), 2, self.board.area)
        )
        return np.moveaxis(np.concatenate([flat, where], axis=1), 1, 2).astype(np.float64)


def draw_third_move(
    board: Board, positions: Positions, network: nn.Module, *, rng: np.random.Generator
) -> ThirdMove:
    """Return the probe on those positions of kind "three" that are won by one line alone.

    Raises
    ------
    ValueError
        If they are fewer than `FEWEST`.
    """
    lines = forced_lines(board, positions)
    if len(lines) < FEWEST:
        raise ValueError(
            f"third moves are read from {FEWEST} positions at least; {len(lines)} of "
            f"{len(positions)} are won by one line of play. Draw from more positions."
        )
    fold = level_folds(np.arange(len(lines)), rng=rng)
    return ThirdMove(board, lines, fold, untrained(network, rng=rng))
