"""Runs with a window of training in which something was changed, each beside its control."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from empirics.probe import Reading
from empirics.run import Run
from papers.development.over_seeds import OverSeeds
from theory.curve import Condition

OF_WINDOW = ("window_start", "window_length", "window_alpha", "window_rewarded")
"""Conditions in which a run may differ from its control."""


@final
@dataclass(frozen=True)
class Observed:
    """A weighted sum of a run's observables, such as P(goal step) − P(proxy step).

    Attributes
    ----------
    weights : mapping of str to float
        Weight of each observable.
    """

    weights: Mapping[str, float]

    @property
    def name(self) -> str:
        """What it is, in a phrase."""
        said = [f"{'-' if w < 0 else '+'} {_times(abs(w))}{n}" for n, w in self.weights.items()]
        return " ".join(said).removeprefix("+ ")

    def at(self, readings: Mapping[str, Reading]) -> tuple[float, float]:
        """Return the value of a checkpoint, and its standard error over levels at most.

        The same levels are behind every observable. How these vary together is not recorded, so
        the error is its largest: standard deviations of sums are at most sums of these. It is
        infinite where a reading has none.
        """
        value = sum(w * readings[name].value for name, w in self.weights.items())
        errors = {name: readings[name].se for name in self.weights}
        if any(se is None for se in errors.values()):
            return value, math.inf
        return value, sum(abs(w) * (errors[name] or 0.0) for name, w in self.weights.items())

    def mean(self, run: Run, start: float, end: float) -> tuple[float, float]:
        """Return the mean over the checkpoints from `start` to `end`, and its largest error.

        Raises
        ------
        ValueError
            If the run has no such checkpoint, or none that reads the observables.
        """
        found = [
            self.at(readings)
            for t, readings in run.readings
            if start <= t <= end and self.weights.keys() <= readings.keys()
        ]
        if not found:
            raise ValueError(
                f"run {run.run!r} has no checkpoint between {start:g} and {end:g} env_steps that "
                f"reads {', '.join(sorted(self.weights))}; ask for another time or observable."
            )
        values, errors = zip(*found, strict=True)
        return sum(values) / len(values), sum(errors) / len(errors)

    def over_seeds(self, runs: Sequence[Run], start: float, end: float) -> OverSeeds:
        """Return each run's mean over the checkpoints from `start` to `end`.

        Raises
        ------
        ValueError
            If a run has no such checkpoint, or two runs have one seed.
        """
        found = {run.seed: self.mean(run, start, end) for run in runs}
        if len(found) < len(runs):
            raise ValueError(
                f"{len(runs)} runs of one kind have {len(found)} different seeds; pass one run a "
                "seed."
            )
        errors = [se for _, se in found.values()]
        return OverSeeds({s: value for s, (value, _) in found.items()}, sum(errors) / len(errors))


def _times(weight: float) -> str:
    return "" if weight == 1 else f"{weight:g} "


LEAD = Observed({"p_goal": 1.0, "p_proxy": -1.0})
"""P(goal step) − P(proxy step) at decision squares: above 0 the goal leads."""


@final
@dataclass(frozen=True)
class Pair:
    """A run with a window, and the same run without it."""

    run: Run
    control: Run

    @property
    def start(self) -> float:
        """Environment steps at which the window opens."""
        return float(str(self.run.conditions["window_start"]))

    @property
    def end(self) -> float:
        """Environment steps at which the window closes, or would have."""
        return self.start + float(str(self.run.conditions["window_length"]))

    @property
    def last(self) -> float:
        """Environment steps of the last checkpoint."""
        return float(self.run.readings[-1][0])


def matched(runs: Sequence[Run]) -> tuple[Pair, ...]:
    """Return each run with a window beside its control, in the order of the runs.

    The control has window_length 0 or no window at all, and all other conditions are equal, the
    seed and the length of training among them.

    Raises
    ------
    ValueError
        If a run has no control, or differs from it before its window opens.
    """
    windowed = [run for run in runs if run.conditions.get("window_length", 0)]
    controls = {_key(run): run for run in runs if not run.conditions.get("window_length", 0)}
    for run in windowed:
        if _key(run) not in controls:
            raise ValueError(
                f"run {run.run!r} has no control: a run that differs in {', '.join(OF_WINDOW)} "
                "alone and whose window_length is 0. Train one with the same seed."
            )
    return tuple(_checked(Pair(run, controls[_key(run)])) for run in windowed)


def _key(run: Run) -> frozenset[tuple[str, Condition]]:
    return frozenset((n, value) for n, value in run.conditions.items() if n not in OF_WINDOW)


def _checked(pair: Pair) -> Pair:
    before = _readings(pair.run, lambda t: t <= pair.start)
    if before != _readings(pair.control, lambda t: t <= pair.start):
        raise ValueError(
            f"run {pair.run.run!r} and its control differ before the window opens at "
            f"{pair.start:g} env_steps; train both by the same software on the same device."
        )
    times = [t for t, _ in pair.run.readings]
    if times != [t for t, _ in pair.control.readings]:
        raise ValueError(
            f"run {pair.run.run!r} and its control were measured at different times; train both "
            "to the end with one schedule."
        )
    return pair


def _readings(run: Run, chosen: Callable[[float], bool]) -> list[tuple[int, dict[str, float]]]:
    return [
        (t, {name: reading.value for name, reading in found.items()})
        for t, found in run.readings
        if chosen(t)
    ]


def same(pairs: Sequence[Pair], names: Sequence[str]) -> None:
    """Check that pairs agree in all conditions of their windows but those named, and but the seed.

    Raises
    ------
    ValueError
        If there is no pair, or they differ; the conditions are named.
    """
    if not pairs:
        raise ValueError("no run has a window; window_length is 0 in all, or missing.")
    ledgers = [pair.run.conditions for pair in pairs]
    every = sorted({name for ledger in ledgers for name in ledger} - {"seed", *names})
    differ = [name for name in every if any(x.get(name) != ledgers[0].get(name) for x in ledgers)]
    if differ:
        raise ValueError(f"the windows also differ in {', '.join(differ)}; pass runs that agree.")
