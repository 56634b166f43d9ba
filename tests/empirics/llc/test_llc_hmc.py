import math

import numpy as np
import pytest

from empirics.llc.chains import ChainPlan
from empirics.llc.estimate import estimate_llc
from empirics.llc.hmc import HMC

NBETA = 1000 / math.log(1000)


@pytest.mark.parametrize(("k", "step_size"), [(1, 2e-3), (2, 0.02), (3, 0.01)])
def test_a_power_has_its_exact_value(energy_of, power, origin, exact_power, agrees, k, step_size):
    plan = ChainPlan(num_chains=1000, num_draws=100, num_burnin_steps=20)
    potential = energy_of(power(2 * k), 1, 1000)
    (reading,) = estimate_llc(potential, origin(1), HMC(step_size, num_leapfrog_steps=8), plan)
    agrees(reading, exact_power(2 * k, NBETA, 1.0))


def test_a_quadratic_of_a_hundred_parameters(energy_of, quadratic, origin, exact_quadratic, agrees):
    h = np.geomspace(0.2, 2.0, 100)
    plan = ChainPlan(num_chains=40, num_draws=100, num_burnin_steps=30)
    potential = energy_of(quadratic(h), 100, 1000)
    (reading,) = estimate_llc(potential, origin(100), HMC(2e-3), plan)
    agrees(reading, exact_quadratic(h, NBETA, 1.0))


def test_a_trajectory_has_at_least_one_step(sentence):
    says = sentence(HMC, 1e-3, num_leapfrog_steps=0)
    assert says == "num_leapfrog_steps must be at least 1; it is 0."
