"""Behavior's divergence from the checkpoint's, and the coefficient that it has."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from torch import nn

from empirics.llc.chains import ChainPlan
from empirics.llc.estimate import estimate_llc
from empirics.llc.hmc import HMC
from empirics.llc.network_potential import flatten
from empirics.llc.potentials.action_law import Categorical, Gaussian
from empirics.llc.potentials.behavior_kl import behavior_kl
from empirics.llc.potentials.freeze_states import FrozenStates
from empirics.llc.potentials.outputs import NetworkOutputs, tabular_outputs

VISITED, ACTIONS = 3, 3


def frozen(states, weights=None, num_samples=None):
    n = len(states)
    shares = np.full(n, 1 / n) if weights is None else np.asarray(weights)
    return FrozenStates(states, shares, "the test", num_samples)


def table(seed=0):
    """Return a softmax policy on 5 states of which 3 are visited, two checkpoints, the states."""
    states = frozen(np.array([0, 2, 3]), [0.5, 0.3, 0.2])
    whole = tabular_outputs(5, ACTIONS)
    outputs = whole.on(states.states)
    centers = torch.tensor(np.random.default_rng(seed).standard_normal((2, 5 * ACTIONS)))
    return outputs, states, centers


def test_the_categorical_divergence_is_the_sum_of_its_definition():
    rng = np.random.default_rng(0)
    a, b = (torch.tensor(rng.standard_normal((4, 5)) * 3) for _ in range(2))
    p, q = torch.softmax(a, -1), torch.softmax(b, -1)
    expected = (p * (p / q).log()).sum(-1)
    torch.testing.assert_close(Categorical().divergence(a, b), expected, rtol=1e-12, atol=0)


def test_the_categorical_divergence_of_single_precision_keeps_small_values_positive():
    logits = torch.tensor([0.3, -1.0, 2.0])
    moved = logits + torch.tensor([1e-3, -2e-3, 1e-3])
    exact = Categorical().divergence(logits.double(), moved.double()).item()
    found = Categorical().divergence(logits, moved).item()
    # Each log ratio of about 1e-3 is known to the rounding of logs of about 3.
    assert found == pytest.approx(exact, rel=10 * 3 * 2**-24 / 1e-3)


def test_the_categorical_divergence_stays_finite_far_out():
    far = torch.tensor([200.0, 0.0, -200.0])
    assert Categorical().divergence(far, -far).item() == pytest.approx(400, rel=1e-6)


@pytest.mark.parametrize("fixed", [True, False])
def test_the_gaussian_divergence_is_that_of_quadrature(fixed):
    law = Gaussian(0.7 if fixed else None)
    center, other = torch.tensor([[0.2, math.log(0.7)], [-0.4, math.log(0.7 if fixed else 1.3)]])
    here, there = (
        stats.norm(v[0].item(), math.exp(v[1].item())) for v in (center.double(), other.double())
    )
    exact, error = integrate.quad(
        lambda a: here.pdf(a) * (here.logpdf(a) - there.logpdf(a)), -8, 8, epsabs=1e-10
    )
    kept = slice(0, 1) if fixed else slice(0, 2)
    found = law.divergence(center.double()[kept], other.double()[kept]).item()
    # The logs of sd were rounded to single precision.
    assert found == pytest.approx(exact, abs=1e-6)


def test_log_probabilities_are_those_of_scipy():
    logits = torch.tensor([[0.5, -1.0, 2.0]], dtype=torch.float64)
    chosen = Categorical().log_probability(logits, torch.tensor([2])).item()
    assert chosen == pytest.approx(2 - np.logaddexp.reduce([0.5, -1, 2]), rel=1e-12)
    mean, action = torch.tensor([[0.1, -0.2]]).double(), torch.tensor([[0.5, 0.5]]).double()
    expected = stats.norm(mean.numpy(), 0.3).logpdf(action.numpy()).sum()
    assert Gaussian(0.3).log_probability(mean, action).item() == pytest.approx(expected, rel=1e-12)


def test_the_energy_is_zero_at_every_center_and_nowhere_negative():
    outputs, states, centers = table()
    potential = behavior_kl(outputs, Categorical(), states, centers)
    energy, gradient = potential.energy_and_gradient(centers[:, None])
    assert (energy == 0).all()
    assert gradient.abs().max() < 1e-15
    near = centers[:, None] + 1e-8 * torch.randn(2, 50, 15, dtype=torch.float64)
    assert (potential.energy(near) >= 0).all()


def test_the_curvature_is_the_fisher_matrix_of_the_visited_states():
    outputs, states, centers = table()
    potential = behavior_kl(outputs, Categorical(), states, centers)
    p = torch.softmax(outputs.at_centers(centers), -1)
    fisher = torch.diag_embed(p) - p[..., :, None] * p[..., None, :]
    _, weights = states.to_tensors(p)
    f = outputs.features
    expected = torch.einsum("s,sad,csab,sbe->cde", weights, f, fisher, f)
    torch.testing.assert_close(potential.hessian(centers), expected, rtol=1e-10, atol=1e-13)


def localized(hessian, nbeta, localization):
    steepness = nbeta * torch.linalg.eigvalsh(hessian).clamp(min=0)
    return (steepness / (steepness + localization)).sum(-1).numpy() / 2


def test_the_coefficient_of_a_table_is_half_the_free_logits_of_the_visited_states():
    outputs, states, centers = table()
    hessian = behavior_kl(outputs, Categorical(), states, centers).hessian(centers)
    exact = VISITED * (ACTIONS - 1) / 2
    np.testing.assert_allclose(localized(hessian, 1e9, 1.0), exact, rtol=1e-6)


def test_chains_read_half_the_rank_at_every_checkpoint():
    outputs, states, centers = table()
    potential = behavior_kl(outputs, Categorical(), states, centers)
    nbeta, localization = 1e6, 1e3
    plan = ChainPlan(nbeta, localization, num_chains=30, num_draws=40, num_burnin_steps=20)
    found = estimate_llc(potential, centers, HMC(1e-5, num_leapfrog_steps=8), plan, seed=4)
    exact = localized(potential.hessian(centers), nbeta, localization)
    for reading, value in zip(found, exact, strict=True):
        assert abs(reading.llc - value) < 3 * reading.llc_se
        assert reading.init_loss == 0
        assert max(reading.below_center) == 0


def test_minibatches_of_states_are_unbiased():
    outputs, states, centers = table()
    potential = behavior_kl(outputs, Categorical(), states, centers)
    every = torch.cartesian_prod(*[torch.arange(3)] * 2)
    w = centers[:, None] + torch.linspace(0, 1, 15, dtype=torch.float64)
    on_rows = potential.energy(w.expand(2, 9, 15), every[None].expand(2, 9, 2))
    torch.testing.assert_close(on_rows.mean(1, keepdim=True), potential.energy(w))


def test_a_network_policy_has_the_divergence_of_its_outputs():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2)).double()
    observations = torch.tensor(np.random.default_rng(0).standard_normal((7, 4)))
    outputs = NetworkOutputs(network, observations)
    centers = flatten(network)[None]
    states = frozen(observations.numpy(), num_samples=7)
    potential = behavior_kl(outputs, Gaussian(0.5), states, centers)
    moved = centers + 0.1
    with torch.no_grad():
        before = network(observations)
        nn.utils.vector_to_parameters(moved[0], network.parameters())
        expected = ((network(observations) - before) ** 2).sum(-1).mean() / (2 * 0.5**2)
    found = potential.energy(moved[:, None])[0, 0]
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)
    rows = torch.arange(7).expand(1, 1, 7)
    torch.testing.assert_close(potential.energy(moved[:, None], rows)[0, 0], found)


def test_parts_of_the_centers_keep_their_own_targets():
    outputs, states, centers = table()
    potential = behavior_kl(outputs, Categorical(), states, centers)
    assert potential.chunk(1, 2).energy(centers[1:2, None]).item() == 0
    assert (potential.repeat(2).energy(centers.repeat_interleave(2, 0)[:, None]) == 0).all()


def test_a_potential_moved_to_another_device_leaves_the_first_behind():
    outputs, states, centers = table()
    potential = behavior_kl(outputs, Categorical(), states, centers)
    moved = potential.to("meta")
    assert moved.outputs.features.device.type == moved.targets.device.type == "meta"
    assert potential.outputs.features.device.type == potential.targets.device.type == "cpu"


def test_outputs_for_other_states_are_refused():
    outputs, _, centers = table()
    with pytest.raises(ValueError, match="the outputs are for 3 states, and 2 are frozen"):
        behavior_kl(outputs, Categorical(), frozen(np.array([0, 1])), centers)
