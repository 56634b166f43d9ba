"""Tasks: experiments with a seed, run one by one, over a ladder, or all together into a store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import final

from empirics.checkpoint import Checkpoint
from empirics.coerce import whole
from empirics.engine import Lost, each
from empirics.experiment import Experiment
from empirics.keep import keep
from empirics.probe import Probe, Reading
from empirics.run import Run
from empirics.store import Store
from empirics.train import train
from theory.curve import Condition


def run(experiment: Experiment, seed: int, folder: Path | None = None) -> Run:
    """Train and probe one agent, on one thread.

    Parameters
    ----------
    experiment : Experiment
    seed : int
    folder : Path or None
        The store that keeps the checkpoints, the run and its curves. The same call goes on
        where a killed one stopped, and reads back a finished one.
    """
    store = Store(folder) if folder else None
    done = _train(Task(experiment, seed), folder)
    if store:
        keep(store, done, source=experiment.name, schedule=experiment.schedule)
    return done


@final
@dataclass(frozen=True)
class Task:
    """One run of a ladder, before it is run."""

    experiment: Experiment
    seed: int

    def __str__(self) -> str:
        return f"{self.experiment.name_and_label} seed={self.seed}"


def ladder_tasks(
    experiment: Experiment, condition: str, values: Sequence[Condition], seeds: Sequence[int]
) -> tuple[Task, ...]:
    """Return the distinct runs of a ladder, ordered by rung, then seed.

    Raises
    ------
    ValueError
        If there are none, or the environment cannot have such a condition.
    """
    return sweep_runs(experiment, [{condition: value} for value in values], seeds)


def sweep_runs(
    experiment: Experiment, points: Sequence[Mapping[str, Condition]], seeds: Sequence[int]
) -> tuple[Task, ...]:
    """Return the distinct runs of an experiment at points of a sweep, by point, then seed.

    Raises
    ------
    ValueError
        If there are none, or the environment cannot have such conditions.
    """
    rungs = [experiment.at(**point) for point in points]
    tasks = dict.fromkeys(Task(rung, whole("seed", seed, 0)) for rung in rungs for seed in seeds)
    if not tasks:
        raise ValueError("a sweep needs at least one value and one seed.")
    return tuple(tasks)


def run_ladder(
    experiment: Experiment,
    condition: str,
    values: Sequence[Condition],
    seeds: Sequence[int],
    folder: Path,
    *,
    n_jobs: int = 1,
    on_run: Callable[[int, int, Run], None] | None = None,
) -> tuple[Run, ...]:
    """Run an experiment over the values of a condition and over seeds (`run_tasks`).

    Parameters
    ----------
    experiment : Experiment
    condition : str
        Field of the environment to vary, e.g. ``"alpha"``.
    values : sequence
        The rungs.
    seeds : sequence of int
        The seeds of every rung.
    folder, n_jobs, on_run
        As in `run_tasks`.

    Returns
    -------
    tuple of Run
        Ordered by rung, then seed; a run that was asked for twice is there once.

    Raises
    ------
    ValueError, OSError
        As `run_tasks`.
    """
    tasks = ladder_tasks(experiment, condition, values, seeds)
    return run_tasks(tasks, folder, n_jobs=n_jobs, on_run=on_run)


def run_tasks(
    tasks: Sequence[Task],
    folder: Path,
    *,
    n_jobs: int = 1,
    on_run: Callable[[int, int, Run], None] | None = None,
) -> tuple[Run, ...]:
    """Run tasks, also of several experiments, into one store.

    One one-thread process a run (`empirics.engine`). A run's result depends on its experiment
    and seed alone, not on `n_jobs`, on the backend or on what runs beside it. Every run that ends
    is in the store before the next is waited for, so the same call after a kill computes only
    what is missing. Runs that fail, or that always kill their process, do not keep the others
    from being done.

    Parameters
    ----------
    tasks : sequence of Task
        Distinct.
    folder : Path
        The store.
    n_jobs : int
        Processes at a time on this machine.
    on_run : callable or None
        Called with (runs done, runs in all, the run) as each one ends.

    Returns
    -------
    tuple of Run
        In the order of the tasks.

    Raises
    ------
    ValueError
        If runs failed; what is done is counted, and the failed runs are named.
    OSError
        If what is done cannot be kept, because the disk is full, say.
    """
    store = Store(folder)
    runs: dict[Task, Run] = {}
    failed: dict[Task, str] = {}
    for index, done in each(partial(_run_task, folder=folder.resolve()), tasks, n_jobs=n_jobs):
        task = tasks[index]
        if isinstance(done, Run):
            keep(store, done, source=task.experiment.name, schedule=task.experiment.schedule)
            runs[task] = done
            if on_run:
                on_run(len(runs), len(tasks), done)
        else:
            failed[task] = done.sentence if isinstance(done, Lost) else done
    if failed:
        raise ValueError(_what_failed(tasks, failed, folder))
    return tuple(runs[task] for task in tasks)


def _run_task(task: Task, folder: Path) -> Run | str:
    """Return the run, or the sentence why there is none."""
    try:
        return _train(task, folder)
    except (ValueError, OSError) as error:
        return str(error)


def _what_failed(tasks: Sequence[Task], failed: Mapping[Task, str], folder: Path) -> str:
    said = "; ".join(f"{task}: {failed[task].rstrip('.')}" for task in tasks if task in failed)
    done = len(tasks) - len(failed)
    return f"{done} of {len(tasks)} runs are done and kept in {folder}; {said}."


def _train(task: Task, folder: Path | None) -> Run:
    experiment = task.experiment
    environment, num_envs = experiment.environment, experiment.algorithm.num_envs
    probes = experiment.plan.probes(environment)

    return train(
        lambda environment_seed: environment.make(num_envs, environment_seed),
        experiment.network,
        experiment.algorithm,
        seed=task.seed,
        schedule=experiment.schedule,
        folder=folder,
        on_checkpoint=lambda checkpoint: _measure(probes, checkpoint),
        run=str(task),
        conditions=experiment.conditions,
    )


def _measure(probes: Sequence[Probe], checkpoint: Checkpoint) -> dict[str, Reading]:
    readings: dict[str, Reading] = {}
    for probe in probes:
        try:
            readings.update(probe(checkpoint.policy))
        except ValueError as error:
            raise ValueError(f"probe {probe.name!r}: {error}") from error
    return readings
