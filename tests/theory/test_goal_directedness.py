"""Goal-directedness of returns against soft value iteration on a grid, and its limits."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, rel_entr

from theory.goal_directedness import meg_of_return

SIDE, HORIZON, N_ACTIONS = 6, 12, 4
GOAL = SIDE * SIDE - 1


def grid():
    """Return the next state of each state and action; walls stop, nothing ends."""
    row, column = np.divmod(np.arange(SIDE * SIDE), SIDE)
    moves = [(0, 1), (1, 0), (0, -1), (-1, 0)]
    nexts = [
        np.clip(row + down, 0, SIDE - 1) * SIDE + np.clip(column + right, 0, SIDE - 1)
        for down, right in moves
    ]
    return np.stack(nexts, axis=1)


NEXT = grid()
REWARD = (np.arange(SIDE * SIDE) == GOAL).astype(float)  # one a step in the goal


def random_play():
    """Count the sequences of actions from the other corner by their return."""
    counts = {(0, 0): 1}
    for _ in range(HORIZON):
        later = {}
        for (state, total), count in counts.items():
            for after in NEXT[state].tolist():
                key = after, total + int(REWARD[after])
                later[key] = later.get(key, 0) + count
        counts = later
    returns = sorted({total for _, total in counts})
    return returns, [sum(n for (_, t), n in counts.items() if t == total) for total in returns]


RETURNS, COUNTS = random_play()


def soft_policy(beta):
    """Return log probabilities (step, state, action) by soft value iteration."""
    value, steps = np.zeros(SIDE * SIDE), []
    for _ in range(HORIZON):
        q = beta * (REWARD[NEXT] + value[NEXT] / beta)
        value = logsumexp(q, axis=1)
        steps.append(q - value[:, None])
    return np.array(steps[::-1])


def visits(policy):
    """Return the probability of state and action at each step, (step, state, action)."""
    at = np.eye(SIDE * SIDE)[0]
    found = []
    for choice in policy:
        found.append(at[:, None] * choice)
        at = np.bincount(NEXT.ravel(), weights=found[-1].ravel(), minlength=SIDE * SIDE)
    return np.array(found)


def mean_return(policy):
    return float((visits(policy) * REWARD[NEXT]).sum())


OPTIMAL = np.exp(soft_policy(100.0))


def mixture(epsilon):
    return (1 - epsilon) * OPTIMAL + epsilon / N_ACTIONS


def test_random_play_finds_the_goal_in_time_by_1008_sequences():
    assert sum(COUNTS) == N_ACTIONS**HORIZON
    assert (RETURNS[-1], COUNTS[-1]) == (3, math.comb(10, 5) * 2 * 2)


@pytest.mark.parametrize(
    ("epsilon", "nats"), [(0.0, 9.7198), (0.1, 5.8777), (0.3, 1.8451), (0.6, 0.1677), (1.0, 0.0)]
)
def test_the_known_values_and_soft_value_iteration(epsilon, nats):
    """The likelihood of the best soft policy over the uniform one, as the measure is defined."""
    policy = mixture(epsilon)
    found = float(meg_of_return(mean_return(policy), RETURNS, COUNTS))
    assert found == pytest.approx(nats, abs=5e-5)
    seen = visits(policy)

    def shortfall(beta):
        return -float((seen * (soft_policy(beta) + math.log(N_ACTIONS))).sum())

    best = minimize_scalar(
        shortfall, bounds=(1e-6, 60.0), method="bounded", options={"xatol": 1e-9}
    )
    assert found == pytest.approx(-best.fun, abs=1e-6)


def test_policies_of_one_return_are_equally_directed():
    """Two policies that differ everywhere but in their mean return have one likelihood optimum."""
    ties = visits(OPTIMAL)
    first = np.zeros_like(OPTIMAL)  # always the same of the best actions
    np.put_along_axis(first, OPTIMAL.argmax(axis=2)[..., None], 1.0, axis=2)
    assert mean_return(first) == pytest.approx(mean_return(OPTIMAL)) == pytest.approx(3.0)
    log_ratio = soft_policy(60.0) + math.log(N_ACTIONS)
    optimum = float((visits(first) * log_ratio).sum())
    assert optimum == pytest.approx(float((ties * log_ratio).sum()), abs=1e-6)
    assert optimum == pytest.approx(math.log(4**12 / 1008), abs=1e-6)


def test_the_optimum_is_the_difficulty_of_finding_it_by_chance():
    found = meg_of_return(3.0, RETURNS, COUNTS)
    assert found == pytest.approx(math.log(4**12 / 1008), rel=1e-14)
    assert meg_of_return(3.0 - 1e-9, RETURNS, COUNTS) == pytest.approx(found, abs=1e-6)
    assert meg_of_return(0.0, RETURNS, COUNTS) == pytest.approx(-math.log(COUNTS[0] / 4**12))


def test_near_random_play_it_is_quadratic():
    p = np.array(COUNTS) / 4**12
    mean = p @ RETURNS
    variance = p @ (np.array(RETURNS) - mean) ** 2
    step = np.array([1e-6, 1e-5, -1e-6])
    found = meg_of_return(mean + step, RETURNS, COUNTS)
    np.testing.assert_allclose(found, step**2 / (2 * variance), rtol=0.02)
    assert meg_of_return(mean, RETURNS, COUNTS) == pytest.approx(0.0, abs=1e-15)


def test_two_returns_give_the_relative_entropy_of_coins():
    u = np.array([[0.0, 0.1, 0.3], [0.5, 0.999999, 1.0]])
    expected = rel_entr(u, 0.3) + rel_entr(1 - u, 0.7)
    np.testing.assert_allclose(meg_of_return(u, [0.0, 1.0], [0.7, 0.3]), expected, atol=1e-12)


def test_scale_and_origin_of_the_utility_do_not_matter():
    u = np.linspace(0, 3, 13)
    plain = meg_of_return(u, RETURNS, COUNTS)
    moved = meg_of_return(7 + 1e-4 * u, 7 + 1e-4 * np.array(RETURNS), 5e-8 * np.array(COUNTS))
    np.testing.assert_allclose(moved, plain, rtol=1e-7, atol=1e-9)
    assert np.all(np.diff(plain, 2) > 0)  # convex in the return
    assert np.all(plain <= HORIZON * math.log(N_ACTIONS))


def test_the_identity_does_not_hold_under_random_transitions():
    """One action in two pays one half of the time: always taking it is log 2 from random play."""
    formula = float(meg_of_return(0.5, [0.0, 1.0], [0.75, 0.25]))
    assert formula == pytest.approx(0.5 * math.log(2) + 0.5 * math.log(2 / 3))
    assert formula < 0.21 * math.log(2)


def test_a_utility_that_nothing_changes_has_no_direction():
    assert meg_of_return(2.0, [2.0, 2.0], [1, 3]) == 0.0


@pytest.mark.parametrize(
    ("u", "utilities", "weights", "sentence"),
    [
        (
            4.0,
            [0, 3],
            [1, 1],
            "between the least and the greatest utility, 0.0 and 3.0; one is 4.0",
        ),
        (math.nan, [0, 3], [1, 1], "one is nan"),
        (1.0, [0, 3], [1], r"shapes are \(2,\) and \(1,\)"),
        (1.0, [], [], "two lists of one length"),
        (1.0, [0, 3], [1, 0], "weights positive"),
        (1.0, [0, math.inf], [1, 1], "must be finite"),
    ],
)
def test_what_is_no_distribution_is_refused(u, utilities, weights, sentence):
    with pytest.raises(ValueError, match=sentence):
        meg_of_return(u, utilities, weights)
