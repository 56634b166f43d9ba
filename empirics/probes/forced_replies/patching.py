"""Activation patching: does the first move hang on the state at the square of the third."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from empirics.activations.site import Site
from empirics.probe import Policy, Reading
from empirics.probes.forced_replies.draw_inputs import ReplyInputs
from empirics.probes.lookahead.place_effects import (
    Patched,
    effect_reading,
    mean_over,
    most,
    place_effects,
)
from empirics.probes.lookahead.stages import stage_site

BoolArray = NDArray[np.bool_]

GROUPS = ("changed", "first", "reply", "third", "other")
"""The stone that the corruption changed, the line of play, and all other squares."""


@final
@dataclass(frozen=True, eq=False)
class ReplyPatching:
    """Effect of the corrupted run's state on one square, put into the clean run; a `Probe`.

    The effect is the drop in log-odds of the first move. `third_move_patching` is that of the
    square of the third move minus the *maximum* over all others, among them that of the reply;
    not among them are the changed stone's and the first move's, as in the paper. Its baseline is
    the same with a random vector of the difference's norm on the square of the third move.
    `patching_changed_stone` and so on are the means of the groups.

    Attributes
    ----------
    inputs : ReplyInputs
        The same at every checkpoint.
    site : Site, optional
        Where the states are; half-way through the policy's ticks if not given.
    seed : int
        Of the random vectors.

    References
    ----------
    Jenner et al. 2024 (arXiv 2406.00877), section 3.1.
    """

    inputs: ReplyInputs
    site: Site | None = None
    seed: int = 0
    name: str = "third_move_patching"
    observables: tuple[str, ...] = (
        "third_move_patching",
        "patching_changed_stone",
        "patching_first_move",
        "patching_reply",
        "patching_third_move",
        "patching_other_squares",
    )

    def __call__(self, policy: Policy) -> Mapping[str, Reading]:
        """Measure `policy`; se over positions."""
        inputs, groups = self.inputs, self._groups()
        patched = Patched(
            inputs.observation, inputs.corrupted_observation, inputs.lines.first, groups["third"]
        )
        site = self.site or stage_site(policy, "middle")
        effect, random = place_effects(policy, site, patched, seed=self.seed)
        third, by_chance = (mean_over(each, groups["third"]) for each in (effect, random))
        other = most(effect, groups["other"] | groups["reply"])
        each, strongest = np.arange(len(inputs)), {"strongest other": float(other.mean())}
        nothing = {"no effect": 0.0}
        values = (
            (third - other, nothing | {"random vectors": float((by_chance - other).mean())}),
            (mean_over(effect, groups["changed"]), strongest),
            (mean_over(effect, groups["first"]), strongest),
            (mean_over(effect, groups["reply"]), strongest),
            (third, strongest),
            (other, nothing),
        )
        return {
            name: effect_reading(value, each, baselines)
            for name, (value, baselines) in zip(self.observables, values, strict=True)
        }

    def _groups(self) -> dict[str, BoolArray]:
        """Return the squares of each group, (n, size²), none in two."""
        lines, place = self.inputs.lines, np.arange(self.inputs.board.area)
        squares = (self.inputs.changed, lines.first, lines.reply, lines.third)
        groups = {
            name: place == square[:, None]
            for name, square in zip(GROUPS[:-1], squares, strict=True)
        }
        groups["other"] = ~np.logical_or.reduce(list(groups.values()))
        return groups
