"""The move after next: is it known, before the first is made, which of two ways comes then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray
from torch import nn

from empirics.learned_probes.held_out import level_folds
from empirics.learned_probes.score import accuracy, mean_score
from empirics.levels import Levels, distances
from empirics.maze import NOWHERE, MazeConfig, Situation, draw_situations
from empirics.probe import Policy, Reading
from empirics.probes.lookahead.bilinear import told_by_folds
from empirics.probes.lookahead.draw_inputs import some
from empirics.probes.lookahead.far_walls import steps_between
from empirics.probes.lookahead.routes import open_ways, own_routes
from empirics.probes.lookahead.score_reading import score_reading
from empirics.probes.lookahead.sources import Sources
from empirics.probes.lookahead.untrained import untrained

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

MOVE = 2
"""Squares from cell to cell."""

FEWEST = 20
"""Mazes without which no probe is fitted."""


@final
@dataclass(frozen=True, eq=False)
class SecondMove:
    """A bilinear probe for the cell that the agent reaches by its second move; a `Probe`.

    A move goes from cell to cell. The mouse is one move before a junction. The probe is given the
    state of the mouse's square and that of each cell two moves away, and tells which of them lies
    on the agent's own route, in mazes whose route leads to the junction. `second_move` is its
    accuracy on held-out levels minus that of the strongest control: the same from the sources
    of `sources.CONTROLS`, and a guess by somebody who knows the first move.

    Attributes
    ----------
    levels : Levels
    config : MazeConfig
    situation : Situation
        (n,) one of each level.
    junction : (n,) integer array
        The square of the junction.
    fold : (n,) integer array
    fresh : torch.nn.Module
        An untrained network of the policy's shape.
    stage : str
        Of `STAGES`: when the states are read.

    References
    ----------
    Jenner et al. 2024 (arXiv 2406.00877), section 3.3.
    """

    levels: Levels
    config: MazeConfig
    situation: Situation
    junction: IntArray
    fold: IntArray
    fresh: nn.Module
    stage: str = "end"
    name: str = "second_move"
    observables: tuple[str, ...] = ("second_move", "second_move_accuracy")

    def __call__(self, policy: Policy) -> Mapping[str, Reading]:
        """Measure `policy`; se over levels.

        Raises
        ------
        ValueError
            If fewer than `FEWEST` of the agent's routes lead to the junction, or none in a fold.
        """
        routes = own_routes(policy, self.levels, self.config, self.situation)
        cell = routes.at(2 * MOVE)
        row = np.flatnonzero((routes.at(MOVE) == self.junction) & (cell != NOWHERE))
        if len(row) < FEWEST or np.unique(self.fold[row]).size < 2:
            raise ValueError(
                f"moves ahead are read from {FEWEST} mazes at least; {len(row)} of "
                f"{len(self.fold)} routes lead to their junction. Draw from more or larger levels."
            )
        level = self.situation.level[row]
        chosen = (self._cells[row] == cell[row, None]).argmax(axis=1)
        told = self._told(policy, row, chosen)
        scores = {name: accuracy(chosen, each, level) for name, each in told.items()}
        own = scores.pop("own")
        scores["first move known"] = mean_score(1.0 / self._num_behind[row], level)
        gain = own - max(scores.values(), key=lambda score: score.value)
        controls = {name: score.value for name, score in scores.items()}
        return {
            "second_move": score_reading(gain, {"no plan": 0.0}),
            "second_move_accuracy": score_reading(own, controls, (0.0, 1.0)),
        }

    def _told(self, policy: Policy, row: IntArray, chosen: IntArray) -> dict[str, IntArray]:
        """Return which candidate a probe fitted to the other fold tells from each source."""
        cells, mouse, fold = self._cells[row], self.situation.mouse[row], self.fold[row]
        there = cells != NOWHERE
        squares = np.where(there, cells, 0)
        features = {
            name: (by_stage[self.stage][row[:, None], squares], by_stage[self.stage][row, mouse])
            for name, by_stage in self._sources.read(policy).items()
        }
        around = self._sources.seen_around
        each = np.broadcast_to(row[:, None], squares.shape)
        features["observation"] = around(each.ravel(), squares.ravel()), around(row, mouse)
        return {
            name: told_by_folds(x.reshape(*squares.shape, -1), z, there, chosen, fold)
            for name, (x, z) in features.items()
        }

    @cached_property
    def _cells(self) -> IntArray:
        """The cells two moves from the mouse, (n, most), filled up with `NOWHERE`."""
        away = distances(self.levels[self.situation.level], self.situation.mouse) == 2 * MOVE
        order = np.argsort(~away, axis=1, kind="stable")[:, : away.sum(axis=1).max()]
        return np.where(np.take_along_axis(away, order, axis=1), order, NOWHERE)

    @cached_property
    def _num_behind(self) -> IntArray:
        """How many of them lie behind the junction, (n,)."""
        ways = open_ways(self.levels)[self.situation.level, self.junction]
        return np.asarray(ways - 1)

    @cached_property
    def _sources(self) -> Sources:
        return Sources(self.levels, self.config, self.situation, self.fresh, (self.stage,))


def draw_second_move(
    levels: Levels,
    config: MazeConfig,
    network: nn.Module,
    *,
    num_levels: int = 400,
    rng: np.random.Generator,
) -> SecondMove:
    """Draw a junction, a mouse one move before it and a cheese at least two moves behind it.

    Levels without such squares are left out.

    Raises
    ------
    ValueError
        If fewer than two levels have them.
    """
    level = rng.permutation(len(levels))[:num_levels]
    drawn = draw_situations(levels, level, replace(config, alpha=1.0), rng=rng)
    steps, ways = steps_between(levels[level]), open_ways(levels)[level]
    found = [_places(table, each, rng) for table, each in zip(steps, ways, strict=True)]
    row = np.array([i for i, places in enumerate(found) if places is not None], dtype=np.int64)
    if row.size < 2:
        raise ValueError(
            f"moves ahead need junctions with a cheese behind them; {row.size} of {len(level)} "
            "levels have one. Draw from more or larger levels."
        )
    mouse, junction, cheese = np.array([places for places in found if places is not None]).T
    situation = replace(some(drawn, row), mouse=mouse, cheese=cheese)
    fold = level_folds(level[row], rng=rng)
    return SecondMove(levels, config, situation, junction, fold, untrained(network, rng=rng))


def _places(
    steps: NDArray[np.int16], ways: IntArray, rng: np.random.Generator
) -> tuple[int, int, int] | None:
    """Return mouse, junction and cheese in one maze, if it has them."""
    junctions = ways > 2
    is_near = (steps == MOVE) & junctions
    is_behind = (steps[:, None] == MOVE + steps[None]) & (steps >= 2 * MOVE)[None]
    fits = is_near[:, :, None] & is_behind
    if not fits.any():
        return None
    mouse, junction = rng.choice(np.argwhere(fits.any(axis=2)))
    return int(mouse), int(junction), int(rng.choice(np.flatnonzero(fits[mouse, junction])))
