"""Training: agents act, learn by their algorithm, and leave checkpoints and curves behind.

Letters in shapes: S seeds, B observations, A actions.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from torch import nn

from empirics.algorithm import AbstractAlgorithm
from empirics.coerce import whole
from empirics.job import Job, Measure, Start, job_of, start_of
from empirics.networks import MLPSpec, NetworkSpec
from empirics.one_thread import one_thread
from empirics.rollout import collect
from empirics.run import Run
from empirics.team import Team, still_training, take_checkpoint, take_snapshot, team_of
from empirics.training import MakeEnvironment, finished_run
from theory.curve import Condition

SNAPSHOT_SECONDS = 60.0
"""Longest training, in seconds, that a kill between two checkpoints can lose."""


def train(
    make_environment: MakeEnvironment,
    network: nn.Module | NetworkSpec,
    config: AbstractAlgorithm,
    *,
    seed: int,
    schedule: tuple[int, ...] = (),
    folder: Path | None = None,
    on_checkpoint: Measure | None = None,
    device: str = "cpu",
    run: str = "",
    conditions: Mapping[str, Condition] | None = None,
    fresh: bool = True,
) -> Run:
    """Train one agent; see `train_seeds`."""
    (result,) = train_seeds(
        make_environment,
        network,
        config,
        seeds=(seed,),
        schedule=schedule,
        folder=folder,
        on_checkpoint=on_checkpoint,
        device=device,
        run=run,
        conditions=conditions,
        fresh=fresh,
    )
    return result


def train_seeds(
    make_environment: MakeEnvironment,
    network: nn.Module | NetworkSpec,
    config: AbstractAlgorithm,
    *,
    seeds: Sequence[int],
    schedule: tuple[int, ...] = (),
    folder: Path | None = None,
    on_checkpoint: Measure | None = None,
    device: str = "cpu",
    run: str = "",
    conditions: Mapping[str, Condition] | None = None,
    fresh: bool = True,
) -> tuple[Run, ...]:
    """Train one agent for each seed; perceptrons together, other networks one by one.

    On a CPU torch computes on one thread, and the result of a seed depends on that seed
    alone: on nothing that runs beside it, and on no other seed. A run that was killed goes on
    from its last snapshot when the same call is made again; a finished one is read back. A
    seed whose loss, weights or answers are no longer finite stops there: its curves end before,
    its status says so, and the other seeds go on.

    Parameters
    ----------
    make_environment : callable
        Maps an integer seed to a `VectorEnvironment`.
    network : torch.nn.Module or NetworkSpec
        A spec builds each seed's network (`MLPSpec`, or anything with `build`). A module is
        a template: it is copied, never changed. It maps (B, *observation_shape)
        to logits (B, A) and value (B,) and draws nothing at random.
    config : AbstractAlgorithm
        `PPOConfig`, `PQNConfig`, or one of `empirics.policy_gradients`.
    seeds : sequence of int
    schedule : tuple of int
        Environment steps at which to take checkpoints; each is taken at the end of the
        update that reaches it. The end of training always is one.
    folder : Path or None
        Where `checkpoints/<run_id>/` goes; None keeps nothing.
    on_checkpoint : callable or None
        Measures a checkpoint; its readings become the run's curves.
    device : str
        "cpu" or "cuda" (where equal seeds give close, not equal, results).
    run : str
        Label of the run.
    conditions : mapping
        The ledger: what else shapes the run, above all the environment's features. It
        enters `run_id`, so an environment that differs must differ here.
    fresh : bool
        Whether to initialize a module's weights from the seed (`networks.initialize`), or
        to go on from those it has.

    Raises
    ------
    ValueError
        If the environments do not fit the configuration or the network, there is no such
        device, or a snapshot is damaged.
    OSError
        If another process is training one of these runs.
    """
    job = job_of(config, schedule, folder, on_checkpoint, run, conditions or {}, device)
    distinct = dict.fromkeys(whole("seed", seed, 0) for seed in seeds)
    with one_thread(), ExitStack() as locks:
        starts = {
            seed: start_of(make_environment, network, job, seed, fresh, locks) for seed in distinct
        }
        ahead = [start for start in starts.values() if not start.lane.finished]
        if not isinstance(network, MLPSpec):
            groups = [[start] for start in ahead]
        else:  # after a kill some seeds may be further than others: those equally far go together
            far = sorted({start.progress for start in ahead})
            groups = [[start for start in ahead if start.progress == where] for where in far]
        for group in groups:
            _train_together(group, network, job)
    runs = {
        seed: finished_run(start.lane, run, start.run_id, job.ledger)
        for seed, start in starts.items()
    }
    return tuple(runs[seed] for seed in map(int, seeds))


def _train_together(group: Sequence[Start], network: nn.Module | NetworkSpec, job: Job) -> None:
    """Train the seeds of a group, all equally far, to the end; one that diverges stops there."""
    updates, resumed = group[0].progress
    team = team_of(group, network, job)
    clock = saved = time.perf_counter()
    while True:
        if not resumed:
            before, clock = clock, time.perf_counter()
            for lane in team.lanes:
                lane.wall_seconds += clock - before
            due = take_checkpoint(team, job, updates)
            if due or team.has_finished_seeds or clock - saved > SNAPSHOT_SECONDS:
                take_snapshot(team, job)
                saved = time.perf_counter()
        resumed = False
        team = still_training(team, network, job)
        if not team.group:
            return
        updates += 1
        _learn(team, job.config, updates)


def _learn(team: Team, config: AbstractAlgorithm, updates: int) -> None:
    """Do the next update, the `updates`-th: act, learn, and log what was measured."""
    fraction = 1 - (updates - 1) / config.num_updates if config.anneal_lr else 1.0
    learning_rate = fraction * config.learning_rate
    collect(team.agents, team.lanes, team.rollout)
    learned = config.learn(team.agents, team.adam, team.lanes, team.rollout, learning_rate)
    weights_are_finite = team.agents.flat.isfinite().all(dim=1).tolist()
    env_steps = updates * config.batch_size
    for s, lane in enumerate(team.lanes):
        measured = {name: float(values[s]) for name, values in learned.measured.items()}
        if weights_are_finite[s] and np.isfinite(list(measured.values())).all():
            measured["explained_variance"] = learned.explained_variance[s]
            lane.write_log(env_steps, learning_rate, measured)
        else:
            lane.diverge(env_steps, "the loss or the weights are", config.learning_rate)
