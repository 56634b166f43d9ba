"""Choosing inputs by a weak and a strong agent, as a weaker network chooses the paper's puzzles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from empirics.levels import Levels, distances, first_steps
from empirics.maze import MazeConfig, Situation, draw_situations, observe
from empirics.probe import Policy
from empirics.probes.behavior import action_probabilities
from empirics.probes.lookahead.corruption import judged
from empirics.probes.lookahead.far_walls import far_toggles, steps_between, toggled
from empirics.probes.lookahead.inputs import Filters, LookaheadInputs
from empirics.probes.lookahead.routes import best_routes, open_ways

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

TRIED = 8
"""Corruptions tried of each position."""


class NoInputs(ValueError):
    """No position is hard for the weak agent and solved by the strong one."""


def draw_lookahead_inputs(
    levels: Levels,
    config: MazeConfig,
    *,
    weak: Policy,
    strong: Policy,
    num_inputs: int = 32,
    filters: Filters | None = None,
    rng: np.random.Generator,
) -> LookaheadInputs:
    """Draw inputs: one candidate a level, sifted by two agents.

    The mouse is on a cell with at least two open steps, so that there is something to decide, and
    walls force the second step; the path is at least twice as long as what counts as far.

    Parameters
    ----------
    levels : Levels
    config : MazeConfig
    weak : Policy
        For which inputs are to be hard, such as an early checkpoint of the same run.
    strong : Policy
        Which solves them, such as the last checkpoint.
    num_inputs : int
        The most that are kept.
    filters : Filters, optional
    rng : numpy.random.Generator

    Raises
    ------
    NoInputs
        If no candidate passes; the sentence says how many fell at each filter.
    """
    limits, fallen = filters or Filters(), dict[str, int]()
    now = _candidates(levels, config, limits.far, rng)
    fallen["no such position"] = len(levels) - len(now)
    is_hard = _p_best(weak, levels, config, now) < limits.hard
    now = _sifted(now, is_hard, "not hard for the weak agent", fallen)
    is_solved = _least_along_path(strong, levels, config, now) > limits.solved
    now = _sifted(now, is_solved, "not solved by the strong agent", fallen)
    row, toggles = _some_toggles(levels, now, limits.far, rng)
    falls, is_unnoticed, divergence = _judged(
        levels, config, some(now, row), toggles, weak, strong, limits
    )
    stage = np.zeros(len(now), dtype=np.int64)
    np.maximum.at(stage, row, 1 + falls + (falls & is_unnoticed))
    fallen["no corruption far ahead"] = int((stage == 0).sum())
    fallen["solved as before by the strong agent"] = int((stage == 1).sum())
    fallen["noticed by the weak agent"] = int((stage == 2).sum())
    _check_any(stage == 3, fallen)

    good = np.flatnonzero(falls & is_unnoticed)
    good = good[np.argsort(divergence[good], kind="stable")]
    kept, first = np.unique(row[good], return_index=True)
    fallen["more than asked for"] = max(0, len(kept) - num_inputs)
    changed = toggles[good[first]][:num_inputs]
    situation = some(now, kept[:num_inputs])
    corrupted = toggled(levels, situation.level, changed)
    return LookaheadInputs(levels, corrupted, config, situation, changed, fallen)


def some(situation: Situation, chosen: NDArray[np.bool_] | IntArray) -> Situation:
    """Return some of the situations."""
    return Situation(*(array[chosen] for array in vars(situation).values()))


def _sifted(
    now: Situation, passes: NDArray[np.bool_], why_not: str, fallen: dict[str, int]
) -> Situation:
    """Return the positions that pass, and count the others."""
    fallen[why_not] = int((~passes).sum())
    _check_any(passes, fallen)
    return some(now, passes)


def _check_any(passes: NDArray[np.bool_], fallen: dict[str, int]) -> None:
    if not passes.any():
        said = ", ".join(f"{why_not}: {count}" for why_not, count in fallen.items())
        raise NoInputs(
            f"no position is hard for the weak agent and solved by the strong one ({said}); take a "
            "weak agent that has begun to learn, a stronger one, or more levels."
        )


def _candidates(
    levels: Levels, config: MazeConfig, far: int, rng: np.random.Generator
) -> Situation:
    """Return one position a level, of those levels that have one, in random order."""
    level = rng.permutation(len(levels))
    drawn = draw_situations(levels, level, replace(config, alpha=1.0), rng=rng)
    each, here = np.arange(len(level)), np.arange(levels.size**2)
    is_cell = (here // levels.size % 2 == 0) & (here % levels.size % 2 == 0)
    fits = is_cell & (open_ways(levels)[level] >= 2)
    fits &= distances(levels[level], drawn.cheese) >= 2 * far
    if config.distractor:
        fits[each, drawn.distractor] = False
    mouse = np.where(fits, rng.random(fits.shape), -1.0).argmax(axis=1)
    return some(replace(drawn, mouse=mouse), fits.any(axis=1))


def _p_best(policy: Policy, levels: Levels, config: MazeConfig, situation: Situation) -> FloatArray:
    each = np.arange(len(situation))
    best = first_steps(levels[situation.level], situation.cheese)[each, situation.mouse]
    return action_probabilities(policy, observe(levels, situation, config))[each, best]


def _least_along_path(
    policy: Policy, levels: Levels, config: MazeConfig, situation: Situation
) -> FloatArray:
    """Return the least probability of the best step on the squares of each path."""
    path = best_routes(levels, situation)
    row, time = np.nonzero(path.steps >= 0)
    on_path = replace(some(situation, row), mouse=path.squares[row, time])
    least = np.ones(len(situation))
    np.minimum.at(least, row, _p_best(policy, levels, config, on_path))
    return least


def _some_toggles(
    levels: Levels, situation: Situation, far: int, rng: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """Return which position each corruption is of, (k,), and what it changes, (k, 2)."""
    rows, toggles = [np.zeros(0, dtype=np.int64)], [np.zeros((0, 2), dtype=np.int64)]
    steps = steps_between(levels[situation.level])
    for i in range(len(situation)):
        found = far_toggles(steps[i], int(situation.mouse[i]), int(situation.cheese[i]), far)
        found = rng.permutation(found)[:TRIED]
        rows.append(np.full(len(found), i))
        toggles.append(found)
    return np.concatenate(rows), np.concatenate(toggles)


def _judged(
    levels: Levels,
    config: MazeConfig,
    before: Situation,
    toggles: IntArray,
    weak: Policy,
    strong: Policy,
    limits: Filters,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], FloatArray]:
    """Return whether each corruption turns the strong agent, escapes the weak, and how much."""
    each = np.arange(len(before))
    best = first_steps(levels[before.level], before.cheese)[each, before.mouse]
    corrupted = toggled(levels, before.level, toggles)
    seen = observe(levels, before, config)
    seen_after = observe(corrupted, replace(before, level=each), config)
    return judged(seen, seen_after, best, weak=weak, strong=strong, filters=limits)
