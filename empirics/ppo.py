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
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from empirics.adam import Adam
from empirics.job import (
    Job,
    Measure,
    Start,
    agents_of,
    restore_network,
    start_of,
    take_checkpoint,
    take_snapshot,
)
from empirics.networks import AbstractAgents, MLPSpec, NetworkSpec
from empirics.one_thread import one_thread
from empirics.run import Run
from empirics.training import UPDATE_LOG, Lane, MakeEnvironment, finished_run
from theory.curve import Condition

FloatArray = NDArray[np.float64]
Ended = tuple[int, int, NDArray[np.intp], NDArray[np.float32]]
SNAPSHOT_SECONDS = 60.0
"""Longest training, in seconds, that a kill between two checkpoints can lose."""


@final
@dataclass(frozen=True)
class PPOConfig:
    """Settings of PPO, named and preset as in CleanRL.

    Raises
    ------
    ValueError
        If a setting is out of its range, or the batch cannot be cut into minibatches.
    """

    total_timesteps: int = 500_000
    """environment steps in all, rounded down to whole updates"""
    num_envs: int = 4
    """environments stepped together"""
    num_steps: int = 128
    """steps of each environment in one rollout"""
    learning_rate: float = 2.5e-4
    """step size of Adam at the start"""
    anneal_lr: bool = True
    """whether the step size falls linearly to zero"""
    gamma: float = 0.99
    """discount"""
    gae_lambda: float = 0.95
    """λ of generalized advantage estimation"""
    num_minibatches: int = 4
    """minibatches an epoch"""
    update_epochs: int = 4
    """passes over each rollout"""
    norm_adv: bool = True
    """whether advantages are normalized in each minibatch"""
    clip_coef: float = 0.2
    """how far the probability ratio may leave 1 before its gradient is cut"""
    clip_vloss: bool = True
    """whether the value's change is clipped by `clip_coef` too"""
    ent_coef: float = 0.01
    """weight of the entropy bonus"""
    vf_coef: float = 0.5
    """weight of the value loss"""
    max_grad_norm: float = 0.5
    """largest norm of a seed's whole gradient"""
    target_kl: float | None = None
    """stop an update after the epoch whose last minibatch's approx_kl exceeds this"""

    def __post_init__(self) -> None:
        for name in ("num_envs", "num_steps", "num_minibatches", "update_epochs"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1; it is {getattr(self, name)}.")
        for name in ("gamma", "gae_lambda"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie in [0, 1]; it is {getattr(self, name)}.")
        for name in ("learning_rate", "clip_coef", "max_grad_norm"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive; it is {getattr(self, name)}.")
        if self.batch_size % self.num_minibatches:
            raise ValueError(
                f"num_envs · num_steps = {self.batch_size} must be a multiple of "
                f"num_minibatches = {self.num_minibatches}."
            )
        if self.norm_adv and self.minibatch_size < 2:
            raise ValueError("norm_adv needs minibatches of at least 2; they hold 1.")
        if self.num_updates < 1:
            raise ValueError(
                f"total_timesteps = {self.total_timesteps} is less than one rollout of "
                f"num_envs · num_steps = {self.batch_size}."
            )

    @property
    def batch_size(self) -> int:
        """Environment steps in one rollout, and so in one update."""
        return self.num_envs * self.num_steps

    @property
    def minibatch_size(self) -> int:
        """Environment steps in one gradient step."""
        return self.batch_size // self.num_minibatches

    @property
    def num_updates(self) -> int:
        """Rollouts, each followed by an update, in the whole run."""
        return self.total_timesteps // self.batch_size


class Batch(NamedTuple):
    """One rollout of each seed, or a minibatch of it; arrays (S, B) and (S, B, …)."""

    observation: Tensor
    action: Tensor
    log_probability: Tensor
    advantage: Tensor
    returns: Tensor
    value: Tensor

    def at(self, index: Tensor) -> Batch:
        """Return the minibatch of the rows `index` (S, M), each seed by its own."""
        seeds, size = self.action.shape
        rows = (index + size * torch.arange(seeds, device=index.device)[:, None]).flatten()
        parts = (x.flatten(0, 1).index_select(0, rows) for x in self)
        return Batch(*(x.view(*index.shape, *x.shape[1:]) for x in parts))


def gae(
    reward: Tensor,
    value: Tensor,
    next_value: Tensor,
    terminated: Tensor,
    ended: Tensor,
    *,
    gamma: float,
    gae_lambda: float,
) -> Tensor:
    """Return generalized advantage estimates (Schulman et al., 2016, eq. 16).

    Parameters
    ----------
    reward, value : (T, …) tensor
        Reward of each step, value of the observation acted on.
    next_value : (T, …) tensor
        Value of the observation the step led to; of the episode's own last observation
        where the episode ended there.
    terminated : (T, …) bool tensor
        Nothing can be gained any more: the bootstrap is zero.
    ended : (T, …) bool tensor
        Terminated or cut by a time limit: later rewards belong to another episode.

    Returns
    -------
    (T, …) tensor
    """
    delta = reward + gamma * next_value * ~terminated - value
    decay = gamma * gae_lambda * (~ended).to(delta.dtype)
    advantage = torch.empty_like(delta)
    last = torch.zeros_like(delta[0])
    for t in reversed(range(len(delta))):
        last = torch.addcmul(delta[t], decay[t], last, out=advantage[t])
    return advantage


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


class Rollout:
    """Arrays that one rollout of each seed fills, time first; allocated once."""

    def __init__(self, config: PPOConfig, lanes: Sequence[Lane], num_actions: int) -> None:
        steps, size = config.num_steps, (len(lanes), config.num_envs)
        shape = lanes[0].observation.shape[1:]
        self.observation = torch.zeros(steps + 1, *size, *shape)
        self.logits = torch.zeros(steps, *size, num_actions)
        self.action = torch.zeros(steps, *size, dtype=torch.long)
        self.reward, self.value, self.next_value = torch.zeros(3, steps, *size)
        self.terminated, self.truncated = torch.zeros(2, steps, *size, dtype=torch.bool)


@torch.inference_mode()
def collect(agents: AbstractAgents, lanes: Sequence[Lane], rollout: Rollout) -> None:
    """Act for one rollout, filling `rollout`; each seed draws from its own generator.

    Actions are drawn by adding Gumbel noise to the logits and taking the largest.
    """
    shape = rollout.logits.shape
    noise = np.stack([lane.rng.gumbel(size=(shape[0], *shape[2:])) for lane in lanes], axis=1)
    gumbel = torch.from_numpy(noise.astype(np.float32))
    arrays = {name: array.numpy() for name, array in vars(rollout).items()}
    cut: list[Ended] = []
    for s, lane in enumerate(lanes):
        arrays["observation"][0, s] = lane.observation
    for t in range(shape[0]):
        logits, value = agents(rollout.observation[t].to(agents.flat.device))
        rollout.logits[t], rollout.value[t] = logits, value
        torch.argmax(rollout.logits[t] + gumbel[t], dim=-1, out=rollout.action[t])
        for s, lane in enumerate(lanes):
            step = lane.step(arrays["action"][t, s])
            arrays["observation"][t + 1, s] = step.observation
            arrays["reward"][t, s] = step.reward
            arrays["terminated"][t, s] = step.terminated
            if step.truncated.any():
                arrays["truncated"][t, s] = step.truncated
                who = np.flatnonzero(step.truncated & ~step.terminated)
                cut.append((t, s, who, step.final_observation[who]))
            else:
                arrays["truncated"][t, s] = False
    rollout.next_value[:-1] = rollout.value[1:]
    rollout.next_value[-1] = agents(rollout.observation[-1].to(agents.flat.device))[1]
    for s in range(len(lanes)):
        _bootstrap_cut_episodes(agents, s, [part for part in cut if part[1] == s], arrays)


def _bootstrap_cut_episodes(
    agents: AbstractAgents,
    s: int,
    cut: list[Ended],
    arrays: dict[str, np.ndarray[Any, Any]],
) -> None:
    """Value the last observations of one seed's episodes that a time limit cut."""
    if cut:
        when = np.concatenate([np.full(len(who), t) for t, _, who, _ in cut])
        who = np.concatenate([who for _, _, who, _ in cut])
        last = torch.from_numpy(np.concatenate([last for *_, last in cut]))
        if len(who):
            value = agents.value(s, last.to(agents.flat.device))
            arrays["next_value"][when, s, who] = value.cpu().numpy()


def batch_of(rollout: Rollout, config: PPOConfig, device: torch.device) -> Batch:
    """Return the rollout as (S, B, …) arrays on `device`, with advantages and returns."""
    advantage = gae(
        rollout.reward,
        rollout.value,
        rollout.next_value,
        rollout.terminated,
        rollout.terminated | rollout.truncated,
        gamma=config.gamma,
        gae_lambda=config.gae_lambda,
    )
    log_probability = _log_probability(_log_softmax(rollout.logits), rollout.action)
    arrays = (
        rollout.observation[:-1],
        rollout.action,
        log_probability,
        advantage,
        advantage + rollout.value,
        rollout.value,
    )
    return Batch(*(x.to(device).transpose(0, 1).flatten(1, 2) for x in arrays))


def _log_softmax(logits: Tensor) -> Tensor:
    return logits - logits.logsumexp(-1, keepdim=True)  # faster than torch's for few actions


def _log_probability(log_probabilities: Tensor, action: Tensor) -> Tensor:
    return log_probabilities.gather(-1, action[..., None]).squeeze(-1)


def losses(agents: AbstractAgents, batch: Batch, config: PPOConfig) -> tuple[Tensor, Tensor]:
    """Return each seed's loss (S,) and its parts (S, 6), named as in `UPDATE_LOG`."""
    logits, value = agents(batch.observation)
    log_probabilities = _log_softmax(logits)
    log_ratio = _log_probability(log_probabilities, batch.action) - batch.log_probability
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
    weight = np.array([go for _, go in measured], dtype=np.float64)[..., None]
    values = torch.stack([parts for parts, _ in measured]).cpu().numpy()
    mean: FloatArray = (weight * values).sum(axis=0) / weight.sum(axis=0)
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
    from its last snapshot when the same call is made again; a finished one is read back.

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
        If the environments do not fit the configuration or the network.
    """
    job = Job(config, schedule, folder, on_checkpoint, run, dict(conditions or {}), device)
    with one_thread():
        starts = [start_of(make_environment, network, job, seed, fresh) for seed in seeds]
        if not isinstance(network, MLPSpec):
            groups = [[start] for start in starts]
        else:  # after a kill some seeds may be further than others: those equally far go together
            far = sorted({start.progress for start in starts})
            groups = [[start for start in starts if start.progress == where] for where in far]
        for group in groups:
            _train_together(group, network, job)
    return tuple(finished_run(start.lane, run, start.run_id, job.ledger) for start in starts)


def _train_together(group: Sequence[Start], network: nn.Module | NetworkSpec, job: Job) -> None:
    """Train the seeds of a group, all equally far, to the end."""
    config, lanes = job.config, [start.lane for start in group]
    updates, resumed = group[0].progress
    if resumed and updates == config.num_updates:
        return
    agents = agents_of(group, network, job.device)
    adam = Adam(agents.flat)
    for s, start in enumerate(group):
        if start.snapshot:
            restore_network(agents, adam, s, start.snapshot)
    rollout = Rollout(config, lanes, lanes[0].environment.num_actions)
    clock, saved = time.perf_counter(), time.perf_counter()
    while True:
        if not resumed:
            now = time.perf_counter()
            for lane in lanes:
                lane.wall_seconds += now - clock
            clock = now
            if take_checkpoint(agents, group, job, updates) or now - saved > SNAPSHOT_SECONDS:
                take_snapshot(agents, adam, group, job)
                saved = time.perf_counter()
        resumed = False
        if updates == config.num_updates:
            return
        fraction = 1 - updates / config.num_updates if config.anneal_lr else 1.0
        learning_rate = fraction * config.learning_rate
        collect(agents, lanes, rollout)
        batch = batch_of(rollout, config, agents.flat.device)
        measured = update(agents, adam, lanes, batch, config, learning_rate)
        updates += 1
        explained = explained_variance(batch)
        for lane, row, share in zip(lanes, measured.tolist(), explained, strict=True):
            lane.write_log(updates * config.batch_size, learning_rate, [*row, share])


def explained_variance(batch: Batch) -> list[float]:
    """Return 1 − var(returns − value) / var(returns) for each seed; NaN if returns are equal."""
    spread = batch.returns.var(dim=-1)
    share = 1 - (batch.returns - batch.value).var(dim=-1) / spread
    return torch.where(spread > 0, share, torch.nan).tolist()
