"""Stability: what is left of a structure after more training, and after the levels change."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from empirics.run import Run
from papers.development.matched import LEAD, Observed, matched, same
from papers.development.over_seeds import OverSeeds
from papers.development.windows import ERROR
from papers.wording import short

KEPT = 0.8
"""Share of a structure from which on it counts as kept."""


@final
@dataclass(frozen=True)
class Share:
    """The share of a structure that is left: a ratio of means over seeds.

    Attributes
    ----------
    left, of : OverSeeds
        What is left, and what it is a share of, on the same seeds.
    """

    left: OverSeeds
    of: OverSeeds

    @property
    def value(self) -> float:
        """The share."""
        return self.left.mean / self.of.mean

    @property
    def excess(self) -> float:
        """Half width, at `ERROR`, of the interval of the share (linearized, Cochran 1977, 6.4)."""
        misses = {
            seed: left - self.value * self.of.by_seed[seed]
            for seed, left in self.left.by_seed.items()
        }
        se_levels = self.left.se_levels + abs(self.value) * self.of.se_levels
        return OverSeeds(misses, se_levels).half_width(ERROR) / abs(self.of.mean)

    def status(self, kept: float = KEPT) -> str:
        """Say whether it is kept or lost, or that one cannot tell."""
        if math.isinf(self.excess):
            return f"CANNOT TELL, with one seed ({self.value:.2f})"
        if self.value - self.excess > kept:
            verdict = "KEPT"
        elif self.value + self.excess <= kept:
            verdict = "NOT KEPT"
        else:
            verdict = "CANNOT TELL"
        return f"{verdict} ({self.value:.2f} ± {self.excess:.2f}, kept is more than {kept:g})"


@final
@dataclass(frozen=True)
class Stability:
    """A structure when the levels change, and at the end of training with and without the change.

    Attributes
    ----------
    observable : str
    change : float
        Environment steps at which the levels change for good.
    before, continued, changed : OverSeeds
        The structure's strength: the observable minus what it is without the structure.
    """

    observable: str
    change: float
    before: OverSeeds
    continued: OverSeeds
    changed: OverSeeds

    @property
    def exists(self) -> bool:
        """Whether there surely is a structure when the levels change."""
        return abs(self.before.mean) > self.before.half_width(ERROR)

    @property
    def after_training(self) -> Share:
        """What is left of it when training goes on as it was."""
        return Share(self.continued, self.before)

    @property
    def after_change(self) -> Share:
        """What is left of it when training goes on with other levels."""
        return Share(self.changed, self.before)

    @property
    def against_control(self) -> Share:
        """What is left with other levels, of what is left without the change."""
        return Share(self.changed, self.continued)

    @property
    def status(self) -> str:
        """Say what is left of the structure, or that there was none."""
        opening = f"{self.observable}, {self.before} when the levels change at {short(self.change)}"
        if not self.exists:
            return (
                f"{opening}: CANNOT TELL what is left; it is not certain that there was anything, "
                "by the errors over seeds and levels."
            )
        said = (
            f"{opening}: after continued training {self.after_training.status()}; after the change "
            f"{self.after_change.status()}"
        )
        if abs(self.continued.mean) > self.continued.half_width(ERROR):
            return f"{said}; of what the control kept {self.against_control.status()}."
        return f"{said}; the control kept nothing certain to compare with."


def stability(
    runs: Sequence[Run], observed: Observed = LEAD, *, recovery: float, absent: float = 0.0
) -> Stability:
    """Return how much of a structure is left after continued training and after a change.

    Parameters
    ----------
    runs : sequence of Run
        With windows that open at one moment and never close, and their controls.
    observed : Observed
    recovery : float
        Environment steps after the change that do not count; the checkpoints from there to the end
        of training are averaged.
    absent : float
        What is observed without the structure.

    Raises
    ------
    ValueError
        If a run has no control, a window closes, or the changes are not alike.
    """
    pairs = matched(runs)
    same(pairs, ())
    change, last = pairs[0].start, pairs[0].last
    if pairs[0].end < last:
        raise ValueError(
            f"the window closes at {pairs[0].end:g} env_steps, before training ends at {last:g}; a "
            "change for good needs a window_length that reaches the end."
        )
    before = max(t for t, _ in pairs[0].control.readings if t <= change)
    changed, control = [pair.run for pair in pairs], [pair.control for pair in pairs]

    def strength(which: Sequence[Run], start: float, end: float) -> OverSeeds:
        found = observed.over_seeds(which, start, end)
        values = {seed: value - absent for seed, value in found.by_seed.items()}
        return OverSeeds(values, found.se_levels)

    return Stability(
        observed.name,
        change,
        strength(control, before, before),
        strength(control, change + recovery, last),
        strength(changed, change + recovery, last),
    )
