"""Critical windows: what the same intervention leaves behind, as a curve in its onset."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import final

from empirics.run import Run
from papers.development.matched import LEAD, Observed, matched, same
from papers.development.over_seeds import OverSeeds
from papers.wording import joined, short

ERROR = 0.05
"""Probability, at most, that any of a sentence's intervals misses."""
SMALLEST = 0.05
"""Difference between the effects of two windows that is worth naming."""


@final
@dataclass(frozen=True)
class Effect:
    """What a window left behind.

    Attributes
    ----------
    onset : float
        Environment steps at which the window opens.
    run, control : OverSeeds
        The observable with the window, and without it.
    """

    onset: float
    run: OverSeeds
    control: OverSeeds

    @property
    def difference(self) -> OverSeeds:
        """The run with the window minus the run without."""
        return self.run.minus(self.control)

    def over(self, other: Effect) -> OverSeeds:
        """Return by how much the effect exceeds another, seed by seed.

        A control that both are held against drops out, and its error with it.
        """
        if self.control == other.control:
            return self.run.minus(other.run)
        return self.difference.minus(other.difference)


@final
@dataclass(frozen=True)
class EffectCurve:
    """The lasting effect of one window, as a curve in its onset.

    Attributes
    ----------
    observable : str
    length : float
        Environment steps for which a window is open.
    when : str
        When the effect is measured, in words.
    effects : tuple of Effect
        By onset.
    """

    observable: str
    length: float
    when: str
    effects: tuple[Effect, ...]

    def status(self, smallest: float = SMALLEST) -> str:
        """Say whether at one onset the window does more than at any other.

        It does where all differences to the others, seed by seed, surely exceed `smallest`;
        it does at no onset where all differences are surely within it; otherwise one cannot
        tell. All pairs of onsets together are misjudged with a probability of at most `ERROR`
        (Bonferroni).
        """
        rows = joined([self._said(effect) for effect in self.effects])
        return (
            f"A window of {short(self.length)} env_steps shifts {self.observable} ({self.when}) by "
            f"{rows}: {self._verdict(smallest)}"
        )

    def _said(self, effect: Effect) -> str:
        difference = effect.difference
        certain = abs(difference.mean) > difference.half_width(ERROR / len(self.effects))
        doubt = "" if certain else " (an effect is not certain)"
        return f"{difference} at {short(effect.onset)}{doubt}"

    def _verdict(self, smallest: float) -> str:
        gaps = [one.over(other) for one, other in combinations(self.effects, 2)]
        if not gaps or any(len(gap.by_seed) < 2 for gap in gaps):
            return (
                "CANNOT TELL whether the onset matters; it takes two onsets and two seeds in "
                "common, which say how far others would lie."
            )
        level = ERROR / len(gaps)
        first = max(self.effects, key=lambda effect: abs(effect.difference.mean))
        sign = math.copysign(1.0, first.difference.mean)
        ahead = [first.over(other) for other in self.effects if other is not first]
        if all(sign * gap.mean - gap.half_width(level) > smallest for gap in ahead):
            return (
                f"the onset MATTERS; at {short(first.onset)} it does more than at any other, by "
                f"more than {smallest:g}."
            )
        if all(abs(gap.mean) + gap.half_width(level) <= smallest for gap in gaps):
            return f"the onset does NOT MATTER; no two differ by more than {smallest:g}."
        return "CANNOT TELL whether the onset matters; the errors of the effects overlap."


def effect_curve(
    runs: Sequence[Run],
    observed: Observed = LEAD,
    *,
    recovery: float,
    span: float | None = None,
) -> EffectCurve:
    """Return what windows of equal length and content leave behind, by onset.

    Once the actions differ so do all later draws, so that a difference of one seed holds the
    scatter between two trainings too; only several seeds tell an effect from it.

    Parameters
    ----------
    runs : sequence of Run
        With windows, and their controls (`papers.development.matched`).
    observed : Observed
    recovery : float
        Environment steps after a window that do not count.
    span : float, optional
        If given, every window is measured from `recovery` after its own end on, over so many
        environment steps. Otherwise all are measured at the same checkpoints, from `recovery`
        after the end of the last window until training ends; early windows have then had longer to
        recover.

    Raises
    ------
    ValueError
        If a run has no control, windows differ in more than their onset, there are two runs of
        one onset and seed, or training ends too early.
    """
    pairs = matched(runs)
    same(pairs, ("window_start",))
    latest = max(pair.end for pair in pairs)
    effects = []
    for onset in sorted({pair.start for pair in pairs}):
        chosen = [pair for pair in pairs if pair.start == onset]
        start = (latest if span is None else chosen[0].end) + recovery
        end = chosen[0].last if span is None else start + span
        runs_and_controls = ([pair.run for pair in chosen], [pair.control for pair in chosen])
        effects.append(
            Effect(onset, *(observed.over_seeds(each, start, end) for each in runs_and_controls))
        )
    when = (
        f"from {short(latest + recovery)} env_steps to the end"
        if span is None
        else f"for {short(span)} env_steps, {short(recovery)} after its end"
    )
    return EffectCurve(observed.name, pairs[0].end - pairs[0].start, when, tuple(effects))
