import math

import numpy as np
import pytest
import torch

from empirics.llc.chains import ChainPlan
from empirics.llc.estimate import estimate_llc
from empirics.llc.hmc import HMC
from empirics.llc.mala import MALA
from empirics.llc.network_potential import flatten, network_potential
from empirics.llc.sgld import SGLD, RMSProp
from empirics.llc.step_size import steepest_lift, step_size_bias

NBETA = 1000 / math.log(1000)


def bias(potential, at, step_size, scales=None):
    each = at.new_ones(at.shape[0])
    return step_size_bias(
        potential, at, nbeta=NBETA * each, localization=each, step_size=step_size * each,
        scales=scales,
    )  # fmt: skip


def test_the_bias_of_a_quadratic_is_exact(energy_of, quadratic, origin, exact_quadratic):
    h = np.array([0.3, 1.0, 4.0])
    value = bias(energy_of(quadratic(h), 3), origin(3), 3e-3)
    expected = exact_quadratic(h, NBETA, 1.0, 3e-3) - exact_quadratic(h, NBETA, 1.0)
    assert value.item() == pytest.approx(expected, rel=1e-12)


def test_curvatures_are_those_of_turned_axes(energy_of, quadratic, origin):
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.manual_seed(0), dtype=torch.float64))
    straight = quadratic([0.3, 1.0, 4.0])
    turned = energy_of(lambda w: straight(w @ turn.Q), 3)
    expected = bias(energy_of(straight, 3), origin(3), 3e-3)
    torch.testing.assert_close(bias(turned, origin(3), 3e-3), expected, rtol=1e-9, atol=0)


def test_flat_directions_add_nothing(energy_of, power, origin):
    assert bias(energy_of(power(4), 1), origin(1), 1e-2).item() == 0.0


def test_the_bias_is_infinite_from_where_the_chain_diverges(energy_of, quadratic, origin):
    stable = 4 / (NBETA + 1)
    potential = energy_of(quadratic([1.0]), 1)
    assert math.isfinite(bias(potential, origin(1), 0.999 * stable).item())
    assert bias(potential, origin(1), 1.001 * stable).item() == math.inf


def test_scales_that_go_with_a_reparametrization_leave_the_bias(energy_of, quadratic, origin):
    """Each parameter multiplied by its own power of two, and so its scale."""
    a = torch.tensor([2.0, 0.25, 8.0], dtype=torch.float64)
    h = torch.tensor([0.3, 1.0, 4.0], dtype=torch.float64)
    plain = bias(energy_of(quadratic(h), 3), origin(3), 3e-3)
    scaled = bias(energy_of(quadratic(h / a**2), 3), origin(3), 3e-3, scales=a)
    torch.testing.assert_close(scaled, plain, rtol=1e-12, atol=0)


def test_a_corrected_reading_is_that_of_no_step(
    energy_of, quadratic, origin, exact_quadratic, agrees
):
    """At a step that lifts the value by a sixth."""
    h = np.ones(10)
    plan = ChainPlan(num_chains=100, num_draws=200, num_burnin_steps=50)
    (reading,) = estimate_llc(
        energy_of(quadratic(h), 10, 1000), origin(10), SGLD(4e-3), plan, correct_step_size=True
    )
    ideal = exact_quadratic(h, NBETA, 1.0)
    agrees(reading, ideal, relative_se=0.01)
    assert reading.step_size_bias == pytest.approx(
        exact_quadratic(h, NBETA, 1.0, 4e-3) - ideal, rel=1e-9
    )


@pytest.mark.parametrize(
    "sampler",
    [MALA(1e-3), HMC(1e-3), SGLD(1e-3, preconditioner=RMSProp())],
    ids=["MALA", "HMC", "RMSProp"],
)
def test_other_samplers_have_no_closed_form(energy_of, quadratic, origin, sentence, sampler):
    says = sentence(
        estimate_llc, energy_of(quadratic([1.0]), 1, 1000), origin(1), sampler,
        correct_step_size=True,
    )  # fmt: skip
    assert says.startswith("the step size is corrected in closed form for plain SGLD")


@pytest.mark.parametrize("scaled", [False, True])
def test_the_steepest_direction_has_its_share_of_the_bias(energy_of, quadratic, origin, scaled):
    # Second to steepest at a quarter: twelve turns leave 4^-11 of the other directions, which
    # enter the curvature by their squares.
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.manual_seed(0), dtype=torch.float64))
    a = torch.tensor([2.0, 0.25, 8.0], dtype=torch.float64) if scaled else torch.ones(3).double()
    straight = quadratic([0.3, 1.0, 4.0])
    potential = energy_of(lambda w: straight((w / a) @ turn.Q), 3)
    one = origin(3).new_ones(1)
    found = steepest_lift(
        potential, origin(3), nbeta=NBETA * one, localization=one, step_size=3e-3 * one, scales=a
    )
    expected = bias(energy_of(quadratic([4.0]), 1), origin(1), 3e-3)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=0)


@pytest.mark.parametrize(("step", "is_long"), [(1e-3, False), (2.4e-2, True)])
def test_a_step_too_long_for_one_direction_is_doubted_on_minibatches(step, is_long):
    # Ninety-nine directions of curvature 1 outvote one of 100 in the virial.
    rng = torch.Generator().manual_seed(0)
    inputs = torch.randn(400, 100, generator=rng, dtype=torch.float64)
    inputs[:, 0] *= 10
    network = torch.nn.Linear(100, 1, bias=False).double()
    torch.nn.init.zeros_(network.weight)
    potential = network_potential(
        network, lambda out, y: (out[:, 0] - y) ** 2 / 2, inputs, torch.zeros(400).double()
    )
    (reading,) = estimate_llc(
        potential, flatten(network), SGLD(step, 100), ChainPlan(1.0, 1.0, 4, 200, 50), seed=0
    )
    said = "The step is long: in the steepest direction alone it adds"
    assert any(doubt.startswith(said) for doubt in reading.doubts) is is_long
