"""The toy model's loss, over all inputs and over data, against quadrature and plain torch."""

import numpy as np
import pytest
import torch
from torch import Tensor

from empirics.llc.potential import Potential
from empirics.llc.toy_model_potential import (
    ToyModelDataPotential,
    toy_model_data_potential,
    toy_model_potential,
)
from theory.learning_coefficients import toy_model

FEATURES = 6
LOSS_AND_RANK = {
    (4, 0): (0.11111, None),
    (5, 0): (0.06874, 14),
    (5, 1): (0.06180, 17),
    (6, 0): (0.04819, 17),
}
"""Chen et al. (2023), critical points at c = 6; ranks of the Hessian: twice the coefficient."""
LENGTH_AND_BIAS = {4: (1.0, 0.0), 5: (1.17046, -0.28230), 6: (1.32053, -0.61814)}


def k_gon(k: int, positive: int) -> Tensor:
    """Return the parameters of a k-gon with some small positive biases, the rest dead."""
    length, bias = LENGTH_AND_BIAS[k]
    angles = 2 * np.pi * np.arange(k) / k
    w = np.zeros((3, FEATURES))
    w[0, :k], w[1, :k] = length * np.cos(angles), length * np.sin(angles)
    w[2] = [bias] * k + [1 / (2 * FEATURES)] * positive + [-1.0] * (FEATURES - k - positive)
    return torch.as_tensor(w.ravel())


def particles(seed: int = 0, spread: float = 1.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return spread * torch.randn(3, 4, 3 * FEATURES, generator=generator, dtype=torch.float64)


def data(n: int = 200) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(3)
    return torch.as_tensor(rng.integers(FEATURES, size=n)), torch.as_tensor(rng.random(n))


def plain_loss(w: Tensor, features: Tensor, strengths: Tensor) -> Tensor:
    """Return |x - f(x)|² of every row, (C, K, n), as the model is written down."""
    matrix, bias = w[..., : 2 * FEATURES].reshape(*w.shape[:2], 2, -1), w[..., 2 * FEATURES :]
    x = torch.nn.functional.one_hot(features, FEATURES) * strengths[:, None]
    hidden = torch.einsum("ckhi,ni->cknh", matrix, x)
    output = (torch.einsum("ckhj,cknh->cknj", matrix, hidden) + bias[..., None, :]).relu()
    return ((x - output) ** 2).sum(-1)


def each_potential() -> list[Potential]:
    p = torch.softmax(particles(5)[:, 0, :FEATURES], -1)
    return [
        toy_model_potential(FEATURES),
        toy_model_potential(FEATURES, probability=p[0]),
        toy_model_potential(FEATURES, probability=p),
        toy_model_data_potential(FEATURES, *data()),
    ]


@pytest.mark.parametrize("point", LOSS_AND_RANK)
def test_k_gons_have_their_published_losses_and_are_critical(point: tuple[int, int]) -> None:
    energy, gradient = toy_model_potential().energy_and_gradient(k_gon(*point)[None, None])

    assert float(energy) == pytest.approx(LOSS_AND_RANK[point][0], abs=6e-6)
    # Lengths and biases are given to five digits; curvatures are at most 2.
    assert float(gradient.abs().max()) < 2e-5


@pytest.mark.parametrize("point", [point for point, (_, rank) in LOSS_AND_RANK.items() if rank])
def test_the_hessian_has_the_published_rank(point: tuple[int, int]) -> None:
    curvatures = torch.linalg.eigvalsh(toy_model_potential().hessian(k_gon(*point)[None])[0])

    assert int((curvatures.abs() > 1e-4).sum()) == LOSS_AND_RANK[point][1]


def test_the_population_loss_is_the_integral_over_strengths() -> None:
    # The integrand is twice differentiable but for a corner in each output: the midpoint rule
    # errs by less than the largest curvature, here below 200, over 24 m², and corners alike.
    w, m = particles(), 4000
    grid = (torch.arange(m, dtype=torch.float64) + 0.5) / m
    p = torch.softmax(particles(5)[0, 0, :FEATURES], -1)
    losses = [plain_loss(w, torch.full((m,), i), grid).mean(-1) for i in range(FEATURES)]

    found = toy_model_potential(FEATURES, probability=p).energy(w)

    expected = torch.einsum("i,ick->ck", p, torch.stack(losses))
    assert torch.allclose(found, expected, rtol=0, atol=1e-6)


def test_loss_gradient_and_hessian_are_those_of_the_theory() -> None:
    w, p = particles(), torch.softmax(particles(5)[0, 0, :FEATURES], -1)
    matrix, bias = (
        w[..., : 2 * FEATURES].reshape(3, 4, 2, -1).numpy(),
        w[..., 2 * FEATURES :].numpy(),
    )
    potential = toy_model_potential(FEATURES, probability=p)
    by_matrix, by_bias = toy_model.gradient(matrix, bias, p.numpy())

    energy, gradient = potential.energy_and_gradient(w)

    assert np.allclose(energy, toy_model.loss(matrix, bias, p.numpy()), rtol=0, atol=1e-12)
    by_matrix = by_matrix.reshape(3, 4, 2 * FEATURES)
    assert np.allclose(gradient, np.concatenate([by_matrix, by_bias], -1), rtol=0, atol=1e-12)
    hessian = toy_model.hessian(matrix, bias, p.numpy())[:, 0]
    assert np.allclose(potential.hessian(w[:, 0]), hessian, rtol=0, atol=1e-10)


def test_the_loss_on_data_is_the_mean_over_its_rows() -> None:
    features, strengths = data()
    w, potential = particles(), toy_model_data_potential(FEATURES, features, strengths)

    expected = plain_loss(w, features, strengths).mean(-1)
    assert torch.allclose(potential.energy(w), expected, rtol=0, atol=1e-12)


def test_a_minibatch_on_data_is_the_mean_over_the_rows_drawn() -> None:
    w, potential = particles(), toy_model_data_potential(FEATURES, *data())
    rows = torch.randint(200, (3, 4, 7), generator=torch.Generator().manual_seed(0))

    losses = plain_loss(w, potential.features, potential.strengths)

    expected = torch.gather(losses, -1, rows).mean(-1)
    assert torch.allclose(potential.energy(w, rows), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("potential", each_potential(), ids=["even", "shared", "each", "data"])
@pytest.mark.parametrize("spread", [1.0, 0.1])
def test_the_gradient_by_hand_is_that_of_autograd(potential: Potential, spread: float) -> None:
    w = particles(spread=spread)

    energy, gradient = potential.energy_and_gradient(w)
    expected_energy, expected = Potential.energy_and_gradient(potential, w)

    assert torch.allclose(energy, expected_energy, rtol=0, atol=1e-12)
    assert torch.allclose(gradient, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("potential", each_potential(), ids=["even", "shared", "each", "data"])
def test_single_precision_is_close_to_double(potential: Potential) -> None:
    w = particles()

    energy, gradient = potential.energy_and_gradient(w.float())
    expected_energy, expected = potential.energy_and_gradient(w.float().double())

    assert energy.dtype == gradient.dtype == torch.float32
    # Losses are below 30 and gradients below 100 here.
    assert torch.allclose(energy.double(), expected_energy, rtol=1e-6)
    assert torch.allclose(gradient.double(), expected, rtol=1e-5, atol=1e-5)


def test_a_center_keeps_its_own_probability_in_chunks_and_repeats() -> None:
    potential, w = each_potential()[2], particles()
    whole = potential.energy_and_gradient(w)[0]

    assert torch.equal(potential.chunk(1, 3).energy_and_gradient(w[1:])[0], whole[1:])
    twice = potential.repeat(2).energy_and_gradient(w.repeat_interleave(2, 0))[0]
    assert torch.equal(twice, whole.repeat_interleave(2, 0))


def test_data_of_one_feature_only_are_no_trouble() -> None:
    potential = toy_model_data_potential(
        FEATURES, torch.full((5,), 2), torch.linspace(0, 1, 5, dtype=torch.float64)
    )
    energy, _ = potential.energy_and_gradient(particles())

    assert torch.allclose(energy, potential.energy(particles()), rtol=0, atol=1e-12)


def test_mistakes_are_said() -> None:
    with pytest.raises(ValueError, match="must sum to 1"):
        toy_model_potential(2, probability=torch.tensor([0.5, 0.6]))
    with pytest.raises(ValueError, match="one such row a center"):
        toy_model_potential(2, probability=torch.tensor([1.0]))
    with pytest.raises(ValueError, match="at least 1"):
        toy_model_potential(0)
    with pytest.raises(ValueError, match="0 to 5"):
        toy_model_data_potential(6, torch.tensor([6]), torch.tensor([0.5]))
    with pytest.raises(ValueError, match="one value a row"):
        toy_model_data_potential(6, torch.tensor([1, 2]), torch.tensor([0.5]))
    with pytest.raises(ValueError, match="of 3 centers; there are 2"):
        each_potential()[2].energy(particles()[:2])


def test_the_data_move_with_the_potential() -> None:
    moved = toy_model_data_potential(FEATURES, *data()).to("cpu")

    assert isinstance(moved, ToyModelDataPotential)
    assert moved.num_rows == 200
