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

CERTAIN = 0.95
"""Posterior probability from which a flip or a peak is called seen."""


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
    flip : Crossing
        Posterior of the env_steps after which the fitted P(goal step) stays above the
        fitted P(proxy step).
    onset : Onset
        The same bracketed between checkpoints, from the measured points alone.
    """

    run: Run
    alpha: float
    comparisons: tuple[Comparison, ...]
    flip: Crossing
    onset: Onset

    def comparison(self, observable: str) -> Comparison:
        """Return the comparison of one observable."""
        return next(c for c in self.comparisons if c.curve.observable == observable)

    @property
    def bump(self) -> Peak | None:
        """The peak of P(proxy step), if its fitted curves rise and fall."""
        found = self.comparison(PROXY).stages
        return None if found is None else found.peak

    @property
    def flipped(self) -> bool:
        """Whether the fitted curves say that the goal won for good after the proxy led."""
        return 1.0 - self.flip.never - self.flip.always >= CERTAIN


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
    by_name = {c.curve.observable: c for c in comparisons}
    grid = family_grid(run.curve(GOAL).t)
    goal, proxy = (mixture_draws(by_name[name], grid) for name in (GOAL, PROXY))
    flip = crossing_times(grid, goal, proxy, rng=np.random.default_rng(seed))
    alpha = run.conditions["alpha"]
    if not isinstance(alpha, int | float):
        raise ValueError(f"run {run.run!r} has no numeric alpha; it is {alpha!r}.")
    return MazeRun(run, float(alpha), comparisons, flip, lasting_onset(lead(run), 0.0))


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
