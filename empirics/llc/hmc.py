"""Hamiltonian chains of fixed length: the posterior itself, for ground truths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from empirics.llc.mala import chosen
from empirics.llc.sampler import Chance, Sampler, State, acceptance
from empirics.llc.target import Target


@final
@dataclass(frozen=True)
class HMC(Sampler):
    """Hamiltonian Monte Carlo (Neal 2011), on the whole data.

    Attributes
    ----------
    step_size : float
        Squared length of a leapfrog step, so that one step is a MALA proposal of that size.
    num_leapfrog_steps : int
    """

    num_leapfrog_steps: int = 10

    is_exact: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.num_leapfrog_steps < 1:
            raise ValueError(
                f"num_leapfrog_steps must be at least 1; it is {self.num_leapfrog_steps}."
            )

    def start(self, target: Target, w: Tensor, rows: Tensor | None) -> State:
        """Return the state of particles placed at w."""
        point = target.at(w, rows)
        return State(point, torch.ones_like(point.energy))

    def move(self, target: Target, state: State, chance: Chance) -> State:
        """Return the state after a trajectory, taken or not.

        Momenta are in units of the scales: p has covariance 1, and w moves by scales · p. The
        length of the steps varies by a fifth either way, so that no trajectory closes on itself.
        """
        length = chance.step_size.sqrt() * (0.8 + 0.4 * chance.uniform[1, ..., None])
        before, start = state.point, chance.normal
        point, p = before, start
        for _ in range(self.num_leapfrog_steps):
            p = p - length / 2 * target.scales * point.force
            point = target.at(point.w + length * target.scales * p)
            p = p - length / 2 * target.scales * point.force
        kinetic = (start**2 - p**2).sum(-1) / 2
        accepted = acceptance(target.log_ratio(before, point) + kinetic)
        return State(chosen(chance.uniform[0] < accepted, point, before), accepted)
