"""Toy models trained by gradient descent and by PPO, with their learning coefficients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import final

import numpy as np
import torch

from empirics.llc.chains import ChainPlan
from empirics.llc.estimate import estimate_llc
from empirics.llc.reading import LLCReading
from empirics.llc.sgld import SGLD
from empirics.llc.toy_model_potential import toy_model_data_potential
from empirics.toy_model_cell import AnyCell, ToyModelCell, ToyModelPPOCell, toy_model_data
from empirics.toy_model_training import ToyModelRun, train_toy_models
from papers.chen2023_tms.plateaus import Plateau, plateaus_of
from papers.proposals import Progress
from theory.curve import Curve, Origin
from theory.learning_coefficients.k_gons import LEVEL_TOLERANCE
from theory.learning_coefficients.tempered import canonical_nbeta

FEWEST_AT_LEVELS = 0.9
"""Share of checkpoints at the loss of a k-gon that the protocol should reach."""

STEP_SIZE, LOCALIZATION = 1e-3, 1.0
"""Chen et al. (2023) along training, as replicated; 500 moves a chain."""


@final
@dataclass(frozen=True)
class Arm:
    """One rule of learning: a cell, and how long it learns."""

    cell: AnyCell
    updates: int


@final
@dataclass(frozen=True)
class Scale:
    """How much is run.

    Attributes
    ----------
    arms : tuple of Arm
    num_seeds, checkpoints, num_chains : int
    fitted : int
        Runs to whose curves forms are fitted, those with most plateaus first.
    """

    arms: tuple[Arm, ...]
    num_seeds: int
    checkpoints: int
    num_chains: int
    fitted: int


PPO = ToyModelPPOCell(learning_rate=0.02, num_envs=1000, num_minibatches=5)

SCALES: Mapping[str, Scale] = MappingProxyType(
    {
        "tiny": Scale((Arm(ToyModelCell(), 200),), 2, 4, 2, 0),
        "quick": Scale(
            (
                Arm(ToyModelCell(), 225_000),
                Arm(ToyModelCell(learning_rate=0.05), 112_500),
                Arm(PPO, 2800),
            ),
            num_seeds=24,
            checkpoints=50,
            num_chains=4,
            fitted=1,
        ),
        "full": Scale(
            (
                Arm(ToyModelCell(), 225_000),
                Arm(ToyModelCell(learning_rate=0.05), 112_500),
                Arm(PPO, 2800),
                Arm(replace(PPO, action_sd=0.03), 2800),
                Arm(replace(PPO, action_sd=0.3), 2800),
                Arm(replace(PPO, clip_coef=0.05), 2800),
            ),
            num_seeds=64,
            checkpoints=150,
            num_chains=8,
            fitted=12,
        ),
    }
)


@final
@dataclass(frozen=True)
class LadderRun:
    """A run with its plateaus and its learning coefficients.

    Attributes
    ----------
    trained : ToyModelRun
    plateaus : tuple of Plateau
        By the loss over all inputs.
    llc : Curve
        Of the loss on the run's own data, with standard errors.
    readings : tuple of LLCReading
        One a point of the curve, with their doubts.
    """

    trained: ToyModelRun
    plateaus: tuple[Plateau, ...]
    llc: Curve
    readings: tuple[LLCReading, ...]

    @property
    def loss(self) -> Curve:
        """The loss over all inputs."""
        return self.trained.curves[0]


def run_arm(
    arm: Arm, seeds: Sequence[int], scale: Scale, progress: Progress
) -> tuple[LadderRun, ...]:
    """Train an arm's runs and read the coefficient of every checkpoint."""
    label = f"Training and sampling {arm.cell.label}"
    progress(label, 0, len(seeds))
    trained = train_toy_models(
        [arm.cell], seeds, updates=arm.updates, checkpoints=scale.checkpoints
    )
    found = []
    for done, run in enumerate(trained, start=1):
        found.append(_measured(run, scale))
        progress(label, done, len(seeds))
    return tuple(found)


def _measured(run: ToyModelRun, scale: Scale) -> LadderRun:
    features, strengths = toy_model_data(run.cell, run.seed)
    potential = toy_model_data_potential(
        run.cell.num_features, torch.as_tensor(features), torch.as_tensor(strengths)
    )
    plan = ChainPlan(
        nbeta=canonical_nbeta(run.cell.num_samples),
        localization=LOCALIZATION,
        num_chains=scale.num_chains,
        num_draws=400,
        num_burnin_steps=100,
    )
    weights = torch.as_tensor(run.weights)
    readings = estimate_llc(potential, weights, SGLD(STEP_SIZE), plan, seed=run.seed)
    plateaus = plateaus_of(run.curves[0], run.cell.num_features, LEVEL_TOLERANCE)
    return LadderRun(run, plateaus, _curve(run, readings, plan), readings)


def _curve(run: ToyModelRun, readings: Sequence[LLCReading], plan: ChainPlan) -> Curve:
    """Return the coefficients that were read, with the settings of their chains as conditions."""
    loss = run.curves[0]
    read = [(i, r.llc, r.llc_se) for i, r in enumerate(readings) if r.llc is not None]
    return Curve(
        "llc",
        loss.t[[i for i, _, _ in read]],
        np.array([llc for _, llc, _ in read]),
        y_se=np.array([se for _, _, se in read]),
        progress=loss.progress,
        run=run.run,
        run_id=run.run_id,
        conditions={
            **loss.conditions,
            "sampler": "sgld",
            "step_size": STEP_SIZE,
            **{name: value for name, value in vars(plan).items() if value is not None},
        },
        origin=Origin.MEASURED,
    )
