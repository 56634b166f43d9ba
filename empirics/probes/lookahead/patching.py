"""Activation patching: on which squares of a maze does the decision of the first step hang."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from empirics.activations.site import Site
from empirics.probe import Policy, Reading
from empirics.probes.lookahead.inputs import LookaheadInputs
from empirics.probes.lookahead.place_effects import (
    Patched,
    effect_reading,
    mean_over,
    most,
    place_effects,
)
from empirics.probes.lookahead.stages import stage_site, stride_of

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

GROUPS = ("mouse", "changed", "first", "future", "other_path", "other")
"""The mouse; what the corruption changed; the first step's square; the squares of the path behind
it; those of the path that is best after the corruption; all others."""


@final
@dataclass(frozen=True, eq=False)
class LookaheadPatching:
    """Effect of the corrupted run's state on one square, put into the clean run; a `Probe`.

    The effect is the drop in log-odds of the best first step. `lookahead_patching` is its mean
    over the future squares of the path, minus its *maximum* over all other squares; its baseline
    is the same with random vectors of the difference's norm on the future squares.
    `lookahead_best_square` has the strongest of the future squares in place of their mean, a
    maximum over few squares against one over many.

    Not among the others are the mouse, where the policy reads its state and every answer must
    arrive; what was changed; the first step; and the other path's squares, which are ahead too.
    `patching_mouse` and so on are their means. A square on both paths is in neither group.

    Attributes
    ----------
    inputs : LookaheadInputs
        The same at every checkpoint.
    site : Site, optional
        Where the states are; half-way through the policy's ticks or layers if not given.
    seed : int
        Of the random vectors.

    References
    ----------
    Jenner et al. 2024 (arXiv 2406.00877), section 3.1.
    """

    inputs: LookaheadInputs
    site: Site | None = None
    seed: int = 0
    name: str = "lookahead_patching"
    observables: tuple[str, ...] = (
        "lookahead_patching",
        "lookahead_best_square",
        *(f"patching_{group}" for group in GROUPS),
    )

    def __call__(self, policy: Policy) -> Mapping[str, Reading]:
        """Measure `policy`; se over levels.

        Returns
        -------
        mapping
            `lookahead_patching` and `lookahead_best_square`; then the mean over each group that
            has squares, and the maximum over the others.

        Raises
        ------
        ValueError
            If no input has a future square.
        """
        stride = stride_of(policy)
        used = self._has_future(stride)
        if not used.any():
            raise ValueError(
                f"none of {len(used)} inputs has a future square that is in no other group; draw "
                "more inputs or larger mazes."
            )
        groups = {name: where[used] for name, where in self._groups(stride).items()}
        effect, random = self._effects(policy, groups, used)
        of = {name: mean_over(effect, squares) for name, squares in groups.items()}
        other, future = most(effect, groups["other"]), groups["future"]
        gains = {
            "lookahead_patching": (of["future"] - other, mean_over(random, future) - other),
            "lookahead_best_square": (most(effect, future) - other, most(random, future) - other),
        }
        level, others = self.inputs.situation.level[used], {"strongest other": float(other.mean())}
        return {
            **{
                name: effect_reading(
                    gain, level, {"no effect": 0.0, "random vectors": float(by_chance.mean())}
                )
                for name, (gain, by_chance) in gains.items()
            },
            **{
                f"patching_{name}": effect_reading(of[name], level, others)
                for name in GROUPS[:-1]
                if groups[name].any()
            },
            "patching_other": effect_reading(other, level, {"no effect": 0.0}),
        }

    def num_skipped(self, stride: int = 1) -> int:
        """Return how many inputs have no future square that belongs to no other group."""
        return int((~self._has_future(stride)).sum())

    def _effects(
        self, policy: Policy, groups: Mapping[str, BoolArray], used: BoolArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return the drop by patches on each place and by random vectors on future places."""
        patched = Patched(
            self.inputs.observation[used],
            self.inputs.corrupted_observation[used],
            self.inputs.best.steps[used, 0],
            groups["future"],
        )
        site = self.site or stage_site(policy, "middle")
        return place_effects(policy, site, patched, seed=self.seed)

    def _groups(self, stride: int) -> dict[str, BoolArray]:
        """Return the places of each group, (n, places), none in two."""
        return {name: self._labels(stride) == i for i, name in enumerate(GROUPS)}

    def _has_future(self, stride: int) -> BoolArray:
        return np.asarray((self._labels(stride) == GROUPS.index("future")).any(axis=1))

    def _labels(self, stride: int) -> NDArray[np.int64]:
        """Return the group of each place, (n, places); −1 on both paths.

        Where places are cells, the first step leads to the next cell, and what is changed is on
        both sides of the passage.
        """
        inputs, size = self.inputs, self.inputs.levels.size
        path, other = inputs.best.on_route(size), inputs.best_corrupted.on_route(size)
        labels = np.full(path.shape, GROUPS.index("other"))
        labels[other & ~path] = GROUPS.index("other_path")
        labels[path & ~other] = GROUPS.index("future")
        labels[path & other] = -1
        each = np.arange(len(inputs))
        for step in range(1, stride + 1):
            labels[each, inputs.best.squares[:, step]] = GROUPS.index("first")
        for changed in inputs.changed.T:
            for square in _around(changed, size) if stride == 2 else (changed,):
                labels[each, square] = GROUPS.index("changed")
        labels[each, inputs.situation.mouse] = GROUPS.index("mouse")
        return labels.reshape(-1, size, size)[:, ::stride, ::stride].reshape(len(inputs), -1)


def _around(square: NDArray[np.int64], size: int) -> tuple[NDArray[np.int64], ...]:
    """Return the cells on both sides of passages."""
    apart = np.where(square // size % 2 == 0, 1, size)
    return square - apart, square + apart
