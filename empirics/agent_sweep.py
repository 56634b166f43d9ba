"""Sweeps of small agents over arms, conditions and seeds, resumable, into the store."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from empirics.agent_experiment import AgentExperiment
from empirics.agent_run import Cell
from empirics.coerce import whole
from empirics.engine import Lost, each
from empirics.keep import keep_run
from empirics.provenance import git_state, versions_of
from empirics.run import Run
from empirics.store import RunRecord, Store
from theory.curve import Curve

PACKAGES = ("ontogeny", "numpy", "scipy")
Arm = tuple[AgentExperiment, Sequence[Cell]]
"""An experiment, and the cells it is run at: those of `AgentExperiment.grid`, or any others."""
Task = tuple[AgentExperiment, Any, int]
"""An experiment, a cell and a seed."""


def sweep_tasks(arms: Sequence[Arm], seeds: Sequence[int]) -> tuple[Task, ...]:
    """Return the distinct runs of a sweep, ordered by arm, cell, then seed.

    Raises
    ------
    ValueError
        If there are none.
    """
    tasks = dict.fromkeys(
        (experiment, cell, whole("seed", seed, 0))
        for experiment, cells in arms
        for cell in cells
        for seed in seeds
    )
    if not tasks:
        raise ValueError("a sweep needs at least one cell and one seed.")
    return tuple(tasks)


def sweep_agents(
    arms: Sequence[Arm],
    seeds: Sequence[int],
    folder: Path,
    *,
    n_jobs: int = 1,
    on_run: Callable[[int, int, Run], None] | None = None,
) -> tuple[Run, ...]:
    """Run the cells of one or several experiments with every seed.

    The seeds of a cell are trained together, as one task (`empirics.engine`); a run's result does
    not depend on them. A cell is in the store before the next is waited for, and what is there
    is known by the hash of all that decides it, so the same call after a kill trains only what
    is missing, and so does a larger sweep after a smaller one.

    Parameters
    ----------
    arms : sequence of (AgentExperiment, sequence of Cell)
        What to train; arms may be different experiments.
    seeds : sequence of int
        The seeds of every cell.
    folder : Path
        The store.
    n_jobs : int
        Processes at a time on this machine; one is this very process.
    on_run : callable or None
        Called with (runs done, runs in all, the run) for each run: first for those that were
        there, then as they end.

    Returns
    -------
    tuple of Run
        Ordered by arm, cell, then seed; a run that was asked for twice is there once.

    Raises
    ------
    ValueError
        If there is nothing to run, the folder is no store, or cells always killed their process;
        the others are done then, and those are named.
    """
    tasks = sweep_tasks(arms, seeds)
    store = Store(folder)
    stored = _stored(store)
    ids = {task: task[0].identify(task[1], task[2], task[0].schedule) for task in tasks}
    seen = 0

    def told(task: Task) -> None:
        nonlocal seen
        seen += 1
        if on_run:
            on_run(seen, len(tasks), stored[ids[task]])

    missing: dict[tuple[AgentExperiment, Any], list[int]] = {}
    for task in tasks:
        if ids[task] in stored:
            told(task)
        else:
            missing.setdefault(task[:2], []).append(task[2])
    lost = []
    cells = [(experiment, cell, wanted) for (experiment, cell), wanted in missing.items()]
    for index, done in each(_train, cells, n_jobs=n_jobs):
        experiment, cell, wanted = cells[index]
        if isinstance(done, Lost):
            lost.append(f"{experiment.name} {cell.label}: {done.sentence}")
            continue
        _keep(store, experiment, done)
        stored |= {run.run_id: run for run in done}
        for seed in wanted:
            told((experiment, cell, seed))
    if lost:
        said = f"{seen} of {len(tasks)} runs are done and kept in {folder}"
        raise ValueError(f"{said}; {'; '.join(lost)}.")
    return tuple(stored[ids[task]] for task in tasks)


def _train(cell: tuple[AgentExperiment, Cell, Sequence[int]]) -> tuple[Run, ...]:
    """Train the missing seeds of one cell."""
    experiment, settings, seeds = cell
    began = time.perf_counter()
    trained = experiment.train([settings], seeds, updates=experiment.updates)
    wall_seconds = (time.perf_counter() - began) / len(seeds)
    commit, dirty = git_state(Path(__file__).resolve().parents[1])
    return tuple(
        Run(
            one.run,
            one.run_id,
            one.curves[0].conditions,
            one.seed,
            # In the order in which a store gives them back.
            tuple(sorted(one.curves, key=lambda curve: curve.observable)),
            wall_seconds=wall_seconds,
            versions=versions_of(PACKAGES),
            git_commit=f"{commit} (changed)" if commit and dirty else commit or "",
            device=f"cpu {platform.machine()}",
        )
        for one in trained
    )


def _keep(store: Store, experiment: AgentExperiment, done: Sequence[Run]) -> None:
    """Store the runs of a cell."""
    # One file for all curves of a cell, and the runs' own rows last: what has one is complete.
    store.append_curves([curve for run in done for curve in run.curves])
    for run in done:
        keep_run(store, run, source=experiment.name, schedule=experiment.schedule.tolist())


def _stored(store: Store) -> dict[str, Run]:
    """Return the runs that a store holds with their curves, by run_id."""
    curves: dict[str, list[Curve]] = {}
    for curve in store.curves(strict=True).curves:
        curves.setdefault(curve.run_id, []).append(curve)
    return {
        record.run_id: _read_back(record, curves[record.run_id])
        for record in store.runs()
        if record.run_id in curves
    }


def _read_back(record: RunRecord, curves: Sequence[Curve]) -> Run:
    config = record.config
    return Run(
        record.run,
        record.run_id,
        record.conditions,
        int(str(record.conditions.get("seed", 0))),
        tuple(curves),
        status=str(config.get("status", "")),
        wall_seconds=float(config.get("wall_seconds", 0.0)),
        versions=record.versions,
        git_commit=str(config.get("git_commit", "")),
        device=str(config.get("device", "")),
    )
