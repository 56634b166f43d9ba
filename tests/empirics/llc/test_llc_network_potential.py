import copy
import itertools

import pytest
import torch
from torch import nn

from empirics.llc.chains import ChainPlan
from empirics.llc.estimate import estimate_llc
from empirics.llc.masked import masked
from empirics.llc.network_potential import flatten, network_potential, unflatten
from empirics.llc.sgld import SGLD


def squares(output, targets):
    return ((output - targets) ** 2).sum(-1)


@pytest.fixture
def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2)).double()


@pytest.fixture
def data():
    rng = torch.Generator().manual_seed(1)
    return tuple(
        torch.randn(n, k, generator=rng, dtype=torch.float64) for n, k in ((40, 3), (40, 2))
    )


@pytest.fixture
def particles(network):
    w = flatten(network)
    noise = torch.randn(2, 3, w.numel(), generator=torch.manual_seed(2), dtype=torch.float64)
    return w + 0.3 * noise


def alone(network, w):
    """Return a copy of the network with parameters w."""
    single = copy.deepcopy(network)
    nn.utils.vector_to_parameters(w.clone(), single.parameters())
    return single


def test_every_particle_has_the_loss_and_the_gradient_of_its_own_network(network, data, particles):
    energy, gradient = network_potential(network, squares, *data).energy_and_gradient(particles)
    for i, k in itertools.product(range(2), range(3)):
        single = alone(network, particles[i, k])
        loss = squares(single(data[0]), data[1]).mean()
        slope = torch.cat([g.flatten() for g in torch.autograd.grad(loss, single.parameters())])
        torch.testing.assert_close(energy[i, k], loss.detach(), rtol=1e-12, atol=0)
        torch.testing.assert_close(gradient[i, k], slope, rtol=1e-9, atol=1e-12)


def test_every_particle_has_its_own_minibatch(network, data, particles):
    rows = torch.randint(40, (2, 3, 7), generator=torch.manual_seed(3))
    potential = network_potential(network, squares, *data)
    energy, gradient = potential.energy_and_gradient(particles, rows)
    for i, k in itertools.product(range(2), range(3)):
        few = network_potential(network, squares, *(each[rows[i, k]] for each in data))
        expected = few.energy_and_gradient(particles[i : i + 1, k : k + 1])
        torch.testing.assert_close(energy[i, k], expected[0][0, 0], rtol=1e-12, atol=0)
        torch.testing.assert_close(gradient[i, k], expected[1][0, 0], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("subset", [None, torch.arange(40) % 3 == 0])
def test_minibatches_are_unbiased(network, data, particles, subset):
    """The mean over all minibatches of one row is the whole, energy and gradient."""
    potential = network_potential(network, squares, *data, subset=subset)
    one = particles[:1, :1]
    every = torch.arange(40)[None, :, None]
    energies, gradients = potential.energy_and_gradient(one.expand(1, 40, -1), every)
    energy, gradient = potential.energy_and_gradient(one)
    torch.testing.assert_close(energies.mean(), energy[0, 0], rtol=1e-12, atol=0)
    torch.testing.assert_close(gradients.mean(1), gradient[0], rtol=1e-9, atol=1e-12)


def test_a_subset_is_the_smaller_data(network, data, particles):
    kept = torch.arange(40) % 3 == 0
    part = network_potential(network, squares, *data, subset=kept)
    smaller = network_potential(network, squares, *(each[kept] for each in data))
    assert part.num_samples == smaller.num_samples == 14
    torch.testing.assert_close(
        part.energy(particles), smaller.energy(particles), rtol=1e-12, atol=0
    )


def test_a_loss_may_need_no_targets(network, data, particles):
    potential = network_potential(network, lambda output: output.square().sum(-1), data[0])
    zero = network_potential(network, squares, data[0], 0 * data[1])
    torch.testing.assert_close(
        potential.energy(particles), zero.energy(particles), rtol=1e-12, atol=0
    )


def test_parameters_go_there_and_back(network):
    w = flatten(network)
    for name, parameter in unflatten(network, w).items():
        assert torch.equal(parameter, network.get_parameter(name))


def test_sampling_leaves_the_network_as_it_was(network, data):
    before = copy.deepcopy(network.state_dict())
    plan = ChainPlan(num_chains=2, num_draws=10, num_burnin_steps=5)
    estimate_llc(network_potential(network, squares, *data), flatten(network), SGLD(1e-4), plan)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_a_network_s_reading_does_not_depend_on_the_centers_beside_it(network, data, particles):
    """To the rounding of matrix products, whose kernels are chosen by their shapes."""
    plan = ChainPlan(num_chains=3, num_draws=20, num_burnin_steps=5)
    potential = network_potential(network, squares, *data)
    together = estimate_llc(potential, particles[:, 0], SGLD(1e-4), plan)
    (one,) = estimate_llc(potential, particles[:1, 0], SGLD(1e-4), plan)
    assert together[0].llc == pytest.approx(one.llc, rel=1e-9)


def test_one_layer_may_stay_free(network, data, particles):
    """The last layer of a network on the features that the first makes."""
    w = particles[:, 0]
    mask = torch.arange(w.shape[1]) >= 20
    plan = ChainPlan(num_chains=3, num_draws=20, num_burnin_steps=5)
    part, at = masked(network_potential(network, squares, *data), mask, w)
    readings = estimate_llc(part, at, SGLD(1e-4), plan)
    features = torch.tanh(alone(network, w[0])[0](data[0])).detach()
    last = network_potential(network[2], squares, features, data[1])
    expected = estimate_llc(last, w[:, 20:], SGLD(1e-4), plan)
    assert readings[0].llc == pytest.approx(expected[0].llc, rel=1e-9)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"targets": torch.zeros(39, 2)}, "inputs have 40 rows; targets has 39."),
        ({"subset": torch.zeros(40, dtype=torch.bool)}, "a potential needs at least one row"),
        ({"loss": lambda o, t: squares(o, t).mean()}, "loss must return one value a row, (40,);"),
    ],
)
def test_data_that_do_not_fit(network, data, sentence, options, text):
    given = {"network": network, "loss": squares, "inputs": data[0], "targets": data[1]} | options
    assert sentence(network_potential, **given).startswith(text)
