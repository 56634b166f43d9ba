"""The one-step bandit is supervised learning, and three ways to know its return agree."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from empirics.llc.chains import ChainPlan
from empirics.llc.estimate import estimate_llc
from empirics.llc.hmc import HMC
from empirics.llc.masked import masked
from empirics.llc.network_potential import flatten, network_potential
from empirics.llc.potentials.gaussian_bandit import GaussianBandit
from empirics.llc.potentials.importance import importance_ess
from empirics.llc.potentials.outputs import LinearOutputs, NetworkOutputs

STATES, DIMENSION = 40, 3


def bandit(sd=0.3, reachable=False):
    rng = np.random.default_rng(0)
    features = torch.tensor(rng.standard_normal((STATES, DIMENSION, 4)))
    goals = torch.tensor(rng.standard_normal((STATES, DIMENSION)))
    if reachable:
        goals = features @ torch.tensor(rng.standard_normal(4))
    return GaussianBandit(LinearOutputs(features), goals, sd)


def best(problem):
    """Return the least-squares solution, (1, d)."""
    features = problem.means.features.reshape(-1, 4)
    return torch.linalg.lstsq(features, problem.goals.reshape(-1, 1)).solution.T


def test_the_expected_return_is_that_of_sampled_actions():
    problem, w = bandit(), torch.full((1, 1, 4), 0.2, dtype=torch.float64)
    rng = np.random.default_rng(1)
    mean = problem.means(w)[0, 0].numpy()
    actions = mean + problem.sd * rng.standard_normal((20_000, STATES, DIMENSION))
    returns = -((actions - problem.goals.numpy()) ** 2).sum(-1).mean(1)
    exact = problem.expected_return(w).item()
    assert abs(returns.mean() - exact) < 3 * returns.std() / math.sqrt(20_000)


def test_regret_is_the_best_return_of_any_policy_less_the_own():
    problem, w = bandit(), torch.full((1, 1, 4), 0.2, dtype=torch.float64)
    unreachable = -DIMENSION * problem.sd**2
    regret = problem.regret().energy(w)
    torch.testing.assert_close(regret, unreachable - problem.expected_return(w), rtol=1e-13, atol=0)


def test_regret_and_squared_error_of_a_network_have_one_reading():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 2)).double()
    inputs = torch.tensor(np.random.default_rng(0).standard_normal((20, 2)))
    goals = network(inputs).detach()
    problem = GaussianBandit(NetworkOutputs(network, inputs), goals, 0.3)
    supervised = network_potential(
        network, lambda out, goal: ((out - goal) ** 2).sum(-1), inputs, goals
    )
    plan = ChainPlan(100.0, num_chains=2, num_draws=20, num_burnin_steps=5)
    one, other = (
        estimate_llc(p, flatten(network), HMC(1e-3), plan, seed=1)[0]
        for p in (problem.regret(), supervised)
    )
    assert one.llc == pytest.approx(other.llc, rel=1e-9)


def near(problem, seed=2, spread=0.02, count=5):
    offsets = np.random.default_rng(seed).standard_normal((1, count, 4))
    return best(problem)[:, None] + spread * torch.tensor(offsets)


def test_actions_over_fixed_random_numbers_have_the_regret_on_average():
    problem, draws = bandit(), 4000
    w = near(problem, spread=0.3)
    sampled = problem.on_policy(draws, rng=np.random.default_rng(3)).energy(w)
    regret = problem.regret().energy(w)
    # ‖m + sd·ξ‖² has the variance 4 sd² ‖m‖² + 2 D sd⁴.
    s2 = problem.sd**2
    se = ((4 * s2 * regret + 2 * DIMENSION * s2**2) / (draws * STATES)).sqrt()
    assert (abs(sampled - regret) < 3 * se).all()


def test_random_numbers_with_their_negatives_move_the_regret_by_a_constant():
    problem = bandit()
    w = near(problem, spread=0.3)
    sampled = problem.on_policy(4, rng=np.random.default_rng(3), antithetic=True).energy(w)
    apart = sampled - problem.regret().energy(w)
    torch.testing.assert_close(apart, apart[:, :1].expand_as(apart), rtol=0, atol=1e-13)


def test_reweighted_actions_have_the_regret_near_their_policy():
    problem, draws = bandit(), 4000
    center, w = best(problem), near(bandit())
    potential = problem.importance(center, draws, rng=np.random.default_rng(4))
    found, regret = potential.energy(w), problem.regret().energy(w)
    ratio = potential.log_ratio(w).exp()
    reward = -((potential.actions - problem.goals[:, None]) ** 2).sum(-1)
    lost = ((potential.center - problem.goals) ** 2).sum(-1) + DIMENSION * problem.sd**2
    gained = (ratio * (reward + lost[..., None])[:, None]).flatten(2)
    # States are fixed and alone the actions drawn, so the spread within a state counts.
    within = gained.reshape(1, 5, STATES, draws).var(-1).mean(-1)
    assert (abs(found - regret) < 3 * (within / (STATES * draws)).sqrt()).all()


def test_reweighted_actions_have_the_regrets_value_at_their_policy_on_average():
    problem, center = bandit(), best(bandit())
    w = center[:, None]
    seeds = range(200)
    found = np.array(
        [
            problem.importance(center, 20, rng=np.random.default_rng(s)).energy(w).item()
            for s in seeds
        ]
    )
    exact = problem.regret().energy(w).item()
    assert abs(found.mean() - exact) < 3 * found.std(ddof=1) / math.sqrt(len(found))


@pytest.mark.parametrize("scheme", ["regret", "on policy", "importance"])
def test_minibatches_of_all_states_are_the_whole(scheme):
    problem = bandit()
    rng = np.random.default_rng(0)
    potential = {
        "regret": problem.regret(),
        "on policy": problem.on_policy(7, rng=rng),
        "importance": problem.importance(best(problem), 7, rng=rng),
    }[scheme]
    w = near(problem)
    rows = torch.arange(STATES).flip(0).expand(1, 5, STATES)
    torch.testing.assert_close(potential.energy(w, rows), potential.energy(w))


@pytest.mark.parametrize(("apart", "share"), [(0.1, 0.895), (0.3, 0.368)])
def test_the_worth_of_weights_is_that_of_the_population(apart, share):
    sd, n = 0.3, 1_000_000
    z = torch.tensor(np.random.default_rng(5).standard_normal(n))
    r = apart / sd
    found = importance_ess((r * z - r**2 / 2)[None, None]).item()
    exact = math.exp(-(r**2))
    assert exact == pytest.approx(share, abs=5e-4)
    # The mean square of the weights has the relative variance exp(4 r²) - 1 a draw.
    assert found == pytest.approx(exact, rel=3 * math.sqrt((math.exp(4 * r**2) - 1) / n))


def test_the_worth_of_weights_two_sd_away_is_two_percent():
    # By quadrature: sampled squares of weights have no usable variance so far out.
    z = torch.linspace(-12, 20, 200_001, dtype=torch.float64)
    log_density = -(z**2) / 2
    r = 0.6 / 0.3
    first = torch.logsumexp(log_density + r * z - r**2 / 2, 0)
    second = torch.logsumexp(log_density + 2 * r * z - r**2, 0)
    exact = torch.exp(2 * first - second - torch.logsumexp(log_density, 0)).item()
    assert exact == pytest.approx(math.exp(-4), rel=1e-9)
    assert round(exact, 2) == 0.02


def reweighted(sd, reachable=True, num_actions=30):
    """Return the reweighted regret and its center; reached goals leave sampling less noise."""
    problem = bandit(sd, reachable)
    center = best(problem)
    return problem.importance(center, num_actions, rng=np.random.default_rng(0)), center


def reading(potential, center):
    plan = ChainPlan(2000.0, num_chains=10, num_draws=25, num_burnin_steps=15)
    return estimate_llc(potential, center, HMC(2e-5, num_leapfrog_steps=4), plan, seed=6)[0]


def test_weights_worth_little_are_refused_in_the_reading():
    found = reading(*reweighted(sd=0.02))
    assert not found.is_trusted
    assert any("chains the importance weights are worth less than 20 %" in d for d in found.doubts)


def test_weights_worth_much_are_not():
    assert not any("importance" in d for d in reading(*reweighted(sd=0.5)).doubts)


def test_noise_that_bends_the_energy_at_its_center_is_seen():
    # The best policy misses its goals by about 1.5, three times sd.
    assert not reading(*reweighted(sd=0.1, reachable=False)).is_trusted


def test_some_parameters_alone_are_refused_as_all_are():
    potential, center = reweighted(sd=0.02)
    part, at = masked(potential, torch.tensor([True, True, False, True]), center)
    assert any("importance" in doubt for doubt in reading(part, at).doubts)


@pytest.mark.parametrize("scheme", ["regret", "on policy", "importance"])
def test_all_schemes_have_the_exact_reading_where_goals_are_reached(scheme):
    # Mirrored actions: at the center the linear part of the noise is gone.
    problem, rng = bandit(0.5, reachable=True), np.random.default_rng(0)
    center = best(problem)
    potential = {
        "regret": problem.regret(),
        "on policy": problem.on_policy(30, rng=rng, antithetic=True),
        "importance": problem.importance(center, 30, rng=rng, antithetic=True),
    }[scheme]
    steepness = 2000 * torch.linalg.eigvalsh(potential.hessian(center))[0]
    exact = (steepness / (steepness + 1)).sum().item() / 2
    found = reading(potential, center)
    assert abs(found.llc - exact) < 3 * found.llc_se
    # Four parameters that all matter, held by next to nothing.
    assert exact == pytest.approx(2, abs=1e-3)


def test_actions_without_a_mirror_image_are_refused():
    with pytest.raises(ValueError, match="even where they are antithetic; it is 7"):
        bandit().on_policy(7, rng=np.random.default_rng(0), antithetic=True)


def test_goals_for_other_states_are_refused():
    with pytest.raises(ValueError, match="goals must be one vector a state"):
        GaussianBandit(bandit().means, torch.zeros(3, DIMENSION), 0.3)
