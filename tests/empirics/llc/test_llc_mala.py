import math

import numpy as np
import pytest
import torch
from torch.distributions import Normal

from empirics.llc.chains import ChainPlan
from empirics.llc.estimate import estimate_llc
from empirics.llc.mala import MALA
from empirics.llc.sampler import acceptance, langevin_log_ratio
from empirics.llc.target import Target

NBETA = 1000 / math.log(1000)


@pytest.mark.parametrize(
    ("k", "localization", "step_size"),
    [(1, 1.0, 8e-3), (2, 1.0, 0.02), (3, 1.0, 0.02), (2, 100.0, 0.01), (3, 100.0, 0.01)],
)
def test_a_power_has_its_exact_value(
    energy_of, power, origin, exact_power, agrees, k, localization, step_size
):
    plan = ChainPlan(
        localization=localization,
        num_chains=1000,
        num_draws=150,
        num_burnin_steps=150,
        num_steps_bw_draws=3,
    )
    potential = energy_of(power(2 * k), 1, 1000)
    (reading,) = estimate_llc(potential, origin(1), MALA(step_size), plan, seed=1)
    agrees(reading, exact_power(2 * k, NBETA, localization), relative_se=0.03)


def test_a_product_has_its_value_at_a_finite_temperature(energy_of, origin, agrees):
    """(xy)² has the coefficient 1/2 with multiplicity 2: far off at n = 1000, and known there."""
    x = np.linspace(-7, 7, 2801)
    square = np.multiply.outer(x**2, x**2)
    weight = np.exp(-NBETA * square) * np.multiply.outer(np.exp(-(x**2) / 2), np.exp(-(x**2) / 2))
    exact = float(NBETA * (square * weight).sum() / weight.sum())
    potential = energy_of(lambda w: (w[..., 0] * w[..., 1]) ** 2, 2, 1000)
    plan = ChainPlan(num_chains=1000, num_draws=200, num_burnin_steps=400, num_steps_bw_draws=6)
    (reading,) = estimate_llc(potential, origin(2), MALA(0.01), plan)
    agrees(reading, exact, relative_se=0.03)


def test_the_ratio_is_that_of_densities_and_proposals(energy_of, power, origin):
    """Against the two normal densities of the proposals, with each parameter's own scale."""
    scales = torch.tensor([[[0.5, 2.0]]], dtype=torch.float64)
    each = torch.full((1, 1, 1), 2.0, dtype=torch.float64)
    target = Target(energy_of(power(4), 2), origin(2)[:, None], each, each / 4, scales)
    before, after = (
        target.at(torch.tensor(w, dtype=torch.float64)[None, None])
        for w in ([0.3, -0.8], [0.4, 0.5])
    )
    size, metric = torch.full((1, 1, 1), 0.3, dtype=torch.float64), scales**2

    def proposed(source, goal):
        mean = source.w - size / 2 * metric * source.force
        return Normal(mean, (size * metric).sqrt()).log_prob(goal.w).sum(-1)

    def density(point):
        return -(2.0 * point.energy + 0.25 * (point.w / scales).square().sum(-1))

    expected = density(after) - density(before) + proposed(after, before) - proposed(before, after)
    ratio = langevin_log_ratio(target, before, after, size, metric)
    torch.testing.assert_close(ratio, expected, rtol=1e-12, atol=1e-12)


def test_a_ratio_that_is_not_a_number_accepts_nothing():
    ratios = torch.tensor([0.0, 5.0, -math.inf, math.nan, math.log(0.25)])
    torch.testing.assert_close(acceptance(ratios), torch.tensor([1.0, 1.0, 0.0, 0.0, 0.25]))
