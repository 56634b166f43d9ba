import math

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

from theory.mechanism import NoOnset
from theory.mechanisms.lock import LOCK
from theory.mechanisms.process_lock import PROCESS_LOCK


def setting(fraction, p0=0.2, horizon=4.0, gamma=1.0):
    return {
        "initial_probability": p0,
        "horizon": horizon,
        "gamma": gamma,
        "learning_rate": 0.1,
        "n_arms": 5.0,
        "batch_size": 1.0,
        "reward": 1.0,
        "process_fraction": fraction,
    }


def reward_of(logits, fraction):
    """Return the expected reward of three steps with logits (3, 5), the right arm first."""
    odds = np.exp(logits)
    right = odds[:, 0] / odds.sum(axis=1)
    return fraction * right.mean() + (1 - fraction) * right.prod()


@pytest.mark.parametrize("fraction", [0.0, 0.3, 1.0])
def test_the_mean_field_is_gradient_flow_of_the_expected_reward(fraction):
    """All fifteen logits follow a gradient that is differenced, not derived."""

    def climb(t, flat):
        logits, slopes = flat.reshape(3, 5), np.zeros((3, 5))
        for place in np.ndindex(3, 5):
            move = np.zeros((3, 5))
            move[place] = 1e-5
            slopes[place] = reward_of(logits + move, fraction) - reward_of(logits - move, fraction)
        return 0.1 * slopes.ravel() / 2e-5

    start = np.zeros((3, 5))
    start[:, 0] = math.log(0.3 / 0.7 * 4)
    t = np.array([0.0, 50.0, 200.0, 400.0])
    path = solve_ivp(climb, (0, 400), start.ravel(), t_eval=t, rtol=1e-8, atol=1e-10)
    odds = np.exp(path.y.T.reshape(-1, 3, 5))
    ours, _ = PROCESS_LOCK.integrate(setting(fraction, 0.3, 3.0), t)
    theirs = odds[:, 0, 0] / odds[:, 0].sum(axis=1)
    np.testing.assert_allclose(ours[:, 0], theirs, atol=1e-6)


def test_without_process_rewards_it_is_the_lock():
    for gamma in (0.8, 1.0):
        given = setting(0.0, gamma=gamma)
        assert PROCESS_LOCK.onset(given) == pytest.approx(LOCK.onset(given), rel=1e-6)


def test_the_onset_is_a_quadrature():
    def waiting(p):
        return 1 / ((0.3 / 4 + 0.7 * p**3) * p**2 * (1 - p) ** 2)

    integral = quad(waiting, 0.2, 0.5**0.25, epsrel=1e-10)[0]
    expected = integral / (5 / 4 * 0.1)
    assert PROCESS_LOCK.onset(setting(0.3)) == pytest.approx(expected, rel=1e-5)


def test_rarer_starts_wait_in_proportion_and_pieces_share_the_wait():
    starts = [PROCESS_LOCK.onset(setting(0.5, p0), horizon=1e30) for p0 in (1e-5, 2e-5)]
    # ∫ dp/(p² (1 - p)²) = 1/p0 - 2 ln p0 + …, so the local exponent is off by 2 p0 ln(1/p0).
    assert math.log(starts[1] / starts[0]) / math.log(2) == pytest.approx(-1, abs=1e-3)
    shares = [PROCESS_LOCK.onset(setting(f, 1e-5), horizon=1e30) for f in (0.25, 0.5)]
    assert math.log(shares[1] / shares[0]) / math.log(2) == pytest.approx(-1, abs=1e-3)


def test_discounted_pieces_are_refused():
    with pytest.raises(NoOnset, match="so that steps part"):
        PROCESS_LOCK.onset(setting(0.5, gamma=0.9))
