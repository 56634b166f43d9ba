"""Stochastic gradient Langevin dynamics (Welling and Teh 2011), plain and preconditioned.

    w <- w - (step_size/2) · P ∇U + sqrt(step_size · P) · ξ

P is the squared scales, times 1/(damping + sqrt(V)) with RMSProp, V the running mean of the
squared gradient of the energy alone, in the scales (Li, Chen, Carlson and Carin 2016).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from empirics.coerce import coerce_fields
from empirics.llc.sampler import (
    Chance,
    Sampler,
    State,
    acceptance,
    check_positive,
    langevin_log_ratio,
)
from empirics.llc.target import Target


@final
@dataclass(frozen=True)
class RMSProp:
    """A diagonal preconditioner from running squares of the energy's gradient.

    Attributes
    ----------
    decay : float
        Of the running mean, in (0, 1).
    damping : float
        Added to the root of the running mean; in units of the energy's gradient, in the scales.
    keeps_adapting : bool
        Whether V changes after the burn-in too, as is usual. P then depends on where the
        particle is, and the draws are not from the posterior, however small the step: where V
        follows the particle they are from exp(-U)/P. Held from the first draw on, P is constant
        and the law is the posterior's, up to the step size.
    """

    decay: float = 0.99
    damping: float = 0.1
    keeps_adapting: bool = False

    def __post_init__(self) -> None:
        coerce_fields(self)
        if not 0 < self.decay < 1:
            raise ValueError(f"decay must lie between 0 and 1; it is {self.decay}.")
        check_positive("damping", self.damping)

    def updated(self, squares: Tensor, gradient: Tensor) -> Tensor:
        """Return the running mean with one more gradient."""
        return self.decay * squares + (1 - self.decay) * gradient**2

    def metric(self, squares: Tensor) -> Tensor:
        """Return 1/(damping + sqrt(V))."""
        return 1 / (self.damping + squares.sqrt())


@final
@dataclass(frozen=True)
class SGLD(Sampler):
    """Langevin moves without rejection.

    Attributes
    ----------
    step_size : float
    rows_per_move : int or None
        Size of the minibatches; None for the whole data.
    preconditioner : RMSProp or None
    """

    rows_per_move: int | None = None
    preconditioner: RMSProp | None = None

    is_exact: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rows_per_move is not None and self.rows_per_move < 1:
            raise ValueError(f"rows_per_move must be at least 1; it is {self.rows_per_move}.")

    @property
    def batch_size(self) -> int | None:
        """Rows of data in a move's gradient; None for all."""
        return self.rows_per_move

    def start(self, target: Target, w: Tensor, rows: Tensor | None) -> State:
        """Return the state of particles placed at w."""
        point = target.at(w, rows)
        first = (target.scales * point.gradient) ** 2
        memory = () if self.preconditioner is None else (first,)
        return State(point, torch.ones_like(point.energy), memory)

    def move(self, target: Target, state: State, chance: Chance) -> State:
        """Return the state after a Langevin move."""
        before, size = state.point, chance.step_size
        metric, memory = target.scales**2, state.memory
        adapting = False
        if self.preconditioner is not None:
            metric = metric * self.preconditioner.metric(memory[0])
            adapting = chance.is_burnin or self.preconditioner.keeps_adapting
        w = torch.addcmul(before.w, size / -2 * metric, before.force)
        w = torch.addcmul(w, (size * metric).sqrt(), chance.normal)
        after = target.at(w, chance.rows)
        if self.preconditioner is not None and adapting:
            gradient = target.scales * after.gradient
            memory = (self.preconditioner.updated(memory[0], gradient),)
        if chance.is_burnin or adapting or self.rows_per_move is not None:
            return State(after, torch.full_like(after.energy, torch.nan), memory)
        ratio = langevin_log_ratio(target, before, after, size, metric)
        return State(after, acceptance(ratio), memory)
