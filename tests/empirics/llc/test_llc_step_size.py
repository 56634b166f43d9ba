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
from empirics.llc.step_size import estimated_bias, noise_bound, step_size_bias

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
    assert says.startswith("the step size is corrected for plain SGLD alone")


def estimated(potential, at, step_size, scales=None):
    one = at.new_ones(at.shape[0])
    return estimated_bias(
        potential, at, nbeta=NBETA * one, localization=one, step_size=step_size * one,
        scales=scales,
    )  # fmt: skip


@pytest.mark.parametrize("scaled", [False, True])
def test_the_estimate_is_first_order_and_the_steepest_whole(energy_of, quadratic, origin, scaled):
    # On the axes every random direction has the trace itself. Second to steepest at a quarter:
    # twelve turns leave 4^-11 of the others, which enter the curvature by their squares.
    h = np.array([0.3, 1.0, 4.0])
    a = torch.tensor([2.0, 0.25, 8.0], dtype=torch.float64) if scaled else None
    straight = quadratic(torch.as_tensor(h) if a is None else torch.as_tensor(h) / a**2)
    value, se = estimated(energy_of(straight, 3), origin(3), 3e-3, a)
    x = 3e-3 / 4 * (NBETA * h + 1)
    first = 3e-3 / 8 * NBETA * h
    assert value.item() == pytest.approx(first.sum() + first[2] * x[2] / (1 - x[2]), rel=1e-9)
    assert se.item() < 1e-9 * value.item()


def test_the_trace_of_turned_axes_is_known_to_its_error(energy_of, quadratic, origin):
    turn = torch.linalg.qr(torch.randn(9, 9, generator=torch.manual_seed(1), dtype=torch.float64))
    h = np.linspace(0.2, 1.0, 9)
    straight = quadratic(h)
    value, se = estimated(energy_of(lambda w: straight(w @ turn.Q), 9), origin(9), 1e-4)
    # The step is short, so the bias is its first order up to x, a fiftieth of a per cent of 4.
    exact = bias(energy_of(straight, 9), origin(9), 1e-4).item()
    # Var of a quadratic form in random signs: 2 (tr H² - Σ H_ii²), over 8 of them.
    matrix = turn.Q @ torch.diag(torch.as_tensor(h)) @ turn.Q.T
    spread = 1e-4 / 8 * NBETA * math.sqrt(2 * ((h**2).sum() - (matrix.diag() ** 2).sum()) / 8)
    assert abs(value.item() - exact) < 3 * spread + 1e-4 / 4 * NBETA * exact
    assert 0.3 * spread < se.item() < 2 * spread


def steep_regression():
    """Return a potential of ninety-nine directions of curvature 1, and one of 100."""
    rng = torch.Generator().manual_seed(0)
    inputs = torch.randn(400, 100, generator=rng, dtype=torch.float64)
    inputs[:, 0] *= 10
    network = torch.nn.Linear(100, 1, bias=False).double()
    torch.nn.init.zeros_(network.weight)
    potential = network_potential(
        network, lambda out, y: (out[:, 0] - y) ** 2 / 2, inputs, torch.zeros(400).double()
    )
    return potential, flatten(network)


@pytest.mark.parametrize(("step", "is_long"), [(1e-3, False), (2.4e-2, True)])
def test_a_step_too_long_for_one_direction_is_doubted_on_minibatches(step, is_long):
    # Ninety-nine directions of curvature 1 outvote the steep one in the virial.
    potential, center = steep_regression()
    (reading,) = estimate_llc(
        potential, center, SGLD(step, 100), ChainPlan(1.0, 1.0, 4, 200, 50), seed=0
    )
    said = "The step is long: it adds about"
    assert any(doubt.startswith(said) for doubt in reading.doubts) is is_long


def test_on_minibatches_the_estimate_is_subtracted_with_its_error():
    potential, center = steep_regression()
    plan = ChainPlan(1.0, 1.0, 4, 200, 50)
    plain, corrected = (
        estimate_llc(potential, center, SGLD(2.4e-2, 100), plan, seed=0, correct_step_size=is_so)[0]
        for is_so in (False, True)
    )
    one = center.new_ones(1)
    value, se = estimated_bias(
        potential, center[None], nbeta=one, localization=one, step_size=2.4e-2 * one
    )
    assert plain.step_size_bias is None
    assert corrected.step_size_bias == value.item()
    assert corrected.llc == plain.llc - value.item()
    assert corrected.llc_se == math.hypot(plain.llc_se, se.item())
    assert not any("step is long" in doubt for doubt in corrected.doubts)


def test_the_noise_of_minibatches_is_that_of_their_covariance():
    # At w the gradient on a row is x (x·w), so that of B rows has the trace of its covariance
    # over B; 8 minibatches know a variance of d numbers to about sqrt(2/(7 · K)) of it.
    potential, center = steep_regression()
    draws = torch.randn(1, 200, 100, generator=torch.manual_seed(0), dtype=torch.float64) * 0.1
    each = potential.inputs * (potential.inputs @ draws[0].mT).mT[..., None]  # (K, n, d)
    trace = each.var(1, correction=0).sum(-1).mean().item() / 50
    one = center.new_ones(1)
    found = noise_bound(potential, draws, nbeta=3 * one, step_size=0.01 * one, batch_size=50)
    assert found.item() == pytest.approx(0.01 / 8 * 9 * trace, rel=4 * math.sqrt(2 / (7 * 200)))


@pytest.mark.parametrize(("step", "is_said"), [(2e-4, False), (2e-3, True)])
def test_minibatches_too_small_for_the_step_are_said_and_do_lift_the_value(step, is_said):
    """Ten directions of curvature 1, minibatches of two rows: noise like the gradient itself."""
    rng = torch.Generator().manual_seed(0)
    network = torch.nn.Linear(10, 1, bias=False).double()
    torch.nn.init.zeros_(network.weight)
    inputs = torch.randn(400, 10, generator=rng, dtype=torch.float64)
    potential = network_potential(
        network, lambda out, y: (out[:, 0] - y) ** 2 / 2, inputs, torch.zeros(400).double()
    )
    plan = ChainPlan(100.0, 1.0, 16, 200, num_burnin_steps=200, num_steps_bw_draws=5)
    (reading,) = estimate_llc(
        potential, flatten(network), SGLD(step, 2), plan, seed=0, correct_step_size=True
    )
    h = torch.linalg.eigvalsh(inputs.mT @ inputs / 400)
    exact = (100 * h / (100 * h + 1)).sum().item() / 2
    said = any("their noise may add up to" in doubt for doubt in reading.doubts)
    assert said is is_said
    assert (abs(reading.llc - exact) < 0.1 * exact + 3 * reading.llc_se) is not is_said
