"""Tabular problems against closed forms, Bellman equations and simulation."""

import numpy as np
import pytest
import torch

from empirics.tabular.corner import corner_mdp
from empirics.tabular.evaluation import (
    action_values,
    expected_return,
    occupancy,
    policy_values,
    regularization,
)
from empirics.tabular.mdp import TabularMDP
from empirics.tabular.optimum import optimum
from empirics.tabular.rollouts import rollouts


def random_mdp(states=5, actions=3, gamma=0.8, seed=0):
    rng = np.random.default_rng(seed)
    return TabularMDP(
        torch.tensor(rng.dirichlet(np.ones(states), (states, actions))),
        torch.tensor(rng.standard_normal((states, actions))),
        torch.tensor(rng.dirichlet(np.ones(states))),
        gamma,
    )


def random_policy(mdp, seed=1):
    rng = np.random.default_rng(seed)
    return torch.tensor(rng.dirichlet(np.ones(mdp.num_actions), mdp.num_states))


def test_the_best_value_in_the_corner_grid_is_gamma_to_the_distance_less_one():
    best = optimum(corner_mdp(3, gamma=0.9))
    row, column = np.divmod(np.arange(1, 9), 3)
    np.testing.assert_allclose(best.values[1:], 0.9 ** (row + column - 1.0), rtol=1e-12)
    assert abs(best.values[0].item()) < 1e-14


def test_values_solve_the_bellman_equation():
    mdp, policy = random_mdp(), random_policy(random_mdp())
    values = policy_values(mdp, policy)
    backed_up = (policy * action_values(mdp, values)).sum(-1)
    torch.testing.assert_close(values, backed_up, rtol=1e-12, atol=1e-12)


def test_visits_sum_to_the_horizon_and_weigh_rewards_to_the_return():
    mdp, policy = random_mdp(), random_policy(random_mdp())
    visits = occupancy(mdp, policy)
    assert visits.sum().item() == pytest.approx(1 / (1 - mdp.gamma), rel=1e-12)
    earned = (visits * (policy * mdp.reward).sum(-1)).sum()
    total = expected_return(mdp, policy_values(mdp, policy))
    assert earned.item() == pytest.approx(total.item(), rel=1e-12)


def test_the_regularized_optimum_solves_the_soft_bellman_equation():
    mdp, tau, reference = random_mdp(), 0.3, random_policy(random_mdp(), seed=2)
    best = optimum(mdp, tau, reference)
    soft = tau * torch.logsumexp(action_values(mdp, best.values) / tau + reference.log(), -1)
    torch.testing.assert_close(best.values, soft, rtol=1e-12, atol=1e-12)


def test_the_advantages_of_the_regularized_optimum_are_its_log_ratios():
    mdp, tau = random_mdp(), 0.3
    best = optimum(mdp, tau)
    ratio = tau * (best.policy * mdp.num_actions).log()
    torch.testing.assert_close(best.advantages, ratio, rtol=1e-10, atol=1e-12)


def test_regularization_costs_at_most_the_entropy_of_the_reference():
    mdp = random_mdp()
    plain, soft = optimum(mdp).expected_return, optimum(mdp, 0.01).expected_return
    assert 0 <= plain - soft <= 0.01 * np.log(mdp.num_actions) / (1 - mdp.gamma)


def test_no_policy_of_one_action_a_state_is_better_than_the_optimum():
    mdp = random_mdp(states=3)
    every = np.stack(np.meshgrid(*[np.arange(3)] * 3), -1).reshape(-1, 3)
    policies = torch.nn.functional.one_hot(torch.tensor(every), 3).double()
    returns = expected_return(mdp, policy_values(mdp, policies))
    assert optimum(mdp).expected_return == pytest.approx(returns.max().item(), rel=1e-12)


def test_the_return_of_sampled_episodes_is_that_of_the_linear_solve():
    mdp = corner_mdp()
    policy = random_policy(mdp)
    returns = rollouts(mdp, policy, 10_000, 120, rng=np.random.default_rng(0)).returns()
    exact = expected_return(mdp, policy_values(mdp, policy)).item()
    left_out = mdp.gamma**120 / (1 - mdp.gamma)
    assert abs(returns.mean() - exact) < 3 * returns.std() / 100 + left_out


def test_a_regularization_by_ones_is_the_entropy():
    policy = random_policy(random_mdp())
    entropy = -(policy * policy.log()).sum(-1)
    torch.testing.assert_close(regularization(policy.log(), 0.5, torch.ones(5, 3)), 0.5 * entropy)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"gamma": 1.0}, "gamma must be at least 0 and below 1; it is 1.0"),
        ({"start": torch.ones(5)}, "start must be probabilities"),
        ({"start": torch.ones(4) / 4}, "start must have the shape"),
        ({"reward": torch.full((5, 3), torch.inf)}, "reward must be finite"),
        ({"reward": torch.ones(5)}, r"reward must be \(S, A\)"),
    ],
)
def test_tables_that_are_no_decision_problem_are_refused(change, words):
    mdp = random_mdp()
    tables = {"transition": mdp.transition, "reward": mdp.reward, "start": mdp.start, "gamma": 0.8}
    with pytest.raises(ValueError, match=words):
        TabularMDP(**(tables | change))


def test_a_negative_temperature_is_refused():
    with pytest.raises(ValueError, match="temperature must be finite and not negative; it is -1"):
        optimum(random_mdp(), -1)
