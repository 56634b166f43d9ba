"""Policies that learn cheese in the corner by PPO, with every checkpoint's parameters kept."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import final

import numpy as np
import torch
from torch import Tensor, nn

from empirics.checkpoint import Checkpoint
from empirics.llc.network_potential import flatten
from empirics.networks import MLPSpec
from empirics.ppo import train_seeds
from empirics.ppo_config import PPOConfig
from empirics.probe import Reading
from empirics.probes.exact_regret import cheese_regret
from empirics.run import Run
from empirics.schedule import log_schedule
from empirics.tabular.cheese import CheeseConfig
from theory.curve import Curve

NETWORK = MLPSpec((32,))
WHOLE, CORNER, ELSEWHERE = "regret", "regret_in_corner", "regret_elsewhere"
LEAST_DROP = 0.25
"""Share of the regret of uniform actions that a regret must lose to have had a transition."""


@final
@dataclass(frozen=True)
class CheesePlan:
    """How many agents learn, for how long, and how many of their curves are fitted.

    Attributes
    ----------
    alpha : float
        Share of episodes with the cheese anywhere; in the control there is none.
    num_seeds, num_control_seeds : int
    total_timesteps, num_checkpoints, every : int
        Log-spaced checkpoints, and one every so many steps.
    num_fitted, num_control_fitted : int
        Runs to whose curves forms are fitted.
    noises : tuple of str or None
        Of the fits; None for those that suit a curve.
    """

    alpha: float = 0.1
    num_seeds: int = 4
    num_control_seeds: int = 4
    total_timesteps: int = 49152
    num_checkpoints: int = 9
    every: int = 2048
    num_fitted: int = 2
    num_control_fitted: int = 1
    noises: tuple[str, ...] | None = ("white",)

    @property
    def ppo(self) -> PPOConfig:
        """The settings of training."""
        return PPOConfig(
            total_timesteps=self.total_timesteps,
            num_envs=64,
            num_steps=16,
            learning_rate=2e-3,
            anneal_lr=False,
            gamma=0.9,
            num_minibatches=4,
            update_epochs=3,
            ent_coef=0.01,
        )


PLANS: Mapping[str, CheesePlan] = MappingProxyType(
    {
        "tiny": CheesePlan(0.5, 1, 1, 3072, 3, 3072, 1, 1),
        "quick": CheesePlan(),
        "full": CheesePlan(0.1, 12, 12, 98304, 12, 2048, 12, 12, None),
    }
)


@final
@dataclass(frozen=True, eq=False)
class Trained:
    """A run and its checkpoints.

    Attributes
    ----------
    run : Run
        With the exact regrets as curves.
    centers : (C, d) float64 tensor
        Parameters of the actor at every checkpoint; the critic does not act.
    actor : torch.nn.Module
        Of the last checkpoint, in float64.
    """

    run: Run
    centers: Tensor
    actor: nn.Module

    @property
    def transitions(self) -> tuple[float, ...]:
        """When the regrets in the corner and elsewhere fell through half of their drop."""
        found = (fall(self.run, observable) for observable in (CORNER, ELSEWHERE))
        return tuple(time for time in found if time is not None)


def trained(alpha: float, num_seeds: int, plan: CheesePlan, *, seed: int) -> tuple[Trained, ...]:
    """Train agents on cheese that lies in the corner but for a share alpha of the episodes."""
    config = CheeseConfig(alpha=alpha)
    probe = cheese_regret(config)
    kept: dict[int, list[Tensor]] = defaultdict(list)
    actors: dict[int, nn.Module] = {}

    def measure(checkpoint: Checkpoint) -> Mapping[str, Reading]:
        actor = copy.deepcopy(checkpoint.policy.get_submodule("actor")).double()
        actors[checkpoint.seed] = actor
        kept[checkpoint.seed].append(flatten(actor))
        return probe(checkpoint.policy)

    ppo = plan.ppo
    runs = train_seeds(
        lambda each: config.make(ppo.num_envs, each),
        NETWORK,
        ppo,
        seeds=[1000 * seed + i for i in range(num_seeds)],
        schedule=log_schedule(ppo, plan.num_checkpoints, every=plan.every),
        on_checkpoint=measure,
        run=f"alpha {alpha:g}",
        conditions=config.conditions,
    )
    return tuple(
        Trained(_named(run), torch.stack(kept[run.seed]), actors[run.seed]) for run in runs
    )


def _named(run: Run) -> Run:
    """Return a run that a reader can tell from its siblings."""
    name = f"{run.run}, seed {run.seed}"
    return replace(run, run=name, curves=tuple(replace(each, run=name) for each in run.curves))


def fall(run: Run, observable: str) -> float | None:
    """Return when a regret fell through half of its drop for good; None if it did not drop.

    The middle of the two checkpoints around it.
    """
    curve: Curve = run.curve(observable)
    uniform = run.last_reading(observable).baselines["uniform actions"]
    highest, last = float(curve.y.max()), float(curve.y[-1])
    if highest - last < LEAST_DROP * uniform:
        return None
    i = int(np.flatnonzero(curve.y >= (highest + last) / 2)[-1])
    return float(curve.t[i] + curve.t[i + 1]) / 2
