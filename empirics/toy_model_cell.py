"""One cell of the toy model of superposition: its data, its start, and the rule that learns."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, final

import numpy as np

from empirics.coerce import coerce_fields, whole
from theory.curve import Condition, FloatArray, IntArray

OF_START = 1
OF_DATA = 2


class Optimizer(StrEnum):
    """What turns a gradient into a step."""

    SGD = "sgd"
    ADAM = "adam"


@final
@dataclass(frozen=True)
class ToyModelCell:
    """A toy model that learns to reconstruct fixed data (Chen et al. 2023, section 5).

    Attributes
    ----------
    learning_rate : float
    minibatch_size : int
        Rows a gradient step; it divides `num_samples`.
    num_features : int
        c; one feature is active at a time, its strength uniform on [0, 1].
    num_samples : int
        Rows of data, n; a run goes through all of them in a new order every epoch.
    start_features : int
        k of the k-gon with length 1 and bias 0 at which runs start; all other weights are 0.
    start_sd : float
        Standard deviation of the normal noise on every parameter at the start.

    Raises
    ------
    ValueError
        If a setting is out of its range.
    """

    learning_rate: float = 0.005
    minibatch_size: int = 20
    num_features: int = 6
    num_samples: int = 1000
    start_features: int = 4
    start_sd: float = 0.01

    def __post_init__(self) -> None:
        _check(self, self.num_samples)

    @property
    def label(self) -> str:
        """What tells the cell from others: the rule, then what is not preset."""
        return _label("toy model sgd", self)

    def conditions(self, seed: int) -> dict[str, Condition]:
        """Return the ledger of everything that shapes a run of this cell."""
        return {**vars(self), "update_rule": "sgd", "exact_gradient": False, "seed": seed}


@final
@dataclass(frozen=True)
class ToyModelPPOCell:
    """The same model as the mean of a policy that a one-step bandit rewards, trained by PPO.

    For an input x the policy draws the action a from N(f(x), action_sd²) and is paid -‖a - x‖², so
    that its mean reward is -loss - c · action_sd². The advantage is the reward less its exact mean
    at that input; there is no critic.

    Attributes
    ----------
    learning_rate : float
    action_sd : float
        Fixed spread of the actions.
    num_envs : int
        Actions of a rollout, each at a row of the data drawn at random.
    num_minibatches, update_epochs : int
        Minibatches an epoch, and passes over a rollout.
    clip_coef : float
        How far the probability ratio may leave 1 before its gradient is cut.
    norm_adv : bool
        Whether advantages are normalized in each minibatch.
    optimizer : Optimizer
    num_features, num_samples, start_features, start_sd
        As those of `ToyModelCell`; equal seeds have equal data and starts.

    Raises
    ------
    ValueError
        If a setting is out of its range.
    """

    learning_rate: float = 0.005
    action_sd: float = 0.1
    num_envs: int = 200
    num_minibatches: int = 10
    update_epochs: int = 4
    clip_coef: float = 0.2
    norm_adv: bool = False
    optimizer: Optimizer = Optimizer.SGD
    num_features: int = 6
    num_samples: int = 1000
    start_features: int = 4
    start_sd: float = 0.01

    def __post_init__(self) -> None:
        for name in ("num_envs", "num_minibatches", "update_epochs"):
            whole(name, getattr(self, name), 1)
        _check(self, self.num_envs)
        for name in ("action_sd", "clip_coef"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive; it is {getattr(self, name)}.")
        if self.norm_adv and self.minibatch_size < 2:
            raise ValueError("norm_adv needs minibatches of at least 2; they hold 1.")

    @property
    def minibatch_size(self) -> int:
        """Actions a gradient step."""
        return self.num_envs // self.num_minibatches

    @property
    def gradient_steps(self) -> int:
        """Gradient steps an update: a rollout's."""
        return self.num_minibatches * self.update_epochs

    @property
    def label(self) -> str:
        """What tells the cell from others: the rule, then what is not preset."""
        return _label("toy model ppo", self)

    def conditions(self, seed: int) -> dict[str, Condition]:
        """Return the ledger of everything that shapes a run of this cell."""
        plain = {**vars(self), "optimizer": str(self.optimizer)}
        return {**plain, "update_rule": "ppo", "exact_gradient": False, "seed": seed}


AnyCell = ToyModelCell | ToyModelPPOCell


def _check(cell: AnyCell, rows: int) -> None:
    """Coerce and check the settings that both rules have; minibatches are cut out of `rows`."""
    coerce_fields(cell)
    for name in ("num_features", "num_samples", "start_features"):
        whole(name, getattr(cell, name), 1)
    pieces = cell.num_minibatches if isinstance(cell, ToyModelPPOCell) else cell.minibatch_size
    name = "num_minibatches" if isinstance(cell, ToyModelPPOCell) else "minibatch_size"
    if whole(name, pieces, 1) > rows or rows % pieces:
        raise ValueError(f"{name} must divide {rows}; it is {pieces}.")
    if cell.start_features > cell.num_features:
        raise ValueError(
            f"start_features must be at most num_features, {cell.num_features}; it is "
            f"{cell.start_features}."
        )
    if not cell.learning_rate > 0:
        raise ValueError(f"learning_rate must be positive; it is {cell.learning_rate}.")
    if cell.start_sd < 0:
        raise ValueError(f"start_sd must not be negative; it is {cell.start_sd}.")


def _label(rule: str, cell: Any) -> str:
    changed = {
        field.name: getattr(cell, field.name)
        for field in fields(cell)
        if getattr(cell, field.name) != field.default
    }
    return " ".join([rule, *(f"{name}={value}" for name, value in changed.items())])


def toy_model_data(cell: AnyCell, seed: int) -> tuple[IntArray, FloatArray]:
    """Return the features, from 0, and the strengths of a run's data, (n,) each."""
    rng = np.random.default_rng([seed, OF_DATA])
    features = rng.integers(cell.num_features, size=cell.num_samples)
    return features, rng.random(cell.num_samples)


def toy_model_start(cell: AnyCell, seed: int) -> FloatArray:
    """Return the parameters that a run starts from: W row by row, then b, (3c,)."""
    rng, k = np.random.default_rng([seed, OF_START]), cell.start_features
    angles = 2 * np.pi * np.arange(k) / k
    w = np.zeros((3, cell.num_features))
    w[0, :k], w[1, :k] = np.cos(angles), np.sin(angles)
    return w.ravel() + cell.start_sd * rng.standard_normal(3 * cell.num_features)
