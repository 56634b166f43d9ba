import math

import numpy as np
import pytest
import sympy
from scipy.linalg import expm, solve_continuous_lyapunov

from theory.mechanisms.td_wavefront import FLOOR_VARIANCE, TD_WAVEFRONT


def setting(distance=5.0, gamma=0.9, rate=0.1, states=20.0):
    return {
        "distance": distance,
        "gamma": gamma,
        "learning_rate": rate,
        "n_states": states,
    }


def value(given, t):
    states, _ = TD_WAVEFRONT.integrate(given, t)
    return TD_WAVEFRONT.observe("value", states, TD_WAVEFRONT.values(given))


def chain(states, gamma):
    """Return I - gamma · P of a chain whose state d hands over to state d - 1."""
    return np.eye(states) - gamma * np.eye(states, k=-1)


def floor_variance(given):
    at = {
        symbol: given[symbol.name] for symbol in FLOOR_VARIANCE.free_symbols if symbol.name in given
    }
    return float(FLOOR_VARIANCE.subs(at).subs({sympy.Symbol("step_factor", positive=True): 1}))


def run_td(given, updates, rng, n_runs, reward_sd=0.0):
    """Return values after each update, (updates, states, n_runs)."""
    states, runs = int(given["n_states"]), np.arange(n_runs)
    values = np.zeros((states + 1, n_runs))  # one more, for the reward before state 0
    kept = np.empty((updates, states, n_runs))
    for update in range(updates):
        d = rng.integers(states, size=n_runs)
        reward = (d == 0) * (1 + reward_sd * rng.normal(size=n_runs))
        target = reward + given["gamma"] * np.where(d > 0, values[d - 1, runs], 0.0)
        values[d, runs] += given["learning_rate"] * (target - values[d, runs])
        kept[update] = values[:states]
    return kept


@pytest.mark.parametrize(
    ("distance", "median"), [(0, 0.69), (2, 2.67), (5, 5.67), (10, 10.67), (19, 19.67)]
)
def test_medians_are_the_published_ones(distance, median):
    """In units of n_states/learning_rate; one state later the front is one unit later."""
    onset = TD_WAVEFRONT.onset(setting(float(distance)))
    assert onset * 0.1 / 20 == pytest.approx(median, abs=0.006)
    assert onset * 0.1 / 20 == pytest.approx(distance + 2 / 3, rel=0.04 if distance == 0 else 0.01)


def test_the_front_is_the_matrix_exponential_of_the_chain():
    states, gamma, rate = 12, 0.9, 0.1
    drift = chain(states, gamma) * rate / states
    fixed = gamma ** np.arange(states)
    for t in (100.0, 600.0, 2000.0):
        exact = fixed - expm(-drift * t) @ fixed
        for distance in (0, 1, 4, 11):
            given = setting(float(distance), gamma, rate, float(states))
            seen = value(given, np.array([0.0, t]))
            assert seen[1] == pytest.approx(exact[distance], abs=1e-6)


def test_the_front_meets_sampled_td_runs():
    given = setting(rate=0.1, states=8.0)
    updates, n_runs = 1000, 400
    kept = run_td(given, updates, np.random.default_rng(2), n_runs)
    t = np.array([150, 400, 999])
    for distance in (0, 3, 7):
        seen = value(given | {"distance": float(distance)}, t + 1.0)
        error = kept[t, distance].std(axis=1) / math.sqrt(n_runs)
        # A binomial of chance c is a Poisson to within c in total variation (Le Cam).
        assert np.all(np.abs(kept[t, distance].mean(axis=1) - seen) < 4 * error + 0.1 / 8)


def test_the_noise_floor_solves_the_lyapunov_equation():
    """A C + C Aᵀ = rate² · noise / n_states, the rate being of a state's updates."""
    states, gamma, rate = 10, 0.95, 0.02
    drift = rate * chain(states, gamma) / states
    noise = np.zeros((states, states))
    noise[0, 0] = rate**2 / states
    covariance = solve_continuous_lyapunov(drift, noise)
    for distance in (0, 1, 5, 9):
        given = setting(distance, gamma, rate, states)
        assert floor_variance(given) == pytest.approx(covariance[distance, distance], rel=1e-9)


def test_the_noise_floor_meets_sampled_td_runs():
    given = setting(rate=0.05, states=3.0, gamma=0.8)
    n_runs = 4000
    last = run_td(given, 1500, np.random.default_rng(3), n_runs, reward_sd=1.0)[-1]
    for distance in (0, 1, 2):
        expected = floor_variance(given | {"distance": distance})
        # The exact variance of the rewarded state is rate/(2 - rate): 2.6 % above the small-step
        # limit; multiplicative noise of the visits is of the same order elsewhere.
        assert last[distance].var() == pytest.approx(expected, rel=4 * math.sqrt(2 / n_runs) + 0.05)


def test_the_discount_scales_the_value_and_not_the_onset():
    onsets = TD_WAVEFRONT.onsets(setting() | {"gamma": np.array([0.5, 0.99])})
    assert onsets[0] == onsets[1]
    late = value(setting(gamma=0.5), np.array([0.0, 1e5]))
    assert late[1] == pytest.approx(0.5**5, rel=1e-9)
