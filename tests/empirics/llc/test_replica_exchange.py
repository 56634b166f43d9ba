"""Tempered posteriors against closed forms: evidence, spread, weights of two phases."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor

from empirics.llc.potential import Potential
from empirics.llc.replica_exchange import exchange_replicas

LADDER = [0.0, 1.0, 4.0, 16.0, 64.0]


@dataclass(frozen=True, eq=False)
class Parabola(Potential):
    """h·w²/2 in every direction."""

    h: float = 2.0

    name: ClassVar[str] = "parabola"

    def energy(self, w: Tensor, rows: Tensor | None = None) -> Tensor:
        return self.h / 2 * (w**2).sum(-1)


@dataclass(frozen=True, eq=False)
class TwoWells(Potential):
    """A wide well on the left, a narrow and deeper one on the right, far apart."""

    name: ClassVar[str] = "two wells"

    def energy(self, w: Tensor, rows: Tensor | None = None) -> Tensor:
        left = 0.05 + 0.5 * (w[..., 0] + 2) ** 2
        right = 8.0 * (w[..., 0] - 2) ** 2
        return torch.minimum(left, right)


def test_the_evidence_of_a_gaussian() -> None:
    found = exchange_replicas(
        Parabola(3, None), LADDER, seed=1, num_ladders=32, num_draws=150, prior_sd=0.7
    )
    log_z, se = found.log_evidence()
    exact = -1.5 * np.log1p(2.0 * np.array(LADDER) * 0.49)
    assert np.all(np.abs(log_z - exact)[1:] < 4 * se[1:])
    assert np.all(se[1:] < 0.1)


def test_the_energy_at_every_size_is_that_of_the_posterior() -> None:
    found = exchange_replicas(Parabola(3, None), LADDER, seed=2, num_ladders=32, num_draws=150)
    each = found.energy.mean(axis=2)
    se = each.std(axis=1, ddof=1) / np.sqrt(each.shape[1])
    exact = 1.5 * 2.0 / (1 + 2.0 * np.array(LADDER))
    assert np.all(np.abs(each.mean(axis=1) - exact) < 4 * se)


def test_two_far_wells_weigh_what_quadrature_says() -> None:
    ladder = [0.0, 2.0, 8.0, 20.0, 50.0]
    potential = TwoWells(1, None)
    found = exchange_replicas(
        potential,
        ladder,
        seed=3,
        num_draws=400,
        num_ladders=16,
        classify=lambda w: (potential_side(w)).long(),
    )
    grid = torch.linspace(-8, 8, 40001, dtype=torch.float64)[None, :, None]
    energy = potential.energy(grid)[0].numpy()
    w = grid[0, :, 0].numpy()
    weight, se = found.occupancy(1)
    for i, nbeta in enumerate(ladder):
        density = np.exp(-nbeta * energy - w**2 / 2)
        exact = density[w > BORDER].sum() / density.sum()
        assert abs(weight[i] - exact) < 4 * se[i]
        assert se[i] < 0.05


BORDER = 1.0
"""Anywhere between the wells, where the posterior has next to no weight but at nbeta 0."""


def potential_side(w: Tensor) -> Tensor:
    return w[..., 0] > BORDER


def test_the_same_seed_gives_the_same_draws_and_another_does_not() -> None:
    first, again, other = (
        exchange_replicas(Parabola(2, None), LADDER, seed=s, num_draws=10, num_burnin_steps=5)
        for s in (1, 1, 2)
    )
    assert np.array_equal(first.energy, again.energy)
    assert not np.array_equal(first.energy, other.energy)


@pytest.mark.parametrize(
    ("nbeta", "message"),
    [
        ([0.0, 1.0, 1.0], r"nbeta\[1\] = 1.0 is followed by 1.0"),
        ([-1.0, 1.0], "none negative"),
        ([1.0], "two or more"),
    ],
)
def test_a_ladder_that_does_not_rise_is_refused(nbeta: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        exchange_replicas(Parabola(1, None), nbeta, seed=0)


def test_occupancy_without_phases_is_refused() -> None:
    found = exchange_replicas(
        Parabola(1, None), [0.0, 1.0], seed=0, num_draws=4, num_burnin_steps=0
    )
    with pytest.raises(ValueError, match="no draw was classified"):
        found.occupancy(0)
