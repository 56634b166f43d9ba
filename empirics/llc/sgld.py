"""Stochastic gradient Langevin dynamics (Welling and Teh 2011), plain and preconditioned.

    w <- w - (step_size/2) · P ∇U + sqrt(step_size · P) · ξ     (+ step_size/2 · Γ)

P is the squared scales, times 1/(damping + sqrt(V)) with RMSProp, V the running mean of the
squared gradient of the energy alone (Li, Chen, Carlson and Carin 2016); Γ_i = ∂P_i/∂w_i.
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
from empirics.llc.target import Point, Target


@final
@dataclass(frozen=True)
class RMSProp:
    """A diagonal preconditioner from running squares of the energy's gradient.

    Attributes
    ----------
    decay : float
        Of the running mean, in (0, 1).
    damping : float
        Added to the root of the running mean; in units of the energy's gradient.
    divergence : bool
        Whether the move has the term Γ. Without it the chain's law is off by the order of
        1 - decay; with it every move costs a product with the Hessian.
    """

    decay: float = 0.99
    damping: float = 0.1
    divergence: bool = False

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

    def drift(
        self, squares: Tensor, target: Target, point: Point, rows: Tensor | None, normal: Tensor
    ) -> Tensor:
        """Return Γ, an unbiased estimate: the Hessian's diagonal is E[s · H s], s of signs.

        With V = decay · V' + (1 - decay) g², ∂P/∂w = -P² (1 - decay) g h / sqrt(V), h the diagonal.
        """
        signs = torch.where(normal < 0, -1.0, 1.0).to(point.w.dtype)
        with torch.enable_grad():
            at = point.w.detach().requires_grad_()
            energy = target.potential.energy(at, rows)
            (slope,) = torch.autograd.grad(energy.sum(), at, create_graph=True)
            (product,) = torch.autograd.grad((slope * signs).sum(), at)
        root = squares.sqrt()
        steepness = (1 - self.decay) * point.gradient * signs * product
        safe = torch.where(root > 0, root, torch.ones_like(root))
        change = torch.where(root > 0, steepness / safe, torch.zeros_like(root))
        return -change / (self.damping + root) ** 2


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

    @property
    def num_normals(self) -> int:
        """One vector for the noise, one for the signs of the divergence term."""
        return 2 if self.preconditioner is not None and self.preconditioner.divergence else 1

    def start(self, target: Target, w: Tensor, rows: Tensor | None) -> State:
        """Return the state of particles placed at w."""
        point = target.at(w, rows)
        memory = () if self.preconditioner is None else (point.gradient**2,)
        return State(point, torch.ones_like(point.energy), memory)

    def move(self, target: Target, state: State, chance: Chance) -> State:
        """Return the state after a Langevin move."""
        before, size = state.point, chance.step_size
        metric, drift, memory = target.scales**2, None, state.memory
        if self.preconditioner is not None:
            metric = metric * self.preconditioner.metric(memory[0])
            if self.preconditioner.divergence:
                drift = self.preconditioner.drift(
                    memory[0], target, before, None, chance.normals[1]
                )
        noise = (size * metric).sqrt() * chance.normals[0]
        w = before.w - size / 2 * metric * target.force(before) + noise
        if drift is not None:
            w = w + size / 2 * target.scales**2 * drift
        after = target.at(w, chance.rows)
        if self.preconditioner is not None:
            memory = (self.preconditioner.updated(memory[0], after.gradient),)
        return State(after, self._accepted(target, before, after, size, metric), memory)

    def _accepted(
        self, target: Target, before: Point, after: Point, size: Tensor, metric: Tensor
    ) -> Tensor:
        """Return with which probability MALA would have accepted the move; NaN where unknown."""
        if self.rows_per_move is not None or self.preconditioner is not None:
            return torch.full_like(before.energy, torch.nan)
        return acceptance(langevin_log_ratio(target, before, after, size, metric))
