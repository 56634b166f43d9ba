import itertools
import math

import numpy as np
import pytest

from theory.bounds import effective_horizon, expected_updates, samples_to_plan


def planned(episode, n_actions, look, rollouts, rng):
    """Plan greedily over the random policy for a return of action sequences; count the steps."""
    horizon, steps, prefix = episode.horizon, 0, []
    for i in range(horizon):
        means = {}
        for ahead in itertools.product(range(n_actions), repeat=min(look, horizon - i)):
            rest = horizon - i - len(ahead)
            tails = rng.integers(n_actions, size=(rollouts, rest))
            returns = [episode([*prefix, *ahead, *tail]) for tail in tails]
            means[ahead] = np.mean(returns)
            steps += horizon * rollouts
        best = max(means.values())
        prefix.append(next(a for a, mean in means.items() if mean == best)[0])
    return prefix, steps


class Lock:
    """A reward for one sequence of actions only: all ones."""

    def __init__(self, horizon):
        self.horizon = horizon

    def __call__(self, actions):
        return float(all(a == 1 for a in actions))


class Counter(Lock):
    """A reward for every right action: one step ahead is enough."""

    def __call__(self, actions):
        return float(np.mean([a == 1 for a in actions]))


@pytest.mark.parametrize(
    ("episode", "look", "rollouts"),
    [(Lock(4), 1, 32), (Lock(4), 4, 1), (Counter(4), 1, 32), (Counter(4), 2, 16)],
)
def test_greedy_planning_finds_the_optimum_within_the_bound(episode, look, rollouts):
    rng = np.random.default_rng(1)
    plans = [planned(episode, 2, look, rollouts, rng) for _ in range(20)]
    assert sum(plan == [1] * 4 for plan, _ in plans) >= 10
    bound = samples_to_plan(4, 2, effective_horizon({look: rollouts}, 2))
    for _, steps in plans:
        assert steps <= bound
        if look == 1:  # no sequence of one action is cut short
            assert steps == pytest.approx(bound)


def test_the_effective_horizon_is_the_cheapest_look_ahead():
    assert effective_horizon({1: 9.0, 2: 1.0, 3: 1.0}, 3) == pytest.approx(2.0)
    assert effective_horizon({1: 27.0, 4: 1.0}, 3) == pytest.approx(4.0)
    np.testing.assert_allclose(samples_to_plan([10, 10], 3, [2.0, 3.0]), [900.0, 2700.0])
    with pytest.raises(ValueError, match="two actions or more"):
        effective_horizon({1: 2.0}, 1)
    with pytest.raises(ValueError, match="at least 1"):
        effective_horizon({1: 0.5}, 2)


def test_uniform_replay_uses_samples_as_often_as_expected():
    now, ratio, n_runs = 200, 3, 500
    rng = np.random.default_rng(2)
    used = np.zeros((n_runs, now + 1))
    for step in range(1, now + 1):
        for _ in range(ratio):
            used[np.arange(n_runs), rng.integers(1, step + 1, n_runs)] += 1
    arrival = np.array([1, 2, 5, 20, 100, 200])
    expected = expected_updates(arrival, now, ratio)
    # Draws are sums of independent Bernoullis, whose variance is below their mean.
    assert np.all(np.abs(used[:, arrival].mean(axis=0) - expected) < 4 * np.sqrt(expected / n_runs))
    assert used[0, 1:].sum() == ratio * now
    assert expected_updates(np.arange(1, now + 1), now, ratio).sum() == pytest.approx(ratio * now)


def test_expected_updates_are_near_the_logarithm():
    """An integral lies within a term of its sum: ln((T + 1)/i) below, 1/i + ln(T/i) above."""
    arrival = np.array([1.0, 3.0, 30.0, 1000.0])
    seen = expected_updates(arrival, 1000, 1.0)
    assert np.all(seen >= np.log(1001 / arrival) - 1e-12)
    assert np.all(seen <= 1 / arrival + np.log(1000 / arrival) + 1e-12)
    assert expected_updates(30, 1000, 2.0) == pytest.approx(2 * math.log(1000 / 30), rel=0.01)
    with pytest.raises(ValueError, match="between 1 and 10"):
        expected_updates([0, 3], 10, 1.0)
