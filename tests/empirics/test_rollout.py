import numpy as np
import pytest
import torch

from empirics.rollout import gae


def naive_gae(reward, value, next_value, terminated, ended, gamma, gae_lambda):
    steps = len(reward)
    advantage = np.zeros(steps)
    for t in range(steps):
        weight = 1.0
        for k in range(t, steps):
            bootstrap = 0.0 if terminated[k] else gamma * next_value[k]
            advantage[t] += weight * (reward[k] + bootstrap - value[k])
            if ended[k]:
                break
            weight *= gamma * gae_lambda
    return advantage


@pytest.mark.parametrize(
    ("gamma", "gae_lambda"), [(0.9, 0.8), (0.99, 1.0), (0.97, 0.0), (1.0, 1.0)]
)
def test_gae_is_the_naive_double_sum(gamma, gae_lambda):
    rng = np.random.default_rng(0)
    reward, value, next_value = rng.normal(size=(3, 40, 3))
    terminated, truncated = rng.random((2, 40, 3)) < 0.1
    ended = terminated | truncated
    arrays = [torch.from_numpy(x) for x in (reward, value, next_value, terminated, ended)]
    ours = gae(*arrays, gamma=gamma, gae_lambda=gae_lambda)
    for n in range(3):
        columns = [x[:, n] for x in (reward, value, next_value, terminated, ended)]
        np.testing.assert_allclose(ours[:, n], naive_gae(*columns, gamma, gae_lambda), atol=1e-12)


def test_a_truncated_episode_is_worth_its_rewards_and_the_value_of_its_end():
    reward, value = torch.tensor([1.0, 2.0, 4.0]), torch.zeros(3)
    next_value = torch.tensor([0.0, 10.0, 100.0])
    never = torch.zeros(3, dtype=torch.bool)
    cut = torch.tensor([False, True, False])
    options = {"gamma": 0.5, "gae_lambda": 1.0}
    ours = gae(reward, value, next_value, never, cut, **options)
    assert ours.tolist() == [1 + 0.5 * 2 + 0.25 * 10, 2 + 0.5 * 10, 4 + 0.5 * 100]
    ours = gae(reward, value, next_value, cut, cut, **options)
    assert ours.tolist() == [1 + 0.5 * 2, 2, 4 + 0.5 * 100]
