"""Energies without a learning coefficient: what is wrong with each, in numbers."""

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from empirics.llc.chains import ChainPlan
from empirics.llc.estimate import estimate_llc
from empirics.llc.hmc import HMC
from empirics.llc.masked import masked
from empirics.llc.potentials.action_law import Categorical, Gaussian
from empirics.llc.potentials.behavior_kl import behavior_kl
from empirics.llc.potentials.clipped_surrogate import clipped_surrogate
from empirics.llc.potentials.curl import curl
from empirics.llc.potentials.freeze_states import FrozenStates
from empirics.llc.potentials.gaussian_bandit import GaussianBandit
from empirics.llc.potentials.outputs import LinearOutputs, tabular_outputs
from empirics.llc.potentials.root_loss import root_loss
from empirics.llc.potentials.td_field import td_field
from empirics.llc.potentials.value_regression import value_regression
from empirics.tabular.evaluation import occupancy
from empirics.tabular.mdp import TabularMDP

# One state, D = 6 actions, sd = 0.3; the policy's mean is MISS away from the goal and moves
# towards it by `apart`.
SD, D, CLIP = 0.3, 6, 0.2
MISS = 1.5**0.5


def gained(apart):
    """Return the return won, -(MISS - apart)² + MISS²."""
    return 2 * MISS * apart - apart**2


def clipped_by_quadrature(apart):
    """Return E min(ratio A, clip(ratio) A), A of the reward's expectation.

    Along the way to the goal the action is z sd off; across it the squares are chi-squared with
    D - 1 degrees, of which A needs an expectation of a piecewise linear function.
    """
    across = stats.chi2(D - 1)

    def over_squares(z):
        ratio = np.exp(z * apart / SD - apart**2 / (2 * SD**2))
        clipped = np.clip(ratio, 1 - CLIP, 1 + CLIP)
        # A = top - sd² (chi² - (D - 1)); positive below the square `zero`.
        top = 2 * SD * MISS * z - SD**2 * (z**2 - 1)
        zero = top / SD**2 + D - 1
        inside = across.cdf(zero)
        # E[chi²; chi² < x] = (D - 1) P(chi²_{D + 1} < x).
        positive = (top + SD**2 * (D - 1)) * inside - SD**2 * (D - 1) * stats.chi2(D + 1).cdf(zero)
        negative = top - positive
        value = min(ratio, clipped) * positive + max(ratio, clipped) * negative
        return stats.norm.pdf(z) * value

    kinks = [SD * np.log(1 + s * CLIP) / apart + apart / (2 * SD) for s in (-1, 1)]
    return integrate.quad(over_squares, -8, 8, points=kinks, limit=200, epsabs=1e-9)[0]


def sampled_surrogate(n=20_000):
    rng = np.random.default_rng(0)
    outputs = LinearOutputs(torch.eye(D, dtype=torch.float64)[:, :1].expand(n, D, 1))
    center = torch.zeros(1, 1, dtype=torch.float64)
    goal = torch.zeros(D, dtype=torch.float64)
    goal[0] = MISS
    actions = SD * torch.tensor(rng.standard_normal((1, n, D)))
    advantages = -((actions - goal) ** 2).sum(-1) + MISS**2 + D * SD**2
    return clipped_surrogate(outputs, Gaussian(SD), actions, advantages, center, clip_coef=CLIP)


@pytest.mark.parametrize(
    ("apart", "true", "clipped"), [(0.1, 0.235, 0.108), (0.3, 0.645, 0.091), (0.6, 1.110, 0.005)]
)
def test_the_clipped_surrogate_goes_flat_where_the_return_rises(apart, true, clipped):
    assert gained(apart) == pytest.approx(true, abs=1e-3)
    assert clipped_by_quadrature(apart) == pytest.approx(clipped, abs=5e-4)


def test_sampled_surrogates_have_the_value_of_quadrature():
    potential = sampled_surrogate()
    w = torch.tensor([[[0.1], [0.3], [0.6]]], dtype=torch.float64)
    now = Gaussian(SD).log_probability(potential.outputs(w), potential.actions[:, None])
    ratio = torch.exp(now - potential.old_log_probability)
    terms = torch.minimum(
        ratio * potential.advantages, ratio.clamp(1 - CLIP, 1 + CLIP) * potential.advantages
    )
    se = terms.std(-1)[0].numpy() / np.sqrt(terms.shape[-1])
    exact = [clipped_by_quadrature(apart) for apart in (0.1, 0.3, 0.6)]
    assert (np.abs(-potential.energy(w)[0].numpy() - exact) < 3 * se).all()


def test_the_clipped_surrogate_starts_along_the_return():
    potential = sampled_surrogate()
    _, slope = potential.energy_and_gradient(torch.zeros(1, 1, 1, dtype=torch.float64))
    score = potential.actions[..., 0] / SD**2 * potential.advantages
    se = score.std().item() / score.numel() ** 0.5
    assert abs(-slope.item() - 2 * MISS) < 3 * se


def test_categorical_surrogates_take_the_log_probability_of_the_action():
    outputs = tabular_outputs(2, 3)
    center = torch.zeros(1, 6, dtype=torch.float64)
    actions = torch.tensor([[0, 2]])
    advantages = torch.tensor([[1.0, -1.0]], dtype=torch.float64)
    potential = clipped_surrogate(outputs, Categorical(), actions, advantages, center)
    w = torch.log(torch.tensor([[[1.1, 1, 0.9, 0.95, 1, 1.05]]], dtype=torch.float64))
    assert potential.energy(w).item() == pytest.approx(-(1.1 - 1.05) / 2, rel=1e-12)


def square():
    """Return w² over one parameter."""
    outputs = LinearOutputs(torch.ones(1, 1, 1, dtype=torch.float64))
    frozen = FrozenStates(np.zeros(1, dtype=int), np.ones(1), "one state", None)
    center = torch.zeros(1, 1, dtype=torch.float64)
    return value_regression(outputs, frozen, torch.zeros(1), center), center


@pytest.mark.parametrize(("root", "coefficient"), [(False, 0.5), (True, 1.0)])
def test_a_square_root_doubles_the_coefficient(root, coefficient):
    potential, center = square()
    potential = root_loss(potential) if root else potential
    nbeta = 1000.0
    plan = ChainPlan(nbeta, num_chains=100, num_draws=30, num_burnin_steps=20)
    step_size = 1e-7 if root else 1e-4
    found = estimate_llc(
        potential,
        center,
        HMC(step_size, num_leapfrog_steps=8),
        plan,
        seed=1,
        as_negative_control=True,
    )[0]
    # The pull of localization 1 changes the mean by less than 1/1000 of it.
    assert abs(found.llc - coefficient) < 3 * found.llc_se + 1e-3 * coefficient
    assert found.llc_se < 0.1


def test_a_root_has_no_slope_at_zero_and_that_of_the_root_elsewhere():
    potential, _ = square()
    at = torch.tensor([[[0.0], [-2.0], [3.0]]], dtype=torch.float64)
    energy, slope = root_loss(potential).energy_and_gradient(at)
    torch.testing.assert_close(energy, torch.tensor([[0.0, 2, 3]], dtype=torch.float64))
    torch.testing.assert_close(slope[..., 0], torch.tensor([[0.0, -1, 1]], dtype=torch.float64))


def chain(seed=0):
    rng = np.random.default_rng(seed)
    mdp = TabularMDP(
        torch.tensor(rng.dirichlet(np.ones(5), (5, 2))),
        torch.tensor(rng.standard_normal((5, 2))),
        torch.full((5,), 0.2),
        0.9,
    )
    policy = torch.tensor(rng.dirichlet(np.ones(2), 5))
    features = torch.tensor(rng.standard_normal((5, 3)))
    return mdp, policy, features


def linear_td():
    """Return the field of linear TD, and its closed form A, b."""
    mdp, policy, features = chain()
    weights = (1 - mdp.gamma) * occupancy(mdp, policy)
    moves = torch.einsum("sa,sat->st", policy, mdp.transition)
    steady = torch.diag(weights)
    a = features.T @ steady @ (torch.eye(5, dtype=torch.float64) - mdp.gamma * moves) @ features
    b = features.T @ steady @ (policy * mdp.reward).sum(-1)
    return td_field(mdp, policy, LinearOutputs(features[:, None]), weights), a, b


def test_linear_temporal_differences_have_their_closed_form():
    potential, a, b = linear_td()
    w = torch.tensor(np.random.default_rng(1).standard_normal((1, 4, 3)))
    _, field = potential.energy_and_gradient(w)
    torch.testing.assert_close(field, w @ a.T - b, rtol=1e-12, atol=1e-13)


def test_temporal_differences_have_a_curl():
    potential, a, _ = linear_td()
    found = curl(potential, torch.zeros(3, dtype=torch.float64))[0]
    # Rounding over the spacing.
    torch.testing.assert_close(found, (a - a.T) / 2, rtol=0, atol=1e-9)
    assert found.abs().max() > 0.01


def test_reversible_temporal_differences_in_a_table_have_none():
    # Weights of the stationary law of a symmetric chain make D (1 - gamma P) symmetric.
    _, policy, _ = chain()
    step = torch.eye(5, dtype=torch.float64)
    moves = (step.roll(1, 0) + step.roll(-1, 0)) / 2
    mdp = TabularMDP(
        moves[:, None].expand(5, 2, 5), torch.ones(5, 2), torch.full((5,), 0.2), gamma=0.9
    )
    potential = td_field(mdp, policy, tabular_outputs(5, 1), torch.full((5,), 0.2))
    found = curl(potential, torch.zeros(5, dtype=torch.float64))
    torch.testing.assert_close(found, torch.zeros_like(found), rtol=0, atol=1e-9)


def test_a_gradient_has_no_curl():
    outputs = tabular_outputs(2, 3)
    frozen = FrozenStates(np.arange(2), np.full(2, 0.5), "two states", None)
    centers = torch.tensor(np.random.default_rng(2).standard_normal((2, 6)))
    potential = behavior_kl(outputs, Categorical(), frozen, centers)
    found = curl(potential, centers + 0.3)
    torch.testing.assert_close(found, torch.zeros_like(found), rtol=0, atol=1e-9)


def refused():
    mdp, policy, features = chain()
    return {
        "clipped surrogate": (sampled_surrogate(10), 1),
        "square root": (root_loss(square()[0]), 1),
        "temporal differences": (
            td_field(mdp, policy, LinearOutputs(features[:, None]), torch.full((5,), 0.2)),
            3,
        ),
    }


@pytest.mark.parametrize("name", ["clipped surrogate", "square root", "temporal differences"])
def test_refused_energies_are_sampled_as_negative_controls_alone(name):
    potential, d = refused()[name]
    center = torch.zeros(1, d, dtype=torch.float64)
    plan = ChainPlan(10.0, num_chains=1, num_draws=4, num_burnin_steps=0)
    with pytest.raises(ValueError, match=f"{name}.* is refused: "):
        estimate_llc(potential, center, HMC(1e-3), plan)
    found = estimate_llc(potential, center, HMC(1e-3), plan, as_negative_control=True)
    assert found[0].llc is not None


def test_some_parameters_of_a_refused_energy_are_refused_too():
    potential, _ = refused()["temporal differences"]
    part, center = masked(
        potential, torch.tensor([True, False, True]), torch.zeros(1, 3, dtype=torch.float64)
    )
    with pytest.raises(ValueError, match="is refused: the semi-gradient"):
        estimate_llc(part, center, HMC(1e-3), ChainPlan(10.0))
    _, a, _ = linear_td()
    free = torch.tensor([0, 2])
    whole = curl(potential, torch.zeros(3, dtype=torch.float64))[0]
    torch.testing.assert_close(curl(part, center)[0], whole[free][:, free], rtol=0, atol=1e-9)


def test_a_root_takes_the_centers_of_its_loss_along():
    centers = torch.tensor(np.random.default_rng(2).standard_normal((2, 6)))
    frozen = FrozenStates(np.arange(2), np.full(2, 0.5), "two states", None)
    root = root_loss(behavior_kl(tabular_outputs(2, 3), Categorical(), frozen, centers))
    assert root.chunk(1, 2).energy(centers[1:, None]).item() == 0
    assert (root.repeat(2).energy(centers.repeat_interleave(2, 0)[:, None]) == 0).all()


def test_the_bandit_keeps_the_coefficient_that_the_surrogate_loses():
    # One parameter moves the mean past the goal: regret (MISS - w)² has 1/2 at w = MISS.
    outputs = LinearOutputs(torch.ones(1, 1, 1, dtype=torch.float64))
    problem = GaussianBandit(outputs, torch.full((1, 1), MISS, dtype=torch.float64), SD)
    center = torch.full((1, 1), MISS, dtype=torch.float64)
    plan = ChainPlan(1000.0, num_chains=40, num_draws=50, num_burnin_steps=30)
    found = estimate_llc(problem.regret(), center, HMC(1e-4), plan, seed=2)[0]
    exact = 2000 / 2001 / 2
    assert abs(found.llc - exact) < 3 * found.llc_se
