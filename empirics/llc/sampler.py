"""How a particle moves: what every sampler of the localized posterior has in common."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from empirics.coerce import coerce_fields
from empirics.llc.target import Point, Target


@final
@dataclass(frozen=True, eq=False)
class State:
    """Where the particles are, and what their sampler remembers.

    Attributes
    ----------
    point : Point
    accepted : (C, K) tensor
        Probability with which the last move was, or would have been, accepted.
    memory : tuple of tensors
        What the sampler itself keeps from move to move.
    """

    point: Point
    accepted: Tensor
    memory: tuple[Tensor, ...] = ()


@dataclass(frozen=True)
class Sampler(ABC):
    """A Markov chain over parameters; abstract.

    Attributes
    ----------
    step_size : float
        Squared length scale of the noise of a move, in the units of the scales squared.
    """

    step_size: float

    is_exact: ClassVar[bool]
    """Whether the chain's law is the posterior itself, whatever the step size."""

    def __post_init__(self) -> None:
        coerce_fields(self)
        if not self.step_size > 0:
            raise ValueError(f"step_size must be positive; it is {self.step_size}.")

    @property
    def batch_size(self) -> int | None:
        """Rows of data in a move's gradient; None for all."""
        return None

    @abstractmethod
    def start(self, target: Target, w: Tensor, rows: Tensor | None) -> State:
        """Return the state of particles placed at w, (C, K, d)."""

    @abstractmethod
    def move(self, target: Target, state: State, chance: Chance) -> State:
        """Return the state after a move."""


@final
@dataclass(frozen=True, eq=False)
class Chance:
    """The random numbers of one move.

    Attributes
    ----------
    normal : (C, K, d) tensor
        Standard normal numbers.
    uniform : (2, C, K) tensor
        For acceptance, and for the length of a trajectory.
    rows : (C, K, B) integer tensor or None
        The minibatch on which the point after the move is evaluated.
    step_size : (C, 1, 1) tensor
        Each center's own.
    is_burnin : bool
        Whether the move comes before the first draw.
    """

    normal: Tensor
    uniform: Tensor
    rows: Tensor | None
    step_size: Tensor
    is_burnin: bool


def langevin_log_ratio(
    target: Target, before: Point, after: Point, step_size: Tensor, metric: Tensor
) -> Tensor:
    """Return the log of the acceptance ratio of a Langevin move, (C, K).

    The move proposes N(w - (step_size/2) M ∇U, step_size · M), M the diagonal `metric`
    (Roberts and Tweedie 1996). The ratio of the two proposals is written out, so that M is
    not divided by.
    """
    both, change = before.force + after.force, after.force - before.force
    moved = (after.w - before.w) / 2 - step_size / 8 * metric * change
    return target.log_ratio(before, after) + (both * moved).sum(-1)


def acceptance(log_ratio: Tensor) -> Tensor:
    """Return min(1, ratio); 0 where the ratio is not a number."""
    ratio = torch.exp(log_ratio.clamp(max=0.0))
    return torch.nan_to_num(ratio, nan=0.0)


def check_positive(name: str, value: float) -> None:
    """Raise a ValueError unless a setting is positive and finite."""
    if not (value > 0 and math.isfinite(value)):
        raise ValueError(f"{name} must be positive and finite; it is {value}.")
