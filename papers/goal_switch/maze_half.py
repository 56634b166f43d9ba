"""The second half of the study: maze agents whose goal switches, read off their fitted curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from empirics.run import Run
from fitting.comparison import Comparison
from fitting.crossing import Crossing, crossing_times
from fitting.mixture import mixture_draws
from fitting.stages import Peak
from papers.proposals import Progress, propose_all
from theory.curve import Curve
from theory.family import family_grid
from theory.onset import Onset, lasting_onset

GOAL, PROXY, BLIND = "p_goal", "p_proxy", "p_proxy_without_goal"
TRAINING = "success_on_distribution"
FITTED = (
    PROXY,
    GOAL,
    BLIND,
    TRAINING,
    "success_off_distribution",
    "episodic_return_on_distribution",
    "policy_entropy",
)
"""Observables to which forms are fitted."""


@final
@dataclass(frozen=True)
class MazeRun:
    """What one run of the maze says about the switch.

    Attributes
    ----------
    run : Run
    alpha : float
        Share of training levels with the cheese anywhere.
    comparisons : tuple of Comparison
        One for each fitted observable.
    onset : Onset
        The env_steps after which the measured P(goal step) stays above the measured
        P(proxy step), bracketed between checkpoints: the switch itself.
    flip : Crossing or None
        Posterior of the same of the fitted curves; None where one could not be fitted.
    reason : str
        Why there is no `flip`; empty if there is one.
    """

    run: Run
    alpha: float
    comparisons: tuple[Comparison, ...]
    onset: Onset
    flip: Crossing | None
    reason: str = ""

    def comparison(self, observable: str) -> Comparison:
        """Return the comparison of one observable."""
        return next(c for c in self.comparisons if c.curve.observable == observable)

    @property
    def bump(self) -> Peak | None:
        """The peak of P(proxy step), if its fitted curves rise and fall."""
        found = self.comparison(PROXY).stages
        return None if found is None else found.peak

    @property
    def led_by_proxy(self) -> bool:
        """Whether the proxy led, or drew level, at any checkpoint."""
        return bool((lead(self.run).y <= 0).any())


def analyze_runs(runs: Sequence[Run], *, seed: int, progress: Progress) -> tuple[MazeRun, ...]:
    """Fit every form to every curve and date each run's switch.

    Parameters
    ----------
    runs : sequence of Run
        Runs of the maze, with `FITTED` observables.
    seed : int
        Drives the Monte-Carlo part of the fits.
    progress : callable
        Told (label, done, total).
    """
    curves = [run.curve(observable) for run in runs for observable in FITTED]
    comparisons = propose_all(curves, seed=seed, progress=progress)
    size = len(FITTED)
    return tuple(
        _analyze(run, comparisons[i * size : (i + 1) * size], seed) for i, run in enumerate(runs)
    )


def _analyze(run: Run, comparisons: tuple[Comparison, ...], seed: int) -> MazeRun:
    alpha = run.conditions["alpha"]
    if not isinstance(alpha, int | float):
        raise ValueError(f"run {run.run!r} has no numeric alpha; it is {alpha!r}.")
    onset = lasting_onset(lead(run), 0.0)
    try:
        flip, reason = _flip(run, comparisons, seed), ""
    except ValueError as error:
        # Hours of training are not lost to one curve that cannot be fitted.
        flip, reason = None, str(error)
    return MazeRun(run, float(alpha), comparisons, onset, flip, reason)


def _flip(run: Run, comparisons: tuple[Comparison, ...], seed: int) -> Crossing:
    by_name = {c.curve.observable: c for c in comparisons}
    grid = family_grid(run.curve(GOAL).t)
    goal, proxy = (mixture_draws(by_name[name], grid) for name in (GOAL, PROXY))
    return crossing_times(grid, goal, proxy, rng=np.random.default_rng(seed))


def lead(run: Run) -> Curve:
    """Return P(goal step) - P(proxy step) of a run: above 0 the goal leads."""
    goal, proxy = run.curve(GOAL), run.curve(PROXY)
    return Curve(
        "lead_of_goal",
        goal.t,
        goal.y - proxy.y,
        progress=goal.progress,
        run=run.run,
        run_id=run.run_id,
        conditions=goal.conditions,
        origin=goal.origin,
    )
