"""An experiment: an environment, a network, an algorithm, and what is measured when."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, final

import numpy as np
from joblib import Parallel, delayed

from empirics.checkpoint import Checkpoint
from empirics.environment import VectorEnvironment
from empirics.networks import NetworkSpec
from empirics.ppo import PPOConfig, train
from empirics.probe import Probe, Reading
from empirics.run import Run
from empirics.store import RunRecord, Store
from theory.curve import Condition

__all__ = ["Experiment", "Run", "log_schedule", "run", "run_ladder"]


class EnvironmentConfig(Protocol):
    """Everything that decides an environment; a frozen value."""

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """The configuration as rows of a ledger."""
        ...

    def make(self, num_envs: int, seed: int) -> VectorEnvironment:
        """Return the training environment."""
        ...


class Shape(NetworkSpec, Protocol):
    """The shape of a policy; a frozen value that can build one and be put on record."""

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """The shape as rows of a ledger."""
        ...


class ProbePlan(Protocol):
    """What is measured on every checkpoint; a frozen value."""

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """The plan as rows of a ledger."""
        ...

    # Any: a plan is made for one kind of environment and asks for its particulars.
    def probes(self, environment: Any) -> tuple[Probe, ...]:
        """Return the probes; equal plans and environments, equal probes."""
        ...


@final
@dataclass(frozen=True)
class Experiment:
    """A training run that is fixed but for its seed.

    Attributes
    ----------
    name : str
    environment : EnvironmentConfig
    network : Shape
    ppo : PPOConfig
    schedule : tuple of int
        Environment steps of the checkpoints; 0 is the freshly initialized network, the
        baseline of every reading.
    plan : ProbePlan
    label : str
        What `at` changed, for people; it decides nothing.
    """

    name: str
    environment: EnvironmentConfig
    network: Shape
    ppo: PPOConfig
    schedule: tuple[int, ...]
    plan: ProbePlan
    label: str = ""

    @property
    def conditions(self) -> dict[str, Condition]:
        """The ledger but for the seed and PPO's settings, which training adds."""
        return {
            "experiment": self.name,
            **self.environment.conditions,
            **self.network.conditions,
            **self.plan.conditions,
        }

    def at(self, **conditions: Condition) -> Experiment:
        """Return the experiment with fields of its environment changed.

        Raises
        ------
        ValueError
            If the environment has no such field; those it has are listed.
        """
        known = sorted(self.environment.conditions)
        unknown = sorted(set(conditions) - set(known))
        if unknown:
            raise ValueError(
                f"experiment {self.name!r} has no condition {', '.join(unknown)} to vary; "
                f"it has {', '.join(known)}."
            )
        changed = replace(self.environment, **conditions)  # type: ignore[type-var]
        said = [self.label, *(f"{name}={value}" for name, value in conditions.items())]
        return replace(self, environment=changed, label=" ".join(filter(None, said)))


def log_schedule(ppo: PPOConfig, num_checkpoints: int) -> tuple[int, ...]:
    """Return 0 and log-spaced environment steps, each the end of another update.

    Early on updates are coarser than log spacing; there every update is taken, and the
    spacing of the rest is what makes the number come out.

    Parameters
    ----------
    ppo : PPOConfig
    num_checkpoints : int
        How many in all, 0 and the end of training included.

    Raises
    ------
    ValueError
        If there are not so many updates.
    """
    if not 3 <= num_checkpoints <= ppo.num_updates + 1:
        raise ValueError(
            f"num_checkpoints must lie between 3 and num_updates + 1 = {ppo.num_updates + 1}; "
            f"it is {num_checkpoints}."
        )
    updates: set[int] = set()
    points = num_checkpoints - 1
    while len(updates) < num_checkpoints - 1:
        updates = set(np.geomspace(1, ppo.num_updates, points).round().astype(int).tolist())
        points += 1
    surplus = len(updates) - (num_checkpoints - 1)
    kept = sorted(updates)[surplus:] if surplus else sorted(updates)
    return tuple(update * ppo.batch_size for update in (0, *kept))


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
    done = _train(experiment, seed, folder)
    if store:
        _keep(store, experiment, done)
    return done


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
    """Run an experiment over the values of a condition and over seeds.

    One one-thread process a run. A run's result depends on its experiment and seed alone,
    not on `n_jobs` or on what runs beside it. Every run that ends is in the store before the
    next is waited for, so the same call after a kill computes only what is missing.

    Parameters
    ----------
    experiment : Experiment
    condition : str
        Field of the environment to vary, e.g. ``"alpha"``.
    values : sequence
        The rungs.
    seeds : sequence of int
        The seeds of every rung.
    folder : Path
        The store.
    n_jobs : int
        Processes at a time.
    on_run : callable or None
        Called with (runs done, runs in all, the run) as each one ends.

    Returns
    -------
    tuple of Run
        Ordered by rung, then seed.
    """
    tasks = [(experiment.at(**{condition: value}), seed) for value in values for seed in seeds]
    if not tasks:
        raise ValueError("a ladder needs at least one value and one seed.")
    store = Store(folder)
    parallel = Parallel(n_jobs=min(n_jobs, len(tasks)), return_as="generator_unordered")
    found: dict[int, Run] = {}
    for index, done in parallel(
        delayed(_task)(index, one, seed, folder) for index, (one, seed) in enumerate(tasks)
    ):
        found[index] = done
        _keep(store, tasks[index][0], done)
        if on_run:
            on_run(len(found), len(tasks), done)
    return tuple(found[index] for index in range(len(tasks)))


def _task(index: int, experiment: Experiment, seed: int, folder: Path) -> tuple[int, Run]:
    return index, _train(experiment, seed, folder)


def _train(experiment: Experiment, seed: int, folder: Path | None) -> Run:
    environment, num_envs = experiment.environment, experiment.ppo.num_envs
    probes = experiment.plan.probes(environment)

    def measure(checkpoint: Checkpoint) -> Mapping[str, Reading]:
        return {k: v for probe in probes for k, v in probe(checkpoint.policy).items()}

    return train(
        lambda environment_seed: environment.make(num_envs, environment_seed),
        experiment.network,
        experiment.ppo,
        seed=seed,
        schedule=experiment.schedule,
        folder=folder,
        on_checkpoint=measure,
        run=" ".join(filter(None, [experiment.name, experiment.label, f"seed={seed}"])),
        conditions=experiment.conditions,
    )


def _keep(store: Store, experiment: Experiment, done: Run) -> None:
    """Store a finished run; one that is there already stays as it is."""
    store.append_curves(done.curves)
    store.append_run(
        RunRecord(
            done.run,
            done.run_id,
            source=experiment.name,
            versions=done.versions,
            config={"schedule": list(experiment.schedule), "errors": _shared_errors(done)},
            conditions=done.conditions,
        )
    )


def _shared_errors(done: Run) -> dict[str, dict[str, Any]]:
    """Return what the curves do not carry: the last se over levels, and the baselines."""
    return {
        name: {"se": last.se, "n_levels": last.n_levels, "baselines": dict(last.baselines)}
        for name, last in (done.readings[-1][1] if done.readings else {}).items()
    }
