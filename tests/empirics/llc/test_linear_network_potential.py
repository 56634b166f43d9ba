"""Deep linear networks as energies: against modules, exact readings and another sampler."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from empirics.llc.chains import ChainPlan
from empirics.llc.estimate import estimate_llc
from empirics.llc.hmc import HMC
from empirics.llc.linear_network_potential import (
    deepest_point,
    linear_network_data_potential,
    linear_network_potential,
)
from empirics.llc.network_potential import flatten, network_potential
from empirics.llc.potential import Potential
from theory.learning_coefficients.tempered_reduced_rank import tempered_reduced_rank

NBETA = 1000 / math.log(1000)


def normal(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def truth(widths, rank):
    best = torch.zeros(widths[-1], widths[0], dtype=torch.float64)
    best.diagonal()[:rank] = 1
    return best


def sampled(widths, rank, *, chains, draws, burnin=10):
    step = 0.1 / NBETA
    plan = ChainPlan(NBETA, 1.0, chains, draws, burnin)
    potential = linear_network_potential(widths, truth(widths, rank))
    sampler = HMC(step, math.ceil(math.pi / 2 / math.sqrt(step)))
    return estimate_llc(potential, deepest_point(widths, rank), sampler, plan, seed=1)[0]


@pytest.mark.parametrize("widths", [(4, 2), (5, 3, 4), (2, 4, 3, 5)])
def test_the_loss_on_data_is_that_of_a_module(widths):
    inputs, targets = normal(30, widths[0]), normal(30, widths[-1], seed=1)
    layers = [nn.Linear(a, b, bias=False) for a, b in zip(widths, widths[1:], strict=False)]
    network = nn.Sequential(*layers).double()
    module = network_potential(
        network, lambda out, y: (out - y).square().sum(-1) / 2, inputs, targets
    )
    closed = linear_network_data_potential(widths, inputs, targets)
    assert (closed.num_parameters, closed.num_samples) == (flatten(network).numel(), 30)
    w = normal(2, 3, closed.num_parameters, seed=2)
    energy, gradient = closed.energy_and_gradient(w)
    expected, slope = module.energy_and_gradient(w)
    torch.testing.assert_close(energy, expected)
    torch.testing.assert_close(closed.energy(w), expected)
    torch.testing.assert_close(gradient, slope)


def test_the_loss_over_all_inputs_is_the_squared_distance_of_the_maps():
    widths, best = (5, 3, 4), normal(4, 5)
    potential = linear_network_potential(widths, best)
    w = normal(2, 3, potential.num_parameters, seed=2)
    first, second = w[..., :15].reshape(2, 3, 3, 5), w[..., 15:].reshape(2, 3, 4, 3)
    expected = (second @ first - best).square().sum((-2, -1)) / 2
    energy, gradient = potential.energy_and_gradient(w)
    torch.testing.assert_close(energy, expected)
    by_autograd = Potential.energy_and_gradient(potential, w)[1]
    torch.testing.assert_close(gradient, by_autograd)


@pytest.mark.parametrize(("widths", "rank"), [((5, 3, 5), 2), ((4, 3, 3, 6), 0), ((2, 2), 2)])
def test_the_deepest_point_makes_the_map(widths, rank):
    potential = linear_network_potential(widths, truth(widths, rank))
    energy, gradient = potential.energy_and_gradient(deepest_point(widths, rank)[None, None])
    assert energy.item() == 0
    assert not gradient.any()


@pytest.mark.parametrize(
    ("widths", "chains"), [((1, 1, 1), 1000), ((2, 2, 2), 300), ((5, 3, 5), 80)]
)
def test_chains_find_the_exact_reading(agrees, widths, chains):
    exact = tempered_reduced_rank(*widths, NBETA, 1.0)
    agrees(sampled(widths, 0, chains=chains, draws=20), exact.llc)


def test_three_layers_of_one_unit_by_quadrature(agrees):
    # tK = t/2 (xyz)²: given x and y, z is Gaussian of the precision 1 + t (xy)².
    log_x = np.arange(-30, math.log(10), 0.02)
    x = np.exp(log_x)
    precision = 1 + NBETA * np.multiply.outer(x**2, x**2)
    each = np.exp(log_x - x**2 / 2)
    weight = np.multiply.outer(each, each) / np.sqrt(precision)
    exact = np.average((1 - 1 / precision) / 2, weights=weight)
    agrees(sampled((1, 1, 1, 1), 0, chains=1000, draws=20), exact)


def test_chains_agree_with_gibbs_where_the_true_map_is_not_zero(agrees):
    # Each factor is Gaussian given the other; 300 chains of exact draws of one after the other.
    widths, rank, rng = (3, 2, 3), 1, np.random.default_rng(0)
    best = truth(widths, rank).numpy()
    chains, eye, home = 300, np.eye(2), np.eye(2, 3) * [1, 0, 0]

    def draw(other, target):
        """Draw A given B from exp(-t/2 |BA - C|² - 1/2 |A - A*|²)."""
        precision = NBETA * other.mT @ other + eye
        mean = np.linalg.solve(precision, NBETA * other.mT @ target + home)
        root = np.linalg.cholesky(np.linalg.inv(precision))
        return mean + root @ rng.standard_normal((chains, 2, 3))

    left, found = np.tile(home.T, (chains, 1, 1)), []
    for step in range(150):
        right = draw(left, best)
        left = draw(right.mT, best.T).mT
        if step >= 50:
            found.append(NBETA / 2 * ((left @ right - best) ** 2).sum((1, 2)))
    each = np.mean(found, axis=0)
    se = each.std(ddof=1) / math.sqrt(chains)
    reading = sampled(widths, rank, chains=200, draws=20)
    assert abs(reading.llc - each.mean()) < 3 * math.hypot(se, reading.llc_se)
    assert max(se, reading.llc_se) < 0.02 * reading.llc


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: linear_network_potential((3,), truth((3,), 0)), "widths must be two at least"),
        (lambda: linear_network_potential((3, 2), truth((2, 3), 0)), r"best must be \(2, 3\)"),
        (lambda: deepest_point((3, 2), 3), "rank must be from 0 to the smallest width, 2; it is 3"),
        (
            lambda: linear_network_data_potential((3, 2), normal(5, 3), normal(4, 2)),
            r"inputs and targets must be \(n, 3\) and \(n, 2\)",
        ),
        (
            lambda: linear_network_data_potential((3, 2), normal(2, 3), normal(2, 2)),
            "inputs must be of full rank, 3; theirs is 2",
        ),
    ],
)
def test_mistakes_are_named(call, says):
    with pytest.raises(ValueError, match=says):
        call()
