"""Retargeting: the agent is given another goal from inside, by activations of another maze."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from empirics.activations.site import Site
from empirics.levels import distances
from empirics.maze import CORNER, NOWHERE, Situation, observe
from empirics.probe import Policy, Reading
from empirics.probes.behavior import action_probabilities
from empirics.probes.decision_squares import DecisionSquares
from empirics.probes.edited_behavior import activations, probabilities_with
from empirics.probes.goal_and_proxy import step_probability
from empirics.probes.goal_vector import MIDDLE, change_reading, like

Seen = NDArray[np.float32]

CONTROLS = ("unedited", "goal_removed", "wrong_location", "permuted_channels")
"""What retargeting must beat."""

OBJECTS = ("cheese", "distractor")
"""What can be moved."""


@final
@dataclass(frozen=True, eq=False)
class Retarget:
    """P(first step to a target) with the target's vector, taken in another maze, put in.

    The cheese lies in the corner. Its vector (activations with it minus without it) is taken
    away, and what a cheese on the target adds in *another maze* is put in its place: nothing
    of this maze's way to the target comes with it. The target is the cheese of the decision
    square, so the corner and the target ask for different steps. The object that is moved can be
    the distractor instead, from where it lies, with the cheese left in the corner.

    Attributes
    ----------
    squares : DecisionSquares
        Their cheese is the target.
    donor : (n,) integer array
        The other maze, in which mouse, target and wrong location are open squares too.
    wrong : (n,) integer array
        An open square to which another first step leads in this maze.
    site : Site
        The layer.
    num_permutations : int
        Permutations of the target vector's channels that are averaged; each moves every channel.
    seed : int
        Of the permutations.
    moved : str
        The object whose vector is moved, one of `OBJECTS`; with two keys "cheese" stands for the
        rewarded object and "distractor" for the other.

    Raises
    ------
    ValueError
        If it is none of them, or the mazes have no distractor to move.
    """

    squares: DecisionSquares
    donor: NDArray[np.int64]
    wrong: NDArray[np.int64]
    site: Site = field(default_factory=lambda: MIDDLE)
    num_permutations: int = 4
    seed: int = 0
    moved: str = "cheese"
    name: str = "retarget"
    observables: tuple[str, ...] = (
        "retarget",
        "p_target_retargeted",
        *(f"p_target_{control}" for control in CONTROLS),
        "p_target_goal_moved",
    )

    def __post_init__(self) -> None:
        if self.moved not in OBJECTS:
            raise ValueError(
                f"moved must be one of {', '.join(sorted(OBJECTS))}; it is {self.moved!r}."
            )
        if self.moved == "distractor" and not self.squares.config.distractor:
            raise ValueError(
                "there is no distractor to move; set distractor=True in the environment."
            )

    def __call__(self, policy: Policy) -> Mapping[str, Reading]:
        """Measure `policy`; se over levels.

        Returns
        -------
        mapping
            `retarget`: P(step to the target) minus that under the strongest control. Then P(step
            to the target) under retargeting, under each control, and with the real cheese moved
            to the target, which is the most that retargeting can do.
        """
        found = self.probabilities(policy)
        step, level = self.squares.goal_step, self.squares.situation.level
        p = {name: step_probability(each, step, self.squares) for name, each in found.items()}
        controls = {name: p[name].value for name in CONTROLS}
        strongest = max(controls, key=lambda name: controls[name])
        gain = found["retargeted"] - found[strongest]
        return {
            "retarget": change_reading(gain[np.arange(len(step)), step], level, {"no effect": 0.0}),
            "p_target_retargeted": replace(p["retargeted"], baselines=controls),
            **{f"p_target_{name}": p[name] for name in (*CONTROLS, "goal_moved")},
        }

    def probabilities(
        self, policy: Policy, *, num_random: int = 0
    ) -> dict[str, NDArray[np.float64]]:
        """Return action probabilities, (n, num_actions), under retargeting and each control.

        Parameters
        ----------
        policy : Policy
        num_random : int
            So many random vectors of the target vector's norm are put in its place besides, and
            averaged, as the control `random_vectors`.
        """
        here, bare, donor, donor_wrong, donor_bare, moved = self._seen
        at = {
            id(seen): activations(policy, self.site, seen)
            for seen in (here, bare, donor, donor_wrong, donor_bare)
        }
        removal = at[id(bare)] - at[id(here)]
        target = at[id(donor)] - at[id(donor_bare)]
        wrong = at[id(donor_wrong)] - at[id(donor_bare)]

        def with_(vector: Tensor) -> NDArray[np.float64]:
            return probabilities_with(policy, self.site, here, removal + vector)

        orders = _derangements(target.shape[1], self.num_permutations, self.seed)
        permuted = [with_(target[:, order]) for order in orders]
        random = [with_(vector) for vector in like(target, num_random, self.seed)]
        return {
            "retargeted": with_(target),
            "unedited": action_probabilities(policy, here),
            "goal_removed": with_(torch.zeros_like(target)),
            "wrong_location": with_(wrong),
            "permuted_channels": np.mean(permuted, axis=0),
            "goal_moved": action_probabilities(policy, moved),
            **({"random_vectors": np.mean(random, axis=0)} if random else {}),
        }

    @cached_property
    def _seen(self) -> tuple[Seen, Seen, Seen, Seen, Seen, Seen]:
        """What is seen with the moved object here and there.

        In this maze with it where it is and without it; in the donor with it on the target, on
        the wrong square, and without it; in this maze with it on the target.
        """
        now, n = self.squares.situation, len(self.squares)
        nowhere, target = np.full(n, NOWHERE), now.goal
        here = now.with_goal(np.full(n, CORNER))
        there = replace(here, level=self.donor).with_goal(nowhere).with_other(nowhere)
        return (
            self._see(here),
            self._see(self._moved_to(here, nowhere)),
            self._see(self._moved_to(there, target)),
            self._see(self._moved_to(there, self.wrong)),
            self._see(there),
            self._see(self._moved_to(here, target)),
        )

    def _moved_to(self, situation: Situation, square: NDArray[np.int64]) -> Situation:
        is_goal = self.moved == "cheese"
        return situation.with_goal(square) if is_goal else situation.with_other(square)

    def _see(self, situation: Situation) -> Seen:
        return observe(self.squares.levels, situation, self.squares.config)


def draw_retarget(
    squares: DecisionSquares, *, site: Site = MIDDLE, rng: np.random.Generator
) -> Retarget:
    """Draw another maze and a wrong location for each decision square.

    Squares for which there is none are left out.

    Raises
    ------
    ValueError
        If there is none for any square.
    """
    now, goal = squares.situation, squares.situation.goal
    is_open = ~squares.levels.walls.reshape(len(squares.levels), -1)
    is_wrong = is_open[now.level] & ~behind_goal_step(squares)
    is_wrong[:, CORNER] = False
    is_wrong[np.arange(len(squares)), now.mouse] = False
    donor, wrong = np.full(len(squares), NOWHERE), np.full(len(squares), NOWHERE)
    for i, level in enumerate(now.level):
        fits = is_open[:, now.mouse[i]] & is_open[:, goal[i]]
        fits &= (is_open & is_wrong[i]).any(axis=1)
        fits[level] = False
        if fits.any():
            donor[i] = rng.choice(np.flatnonzero(fits))
            wrong[i] = rng.choice(np.flatnonzero(is_open[donor[i]] & is_wrong[i]))
    kept = np.flatnonzero(donor != NOWHERE)
    if not kept.size:
        raise ValueError(
            f"retargeting needs another level that is open where mouse and target are; none of "
            f"{len(squares.levels)} is for any of {len(squares)} decision squares. "
            "Draw from more levels."
        )
    chosen = squares[kept]
    return Retarget(chosen, donor[kept], wrong[kept], site, seed=int(rng.integers(2**31)))


def behind_goal_step(squares: DecisionSquares) -> NDArray[np.bool_]:
    """Return the squares whose path from the mouse begins like that to the goal, (n, size²)."""
    now = squares.situation
    levels = squares.levels[now.level]
    after = squares.levels.next_square[now.level, now.mouse, squares.goal_step]
    return np.asarray(distances(levels, after) < distances(levels, now.mouse))


def _derangements(size: int, number: int, seed: int) -> list[NDArray[np.int64]]:
    """Return random permutations that are one cycle and so leave nothing in its place.

    Raises
    ------
    ValueError
        With fewer than two channels, which cannot be permuted.
    """
    if size < 2:
        raise ValueError("the layer must have at least two channels to permute; it has one.")
    rng = np.random.default_rng(seed)
    result = []
    for _ in range(number):
        cycle = rng.permutation(size)
        order = np.empty(size, dtype=np.int64)
        order[cycle] = np.roll(cycle, 1)
        result.append(order)
    return result
