"""Proximal policy optimization (Schulman et al., 2017), from top to bottom.

Names and details are CleanRL's (Huang et al., 2022, "The 37 implementation details of
proximal policy optimization"), with two differences: an episode cut by a time limit is
bootstrapped from the value of its *own* last observation, and every array has a leading
axis of S seeds, trained in one program. No reduction crosses that axis. S = 1 for
anything but multilayer perceptrons (see `empirics.networks`).

Letters in shapes: S seeds, T = num_steps, N = num_envs, B = T·N, M = minibatch, A actions.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from empirics.adam import Adam
from empirics.coerce import whole
from empirics.job import Job, Measure, Start, job_of, start_of
from empirics.networks import AbstractAgents, MLPSpec, NetworkSpec
from empirics.one_thread import one_thread
from empirics.ppo_config import PPOConfig
from empirics.rollout import Batch, batch_of, collect, log_probability, log_softmax
from empirics.run import Run
from empirics.team import Team, still_training, take_checkpoint, take_snapshot, team_of
from empirics.training import UPDATE_LOG, Lane, MakeEnvironment, finished_run
from theory.curve import Condition

__all__ = ["PPOConfig", "train", "train_seeds"]

FloatArray = NDArray[np.float64]
SNAPSHOT_SECONDS = 60.0
"""Longest training, in seconds, that a kill between two checkpoints can lose."""


def normalized(advantage: Tensor) -> Tensor:
    """Return advantages with mean 0 and standard deviation 1 over the last axis."""
    sd, mean = torch.std_mean(advantage, dim=-1, keepdim=True)
    return (advantage - mean) / (sd + 1e-8)


def policy_loss(ratio: Tensor, advantage: Tensor, clip_coef: float) -> Tensor:
    """Return the clipped surrogate (Schulman et al., 2017, eq. 7), to be minimized.

    `ratio`, `advantage` (…, M): mean over the last axis.
    """
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
    return -torch.minimum(ratio * advantage, clipped * advantage).mean(-1)


def value_loss(value: Tensor, old_value: Tensor, returns: Tensor, clip: float | None) -> Tensor:
    """Return half the mean squared error over the last axis.

    With `clip`, the larger of that error and the error of the value held within `clip` of
    `old_value`, sample by sample.
    """
    error = (value - returns).square()
    if clip is not None:
        held = old_value + (value - old_value).clamp(-clip, clip)
        error = torch.maximum(error, (held - returns).square())
    return 0.5 * error.mean(-1)


def losses(agents: AbstractAgents, batch: Batch, config: PPOConfig) -> tuple[Tensor, Tensor]:
    """Return each seed's loss (S,) and its parts (S, 6), named as in `UPDATE_LOG`."""
    logits, value = agents(batch.observation)
    log_probabilities = log_softmax(logits)
    log_ratio = log_probability(log_probabilities, batch.action) - batch.log_probability
    ratio = log_ratio.exp()
    advantage = normalized(batch.advantage) if config.norm_adv else batch.advantage
    clip = config.clip_coef if config.clip_vloss else None
    policy = policy_loss(ratio, advantage, config.clip_coef)
    critic = value_loss(value, batch.value, batch.returns, clip)
    entropy = -(log_probabilities.exp() * log_probabilities).sum(-1).mean(-1)
    loss = policy - config.ent_coef * entropy + config.vf_coef * critic
    with torch.no_grad():
        old_approx_kl = -log_ratio.mean(-1)
        approx_kl = (ratio - 1).mean(-1) + old_approx_kl  # Schulman (2020), estimator k3
        clipfrac = ((ratio - 1).abs() > config.clip_coef).float().mean(-1)
        parts = (policy, critic, entropy, old_approx_kl, approx_kl, clipfrac)
        return loss, torch.stack([part.detach() for part in parts], dim=-1)


def update(
    agents: AbstractAgents,
    adam: Adam,
    lanes: Sequence[Lane],
    batch: Batch,
    config: PPOConfig,
    learning_rate: float,
) -> FloatArray:
    """Learn from one rollout; return the mean of each logged part over gradient steps (S, 6)."""
    active = [True] * len(lanes)
    measured: list[tuple[Tensor, list[bool]]] = []
    for _ in range(config.update_epochs):
        # a seed that has stopped draws nothing, as if it were alone
        order = np.stack(
            [
                lane.rng.permutation(config.batch_size) if go else np.arange(config.batch_size)
                for lane, go in zip(lanes, active, strict=True)
            ]
        )
        shuffled = torch.from_numpy(order).to(batch.action.device)
        for index in torch.split(shuffled, config.minibatch_size, dim=1):
            loss, parts = losses(agents, batch.at(index), config)
            gradient = agents.gradient(loss)
            norm = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)
            gradient *= (config.max_grad_norm / (norm + 1e-6)).clamp(max=1.0)
            adam.step(gradient, learning_rate, active)
            measured.append((parts, active))
        if config.target_kl is not None:
            kl = measured[-1][0][:, UPDATE_LOG.index("approx_kl")].tolist()
            active = [go and k <= config.target_kl for go, k in zip(active, kl, strict=True)]
            if not any(active):
                break
    counts = np.array([go for _, go in measured])[..., None]
    values = torch.stack([parts for parts, _ in measured]).cpu().numpy().astype(np.float64)
    with np.errstate(invalid="ignore"):  # of a seed that diverges: inf − inf
        mean: FloatArray = values.sum(axis=0, where=counts) / counts.sum(axis=0)
    return mean


def train(
    make_environment: MakeEnvironment,
    network: nn.Module | NetworkSpec,
    config: PPOConfig,
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
    config: PPOConfig,
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
    config : PPOConfig
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


def _learn(team: Team, config: PPOConfig, updates: int) -> None:
    """Do the next update, the `updates`-th: act, learn, and log what was measured."""
    fraction = 1 - (updates - 1) / config.num_updates if config.anneal_lr else 1.0
    learning_rate = fraction * config.learning_rate
    collect(team.agents, team.lanes, team.rollout)
    batch = batch_of(team.rollout, config, team.agents.flat.device)
    measured = update(team.agents, team.adam, team.lanes, batch, config, learning_rate)
    weights_are_finite = team.agents.flat.isfinite().all(dim=1).tolist()
    shares = explained_variance(batch)
    env_steps = updates * config.batch_size
    for s, lane in enumerate(team.lanes):
        if weights_are_finite[s] and np.isfinite(measured[s]).all():
            lane.write_log(env_steps, learning_rate, [*measured[s].tolist(), shares[s]])
        else:
            lane.diverge(env_steps, "the loss or the weights are", config.learning_rate)


def explained_variance(batch: Batch) -> list[float]:
    """Return 1 − var(returns − value) / var(returns) for each seed; NaN if returns are equal."""
    spread = batch.returns.var(dim=-1)
    share = 1 - (batch.returns - batch.value).var(dim=-1) / spread
    return torch.where(spread > 0, share, torch.nan).tolist()
