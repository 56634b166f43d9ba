"""Phases of the toy model, and potentials that are confined to one."""

import math
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
import pytest
import torch
from torch import Tensor

from empirics.llc.chains import ChainPlan, draw_chains
from empirics.llc.confined import confined
from empirics.llc.convergence import effective_sample_size
from empirics.llc.hmc import HMC
from empirics.llc.mala import MALA
from empirics.llc.potential import Potential
from empirics.llc.sampler import Sampler
from empirics.llc.toy_model_phase import num_represented, phases, within_phase
from empirics.llc.toy_model_potential import toy_model_potential
from theory.curve import FloatArray
from theory.learning_coefficients.k_gons import k_gons


@final
@dataclass(frozen=True, eq=False)
class Square(Potential):
    """w²/2, summed."""

    name: ClassVar[str] = "square"

    def energy(self, w: Tensor, rows: Tensor | None = None) -> Tensor:
        return (w**2).sum(-1) / 2


def points() -> FloatArray:
    return np.stack([np.concatenate([p.weights.ravel(), p.bias]) for p in k_gons(6)])


def test_a_k_gon_has_its_own_phase() -> None:
    expected = [(p.num_vertices, p.num_positive) for p in k_gons(6)]

    assert [tuple(phase) for phase in phases(points())] == expected
    assert num_represented(points()).tolist() == [k for k, _ in expected]


def test_a_long_dead_column_does_not_change_the_phase() -> None:
    w = points()[[p.name for p in k_gons(6)].index("5")].reshape(3, 6)
    w[0, 5], w[2, 5] = 1.5, -4.0

    assert phases(w.ravel()).tolist() == [5, 0]


def test_phases_do_not_change_under_rotation_and_permutation() -> None:
    rng = np.random.default_rng(0)
    w = rng.standard_normal((200, 3, 6))
    angle, order = 0.7, rng.permutation(6)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    moved = np.concatenate([turn @ w[:, :2], w[:, 2:]], axis=1)[:, :, order]

    assert np.array_equal(phases(moved.reshape(200, 18)), phases(w.reshape(200, 18)))


@pytest.mark.parametrize("sampler", [MALA(0.8), HMC(0.3, 5)], ids=["mala", "hmc"])
def test_a_confined_normal_is_a_half_normal(sampler: Sampler) -> None:
    potential = confined(Square(1, None), lambda w: w[..., 0] > -1e-9)
    chains = draw_chains(
        potential,
        torch.zeros(1, 1, dtype=torch.float64),
        sampler,
        ChainPlan(1.0, 0.0, num_chains=40, num_draws=500, num_burnin_steps=50),
        seeds=np.random.SeedSequence(0).spawn(1),
        keep_positions=True,
    )
    assert chains.positions is not None
    w = chains.positions[0, :, :, 0]

    assert w.min() > -1e-9
    se = w.std() / math.sqrt(effective_sample_size(w))
    assert w.mean() == pytest.approx(math.sqrt(2 / math.pi), abs=4 * se)


def test_chains_that_are_confined_keep_their_phase() -> None:
    at = torch.as_tensor(points()[-3:])
    chains = draw_chains(
        confined(toy_model_potential(), within_phase(at)),
        at,
        HMC(0.002, 10),
        ChainPlan(200.0, 1.0, num_chains=4, num_draws=40, num_burnin_steps=0),
        seeds=np.random.SeedSequence(0).spawn(3),
        keep_positions=True,
    )
    assert chains.positions is not None

    assert (phases(chains.positions) == phases(at.numpy())[:, None, None]).all()
    assert 0 < chains.accepted.mean() < 1


def test_a_confined_potential_has_the_curvature_of_the_whole() -> None:
    whole, at = toy_model_potential(), torch.as_tensor(points()[-2:])
    potential = confined(whole, within_phase(at))

    assert torch.equal(potential.hessian(at), whole.hessian(at))
    assert torch.equal(
        potential.chunk(0, 2).repeat(1).energy(at[:, None]), whole.energy(at[:, None])
    )
