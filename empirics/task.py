"""Tasks: experiments with a seed, run one by one, over a ladder, or all together into a store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import final

from joblib import Parallel, delayed

from empirics.checkpoint import Checkpoint
from empirics.coerce import whole
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
    rungs = [experiment.at(**{condition: value}) for value in values]
    tasks = dict.fromkeys(Task(rung, whole("seed", seed, 0)) for rung in rungs for seed in seeds)
    if not tasks:
        raise ValueError("a ladder needs at least one value and one seed.")
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

    One one-thread process a run. A run's result depends on its experiment and seed alone,
    not on `n_jobs` or on what runs beside it. Every run that ends is in the store before the
    next is waited for, so the same call after a kill computes only what is missing. Runs that
    fail do not keep the others from being done.

    Parameters
    ----------
    tasks : sequence of Task
        Distinct.
    folder : Path
        The store.
    n_jobs : int
        Processes at a time.
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
        If runs are missing because worker processes were killed, twice.
    """
    store = Store(folder)
    found: dict[Task, Run | str] = {}
    for attempt in (1, 2):
        try:
            for task, done in _attempt([t for t in tasks if t not in found], folder, n_jobs):
                found[task] = done
                if isinstance(done, Run):
                    experiment = task.experiment
                    keep(store, done, source=experiment.name, schedule=experiment.schedule)
                    if on_run:
                        on_run(_count(found), len(tasks), done)
            break
        except BrokenExecutor:  # of a pool that lost a worker; what it had is in the snapshots
            if attempt == 2:
                raise OSError(_what_is_missing(tasks, found, folder)) from None
    runs = [done for done in (found[task] for task in tasks) if isinstance(done, Run)]
    if len(runs) < len(tasks):
        raise ValueError(_what_failed(tasks, found, folder))
    return tuple(runs)


def _attempt(tasks: Sequence[Task], folder: Path, n_jobs: int) -> Iterable[tuple[Task, Run | str]]:
    """Yield each task with its run, or the sentence why there is none, as it ends."""
    if not tasks:
        return ()
    parallel = Parallel(n_jobs=min(n_jobs, len(tasks)), return_as="generator_unordered")
    done: Iterable[tuple[Task, Run | str]] = parallel(
        delayed(_run_task)(task, folder) for task in tasks
    )
    return done


def _run_task(task: Task, folder: Path) -> tuple[Task, Run | str]:
    try:
        return task, _train(task, folder)
    except (ValueError, OSError) as error:
        return task, str(error)


def _count(found: Mapping[Task, Run | str]) -> int:
    return sum(isinstance(done, Run) for done in found.values())


def _what_is_missing(tasks: Sequence[Task], found: Mapping[Task, Run | str], folder: Path) -> str:
    missing = "; ".join(str(task) for task in tasks if not isinstance(found.get(task), Run))
    return (
        f"worker processes were killed twice (is there too little memory?); {_count(found)} of "
        f"{len(tasks)} runs are done and kept in {folder}, missing are {missing}. The same "
        "command goes on; fewer jobs at a time need less memory."
    )


def _what_failed(tasks: Sequence[Task], found: Mapping[Task, Run | str], folder: Path) -> str:
    reasons = [(task, done) for task in tasks if not isinstance(done := found[task], Run)]
    said = "; ".join(f"{task}: {reason.rstrip('.')}" for task, reason in reasons)
    return f"{_count(found)} of {len(tasks)} runs are done and kept in {folder}; {said}."


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
