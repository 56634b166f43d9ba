"""Frozen states: where they are from, how they weigh, and what n they stand for."""

import numpy as np
import pytest
import torch

from empirics.llc.potentials.freeze_states import (
    FrozenStates,
    mixed_states,
    on_policy_states,
    reset_states,
    rollout_states,
    sampled_states,
    uniform_states,
)
from empirics.tabular.corner import corner_mdp
from empirics.tabular.evaluation import occupancy
from empirics.tabular.rollouts import rollouts

MDP = corner_mdp()
POLICY = torch.full((9, 4), 0.25, dtype=torch.float64)


def test_exact_states_weigh_as_the_visits_and_have_no_n():
    frozen = on_policy_states(MDP, POLICY)
    np.testing.assert_allclose(
        frozen.distribution(9), (1 - MDP.gamma) * occupancy(MDP, POLICY), rtol=1e-12
    )
    assert frozen.num_samples is None


def test_discounted_steps_of_episodes_weigh_as_the_visits():
    episodes = 4000
    sampled = rollouts(MDP, POLICY, episodes, 120, rng=np.random.default_rng(0))
    decay = (1 - MDP.gamma) * MDP.gamma ** np.arange(120)
    shares = (sampled.states[..., None] == np.arange(9)).swapaxes(1, 2) @ decay
    frozen = rollout_states(sampled)
    # The weights are normalized over the 120 steps, of which gamma^120 = 3e-6 is left out.
    np.testing.assert_allclose(frozen.distribution(9), shares.mean(0), rtol=1e-5)
    se = shares.std(0, ddof=1) / episodes**0.5
    exact = on_policy_states(MDP, POLICY).distribution(9)
    assert (np.abs(frozen.distribution(9) - exact) < 3.5 * se + 1e-5).all()
    assert frozen.num_samples == len(frozen) == episodes * 120


def test_undiscounted_steps_weigh_alike():
    sampled = rollouts(MDP, POLICY, 3, 5, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(rollout_states(sampled, discounted=False).weights, 1 / 15)


def test_draws_are_as_many_as_asked_and_from_the_distribution():
    frozen = sampled_states(reset_states(MDP), 8000, rng=np.random.default_rng(0))
    shares = frozen.distribution(9)
    assert shares[0] == 0
    assert (np.abs(shares[1:] - 1 / 8) < 4 * np.sqrt(7 / 64 / 8000)).all()
    assert frozen.num_samples == 8000


def test_a_mixture_of_exact_distributions_is_their_weighted_sum():
    mixed = mixed_states([uniform_states(MDP), reset_states(MDP)], [0.25, 0.75])
    expected = 0.25 / 9 + 0.75 * MDP.start.numpy()
    np.testing.assert_allclose(mixed.distribution(9), expected, rtol=1e-12)
    assert mixed.num_samples is None
    assert mixed.source == "0.25 · (all states alike) + 0.75 · (the start of episodes)"


def test_the_n_of_a_mixture_of_draws_is_their_effective_number():
    rng = np.random.default_rng(0)
    few, many = (sampled_states(uniform_states(MDP), n, rng=rng) for n in (100, 300))
    assert mixed_states([few, many], [0.25, 0.75]).num_samples == 400
    # 1/(100 · 0.005² + 300 · (0.5/300)²) = 300
    assert mixed_states([few, many], [0.5, 0.5]).num_samples == 300


def test_drawn_and_exact_states_do_not_mix():
    drawn = sampled_states(uniform_states(MDP), 10, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="a mixture of drawn and exact states has no n"):
        mixed_states([drawn, uniform_states(MDP)], [0.5, 0.5])


def test_the_arrays_are_copied_and_locked():
    states = np.arange(3)
    frozen = FrozenStates(states, np.full(3, 1 / 3), "here", 3)
    states[0] = 7
    assert frozen.states[0] == 0
    with pytest.raises(ValueError, match="read-only"):
        frozen.weights[0] = 1


@pytest.mark.parametrize(
    ("weights", "words"),
    [([0.5, 0.6], "their sum 1.1"), ([1.5, -0.5], "their least is -0.5"), ([1.0], "one weight")],
)
def test_weights_that_are_no_distribution_are_refused(weights, words):
    with pytest.raises(ValueError, match=words):
        FrozenStates(np.arange(2), np.array(weights), "here", 2)


def test_observations_have_no_distribution_over_states():
    frozen = FrozenStates(np.zeros((2, 3)), np.full(2, 0.5), "here", 2)
    with pytest.raises(ValueError, match="are no integers; these are observations"):
        frozen.distribution(9)
