"""Training small agents of one kind: runs that are alike go through one engine together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from empirics.agent_run import AgentRun, Support, record
from empirics.coerce import whole
from empirics.cue_competition import log_schedule
from theory.curve import FloatArray, IntArray, Progress

Jobs = Sequence[tuple[Any, int]]
"""The cell and the seed of each run."""
Measured = Mapping[str, FloatArray]
"""Curves (n_runs, n) by observable."""


class Engine(Protocol):
    """What trains runs together."""

    def __call__(
        self, jobs: Jobs, t: IntArray, *, only_onsets: bool = False
    ) -> tuple[Measured, FloatArray]:
        """Return what is measured at updates `t`, and onsets (n_runs,), infinite where none."""
        ...


EngineOf = Callable[[Any], tuple[Engine, Hashable]]
"""From a cell to its engine and to what runs must share to be trained together."""


class Agents(Protocol):
    """The runs of a group while they train."""

    def started(self) -> FloatArray:
        """Return what has its onset at 1/2, (n_runs,)."""
        ...

    def measure(self) -> Measured:
        """Return what is recorded now, (n_runs,) by observable."""
        ...


def train_agents(
    cells: Sequence[Any],
    seeds: Sequence[int],
    engine_of: EngineOf,
    *,
    updates: int,
    checkpoints: int,
    observables: Collection[str] | None = None,
    supports: Mapping[str, Support] | None = None,
    progress: Progress = Progress.UPDATES,
) -> tuple[AgentRun, ...]:
    """Train one agent a cell and seed, in the order of cells, then seeds.

    Parameters
    ----------
    cells, seeds : sequences
        Every cell is run with every seed.
    engine_of : callable
        From a cell to (engine, what runs that it trains together must share).
    updates, checkpoints : int
        Length of a run, and number of log-spaced updates at which curves are recorded.
    observables : collection of str or None
        Those of the measured ones that are recorded; all unless given.
    supports : mapping or None
        Range of each observable that is no chance.
    progress : Progress
        What an update is counted as.

    Raises
    ------
    ValueError
        If a number is not whole or too small.
    """
    t = log_schedule(updates, checkpoints)
    jobs = [(cell, whole("seed", seed, 0)) for cell in cells for seed in seeds]
    measured, onsets = _train(jobs, t, engine_of)
    return tuple(
        record(
            *job,
            t,
            {name: y for name, y in each.items() if observables is None or name in observables},
            float(onset),
            supports=supports or {},
            progress=progress,
        )
        for job, each, onset in zip(jobs, measured, onsets, strict=True)
    )


def agent_onsets(
    cell: Any, n_seeds: int, seed: int, updates: int, engine_of: EngineOf
) -> FloatArray:
    """Return the exact onsets (n_seeds,) of the runs with seeds from `seed` on.

    Raises
    ------
    ValueError
        If a number is not whole or too small.
    """
    first, number = whole("seed", seed, 0), whole("n_seeds", n_seeds, 1)
    t = np.array([0, whole("updates", updates, 1)])
    jobs = [(cell, first + k) for k in range(number)]
    return _train(jobs, t, engine_of, only_onsets=True)[1]


def _train(
    jobs: Jobs, t: IntArray, engine_of: EngineOf, only_onsets: bool = False
) -> tuple[list[dict[str, FloatArray]], FloatArray]:
    """Return the curves of each run by observable, and onsets (n_runs,)."""
    measured: list[dict[str, FloatArray]] = [{} for _ in jobs]
    onsets = np.empty(len(jobs))
    groups: dict[tuple[Engine, Hashable], list[int]] = {}
    for index, (cell, _) in enumerate(jobs):
        groups.setdefault(engine_of(cell), []).append(index)
    for (engine, _), members in groups.items():
        curves, onsets[members] = engine([jobs[i] for i in members], t, only_onsets=only_onsets)
        for row, index in enumerate(members):
            measured[index] = {name: y[row] for name, y in curves.items()}
    return measured, onsets


def follow(
    agents: Agents, updates: Iterator[None], t: IntArray, *, only_onsets: bool
) -> tuple[Measured, FloatArray]:
    """Train a group update by update, each made by taking one more of `updates`; see `Engine`.

    Raises
    ------
    ValueError
        If training diverges.
    """
    kept: dict[str, list[FloatArray]] = {}
    moments = set(t.tolist())
    onsets = np.where(agents.started() >= 0.5, 0.0, np.inf)
    with np.errstate(over="ignore", invalid="ignore"):  # what diverges is said when it is kept
        for done in range(int(t[-1]) + 1):
            if done:
                next(updates)
                onsets[(agents.started() >= 0.5) & np.isinf(onsets)] = done
            if done in moments:
                _keep(agents.measure(), kept)
            if only_onsets and np.isfinite(onsets).all():
                break
    return {name: np.stack(rows, axis=1) for name, rows in kept.items()}, onsets


def _keep(measured: Measured, kept: dict[str, list[FloatArray]]) -> None:
    for name, y in measured.items():
        if not np.isfinite(y).all():
            raise ValueError(f"training diverged, {name} is {y.max()}; make learning_rate smaller.")
        kept.setdefault(name, []).append(y)
