"""An experiment on small agents: seeds and rungs trained as one array, curves to the store."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Protocol, final

from empirics.agent_run import AgentRun, Cell
from empirics.coerce import whole
from empirics.cue_competition import log_schedule
from empirics.keep import keep_run
from empirics.provenance import git_state, versions_of
from empirics.run import Run
from empirics.run_stream import run_id_of
from empirics.store import RunRecord, Store
from theory.curve import Condition, Curve, IntArray

PACKAGES = ("ontogeny", "numpy", "scipy")
Task = tuple[Any, int]
"""A cell and a seed."""


class Train(Protocol):
    """What trains cells with seeds."""

    # Any: it is made for one kind of cell.
    def __call__(
        self, cells: Sequence[Any], seeds: Sequence[int], *, updates: int
    ) -> tuple[AgentRun, ...]:
        """Return one run a cell and seed."""
        ...


@final
@dataclass(frozen=True)
class AgentExperiment:
    """A small agent and its task, with the ladder that is run unless another is asked for.

    Attributes
    ----------
    name : str
    cell : Cell
        A frozen dataclass of settings.
    train : Train
    updates : int
        Length of a run.
    condition : str
        Field of the cell that is varied.
    values : tuple
        The rungs.
    num_seeds : int
        Runs a rung.
    """

    name: str
    cell: Cell
    train: Train
    updates: int
    condition: str
    values: tuple[Condition, ...]
    num_seeds: int

    @property
    def conditions(self) -> dict[str, Condition]:
        """The ledger but for the seed."""
        return {k: v for k, v in self.cell.conditions(0).items() if k != "seed"}

    @property
    def length(self) -> str:
        """How long a run is, and how many there are."""
        rungs = ", ".join(str(value) for value in self.values)
        return (
            f"{self.updates:,} updates; {self.num_seeds} seeds at each {self.condition} of {rungs}"
        )

    @property
    def rungs(self) -> tuple[str, tuple[Condition, ...]]:
        """The condition that is varied unless another is, and its values."""
        return self.condition, self.values

    @property
    def schedule(self) -> IntArray:
        """The updates at which curves are recorded."""
        return log_schedule(self.updates)

    def cell_at(self, condition: str, value: Condition) -> Cell:
        """Return the cell with one setting changed.

        Raises
        ------
        ValueError
            If it has no such setting (those it has are listed), or it cannot have this value.
        """
        cell: Any = self.cell
        known = sorted(field.name for field in fields(cell))
        if condition not in known:
            raise ValueError(
                f"experiment {self.name!r} has no condition {condition} to vary; "
                f"it has {', '.join(known)}."
            )
        changed: Cell = replace(cell, **{condition: value})
        return changed


def agent_tasks(
    experiment: AgentExperiment,
    condition: str,
    values: Sequence[Condition],
    seeds: Sequence[int],
) -> tuple[Task, ...]:
    """Return the distinct runs of a ladder, ordered by rung, then seed.

    Raises
    ------
    ValueError
        If there are none, or the cell cannot have such a condition.
    """
    cells = dict.fromkeys(experiment.cell_at(condition, value) for value in values)
    tasks = dict.fromkeys((cell, whole("seed", seed, 0)) for cell in cells for seed in seeds)
    if not tasks:
        raise ValueError("a ladder needs at least one value and one seed.")
    return tuple(tasks)


def run_agents(
    experiment: AgentExperiment,
    condition: str,
    values: Sequence[Condition],
    seeds: Sequence[int],
    folder: Path,
    *,
    on_run: Callable[[int, int, Run], None] | None = None,
) -> tuple[Run, ...]:
    """Run an experiment over the values of a condition and over seeds, in this process.

    The seeds of a rung are trained together; a run's result does not depend on them. A rung is
    in the store before the next begins, so the same call after a kill trains only what is
    missing.

    Parameters
    ----------
    experiment : AgentExperiment
    condition : str
        Setting of the cell to vary.
    values : sequence
        The rungs.
    seeds : sequence of int
        The seeds of every rung.
    folder : Path
        The store.
    on_run : callable or None
        Called with (runs done, runs in all, the run) for each run.

    Returns
    -------
    tuple of Run
        Ordered by rung, then seed; a run that was asked for twice is there once.

    Raises
    ------
    ValueError
        If the cell cannot have such a condition, or the folder is no store.
    """
    tasks = agent_tasks(experiment, condition, values, seeds)
    store = Store(folder)
    stored, runs = _stored(store), []
    for cell in dict.fromkeys(cell for cell, _ in tasks):
        wanted = [seed for other, seed in tasks if other == cell]
        ids = {seed: run_id_of(cell, seed, experiment.schedule) for seed in wanted}
        missing = [seed for seed in wanted if ids[seed] not in stored]
        stored |= _train(experiment, cell, missing, store)
        for seed in wanted:
            runs.append(stored[ids[seed]])
            if on_run:
                on_run(len(runs), len(tasks), runs[-1])
    return tuple(runs)


def _train(
    experiment: AgentExperiment, cell: Cell, seeds: Sequence[int], store: Store
) -> dict[str, Run]:
    """Train the seeds of one rung and keep them; return the runs by run_id."""
    if not seeds:
        return {}
    began = time.perf_counter()
    trained = experiment.train([cell], seeds, updates=experiment.updates)
    wall_seconds = (time.perf_counter() - began) / len(seeds)
    commit, dirty = git_state(Path(__file__).resolve().parents[1])
    done = {
        each.run_id: Run(
            each.run,
            each.run_id,
            each.curves[0].conditions,
            each.seed,
            each.curves,
            wall_seconds=wall_seconds,
            versions=versions_of(PACKAGES),
            git_commit=f"{commit} (changed)" if commit and dirty else commit or "",
            device=f"cpu {platform.machine()}",
        )
        for each in trained
    }
    # One file for all curves of a rung, and the runs' own rows last: what has one is complete.
    store.append_curves([curve for run in done.values() for curve in run.curves])
    for run in done.values():
        keep_run(store, run, source=experiment.name, schedule=experiment.schedule.tolist())
    return done


def _stored(store: Store) -> dict[str, Run]:
    """Return the runs that a store holds with their curves, by run_id."""
    curves: dict[str, list[Curve]] = {}
    for curve in store.curves().curves:
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
