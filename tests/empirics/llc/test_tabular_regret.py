"""The exact regret: identities, gradients, and what leaves it as it is."""

import numpy as np
import pytest
import torch
from torch import nn

from empirics.llc.chains import ChainPlan
from empirics.llc.estimate import estimate_llc
from empirics.llc.potentials.outputs import LinearOutputs, NetworkOutputs, tabular_outputs
from empirics.llc.potentials.tabular_regret import tabular_regret
from empirics.llc.sgld import SGLD
from empirics.tabular.corner import corner_mdp
from empirics.tabular.evaluation import occupancy
from empirics.tabular.optimum import optimum
from empirics.tabular.rollouts import rollouts

MDP = corner_mdp()
TABLE = tabular_outputs(9, 4)
TAU = 0.3


def particles(count=6, spread=1.0, seed=0):
    rng = np.random.default_rng(seed)
    return torch.tensor(spread * rng.standard_normal((1, count, 36)))


def policies(w):
    return torch.softmax(w.reshape(*w.shape[:-1], 9, 4), -1)


def best_logits(temperature=TAU):
    return optimum(MDP, temperature).policy.log().reshape(1, -1)


def test_regret_is_the_visits_times_the_lost_advantages():
    w = particles()
    lost = -(policies(w) * optimum(MDP).advantages).sum(-1)
    expected = (occupancy(MDP, policies(w)) * lost).sum(-1)
    torch.testing.assert_close(tabular_regret(MDP, TABLE).energy(w), expected, rtol=1e-11, atol=0)


def test_regularized_regret_is_the_visits_times_the_divergence_from_the_best_policy():
    w = particles()
    policy, best = policies(w), optimum(MDP, TAU).policy
    divergence = (policy * (policy / best).log()).sum(-1)
    expected = TAU * (occupancy(MDP, policy) * divergence).sum(-1)
    found = tabular_regret(MDP, TABLE, temperature=TAU).energy(w)
    torch.testing.assert_close(found, expected, rtol=1e-11, atol=0)


def test_the_regularized_optimum_has_no_regret_and_no_gradient():
    potential = tabular_regret(MDP, TABLE, temperature=TAU)
    energy, gradient = potential.energy_and_gradient(best_logits()[:, None])
    assert abs(energy.item()) < 1e-13
    assert gradient.abs().max() < 1e-13


def test_an_entropy_bonus_has_the_regret_of_the_divergence_from_uniform_actions():
    w = particles()
    divergence = tabular_regret(MDP, TABLE, temperature=TAU).energy(w)
    bonus = tabular_regret(MDP, TABLE, temperature=TAU, reference=torch.ones(9, 4)).energy(w)
    torch.testing.assert_close(bonus, divergence, rtol=1e-11, atol=0)


@pytest.mark.parametrize("temperature", [0.0, TAU])
def test_the_gradient_is_that_of_finite_differences(temperature):
    potential = tabular_regret(MDP, TABLE, temperature=temperature)
    w, h = particles(1), 1e-5
    _, gradient = potential.energy_and_gradient(w)
    offsets = h * torch.eye(36, dtype=w.dtype)
    both = potential.energy(torch.cat([w + offsets, w - offsets], 1))
    numeric = (both[:, :36] - both[:, 36:]) / (2 * h)
    # h² times the third derivatives, which are below 100 here, and rounding over h.
    torch.testing.assert_close(gradient[:, 0], numeric, rtol=0, atol=1e-8)


def test_sampled_episodes_have_the_regret():
    w = particles(1)
    returns = rollouts(MDP, policies(w)[0, 0], 10_000, 120, rng=np.random.default_rng(1)).returns()
    sampled = optimum(MDP).expected_return - returns.mean()
    exact = tabular_regret(MDP, TABLE).energy(w).item()
    assert abs(sampled - exact) < 3 * returns.std() / 100 + MDP.gamma**120 / (1 - MDP.gamma)


PHI = torch.linspace(-2, 3, 9, dtype=torch.float64) ** 2


@pytest.mark.parametrize(
    "changed", [MDP.rewarded(shift=-0.7), MDP.shaped(PHI)], ids=["shift", "shaping"]
)
@pytest.mark.parametrize("temperature", [0.0, TAU])
def test_shifted_and_shaped_rewards_leave_the_regret(changed, temperature):
    w = particles()
    before = tabular_regret(MDP, TABLE, temperature=temperature).energy(w)
    after = tabular_regret(changed, TABLE, temperature=temperature).energy(w)
    torch.testing.assert_close(after, before, rtol=0, atol=1e-12)


def test_scaled_rewards_and_temperature_scale_the_regret():
    w = particles()
    before = tabular_regret(MDP, TABLE, temperature=TAU).energy(w)
    after = tabular_regret(MDP.rewarded(scale=3.0), TABLE, temperature=3 * TAU).energy(w)
    torch.testing.assert_close(after, 3 * before, rtol=1e-11, atol=0)


def reading(mdp, nbeta, temperature):
    potential = tabular_regret(mdp, TABLE, temperature=temperature)
    plan = ChainPlan(
        nbeta=nbeta, localization=100.0, num_chains=2, num_draws=50, num_burnin_steps=10
    )
    return estimate_llc(potential, best_logits(), SGLD(1e-4), plan, seed=3)[0]


@pytest.mark.parametrize(
    ("changed", "scale"),
    [(MDP.rewarded(shift=-0.7), 1.0), (MDP.shaped(PHI), 1.0), (MDP.rewarded(scale=3.0), 3.0)],
    ids=["shift", "shaping", "scale"],
)
def test_the_reading_does_not_depend_on_how_the_reward_is_written(changed, scale):
    before = reading(MDP, 1e4, TAU)
    after = reading(changed, 1e4 / scale, scale * TAU)
    # The energies agree to 1e-13, and nbeta is 1e4.
    assert after.llc == pytest.approx(before.llc, abs=1e-7)


def test_rewards_times_four_at_a_quarter_of_nbeta_have_the_same_reading_to_the_bit():
    assert reading(MDP.rewarded(scale=4.0), 2500.0, 4 * TAU).llc == reading(MDP, 1e4, TAU).llc


def test_single_precision_parameters_have_a_regret_of_double_precision():
    potential = tabular_regret(MDP, TABLE, temperature=TAU)
    w = particles().float()
    energy, gradient = potential.energy_and_gradient(w)
    assert energy.dtype == gradient.dtype == torch.float32
    exact = potential.energy(w.double())
    torch.testing.assert_close(energy.double(), exact, rtol=2**-20, atol=0)


def test_a_softmax_without_temperature_never_reaches_its_optimum():
    w = 10 * (optimum(MDP).policy.reshape(1, 1, -1) - 0.5)
    energy, gradient = tabular_regret(MDP, TABLE).energy_and_gradient(w)
    assert energy.item() > 0
    assert gradient.norm().item() > 0
    nearer, flatter = tabular_regret(MDP, TABLE).energy_and_gradient(2 * w)
    assert 0 < nearer.item() < energy.item()
    assert 0 < flatter.norm().item() < gradient.norm().item()


def test_a_network_over_one_hot_observations_has_the_regret_of_its_table():
    network = nn.Linear(9, 4, bias=False, dtype=torch.float64)
    logits = NetworkOutputs(network, torch.eye(9, dtype=torch.float64))
    w = particles()
    # A linear layer's weights are (actions, states).
    turned = w.reshape(1, 6, 9, 4).mT.reshape(1, 6, 36)
    found = tabular_regret(MDP, logits).energy(turned)
    torch.testing.assert_close(found, tabular_regret(MDP, TABLE).energy(w), rtol=1e-12, atol=0)


def test_features_shared_by_states_are_a_table_with_equal_rows():
    shared = LinearOutputs(torch.eye(4, dtype=torch.float64).expand(9, 4, 4))
    w = particles()[..., :4]
    found = tabular_regret(MDP, shared).energy(w)
    expected = tabular_regret(MDP, TABLE).energy(w.repeat(1, 1, 9))
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)


def test_logits_of_another_problem_are_refused():
    with pytest.raises(ValueError, match=r"logits must be \(9, 4\), \(S, A\); they are \(9, 3\)"):
        tabular_regret(MDP, tabular_outputs(9, 3))
