"""Langevin moves with rejection: the posterior itself, whatever the step size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from empirics.llc.sampler import Chance, Sampler, State, acceptance, langevin_log_ratio
from empirics.llc.target import Point, Target


@final
@dataclass(frozen=True)
class MALA(Sampler):
    """Metropolis-adjusted Langevin moves (Roberts and Tweedie 1996), on the whole data."""

    is_exact: ClassVar[bool] = True

    def start(self, target: Target, w: Tensor, rows: Tensor | None) -> State:
        """Return the state of particles placed at w."""
        point = target.at(w, rows)
        return State(point, torch.ones_like(point.energy))

    def move(self, target: Target, state: State, chance: Chance) -> State:
        """Return the state after a proposal, taken or not."""
        before, size, metric = state.point, chance.step_size, target.scales**2
        noise = (size * metric).sqrt() * chance.normal
        after = target.at(before.w - size / 2 * metric * before.force + noise)
        accepted = acceptance(langevin_log_ratio(target, before, after, size, metric))
        return State(chosen(chance.uniform[0] < accepted, after, before), accepted)


def chosen(take: Tensor, after: Point, before: Point) -> Point:
    """Return the particles of `after` where `take`, (C, K), else those of `before`."""
    return Point(
        torch.where(take[..., None], after.w, before.w),
        torch.where(take, after.energy, before.energy),
        torch.where(take[..., None], after.gradient, before.gradient),
        torch.where(take[..., None], after.force, before.force),
    )
