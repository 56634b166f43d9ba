import math

import numpy as np
import pytest
from scipy.stats import binom

from empirics.td_chain import TDChainCell, td_chain_onsets, train_td_chains
from theory.curve import Origin, Progress
from theory.ladder import Ladder


def cells_of_every_kind():
    """Return small cells that together go through every branch of training."""
    return [
        TDChainCell(2, 0.3, n_states=3, gamma=0.9),
        TDChainCell(1, 0.5, n_states=3, reward_sd=0.5, batch_size=4),
        TDChainCell(2, 0.2, n_states=3, reward_sd=0.5, gae_lambda=0.7),
        TDChainCell(1, 0.3, n_states=3, on_policy=False),
        TDChainCell(2, 0.4, n_states=3, on_policy=False, reward_sd=1.0, batch_size=5),
    ]


def steps_to(cell):
    """Return I - gamma · P, and the start of the error, -true."""
    errors = np.eye(cell.n_states) - cell.gamma * np.eye(cell.n_states, k=-1)
    return errors, -(cell.gamma ** np.arange(cell.n_states))


def moments_of_replay(cell, updates):
    """Return mean (updates, n) and covariance (n, n) of values, by their linear recursions."""
    errors, start = steps_to(cell)
    n, rate = cell.n_states, cell.learning_rate
    one = [np.outer(np.eye(n)[d], errors[d]) for d in range(n)]
    mean_move = sum(one) / n
    mean, square, means = start, np.outer(start, start), []
    for _ in range(updates):
        drift = mean_move @ square
        same = sum(a @ square @ a.T for a in one) / n / cell.batch_size
        other = (1 - 1 / cell.batch_size) * mean_move @ square @ mean_move.T
        square = square - rate * (drift + drift.T) + rate**2 * (same + other)
        square[0, 0] += (rate * cell.reward_sd) ** 2 / n / cell.batch_size
        mean = mean - rate * mean_move @ mean
        means.append(mean - start)
    return np.array(means), square - np.outer(mean, mean)


@pytest.mark.parametrize("distance", [0, 2, 5])
def test_walks_without_noise_are_binomial(distance):
    # In an episode every state moves by rate · (gamma V_(d-1) - V_d), towards what it was before.
    cell = TDChainCell(distance, 0.3, n_states=6, gamma=0.8)
    (run,) = train_td_chains([cell], [0], updates=120, checkpoints=120)
    curve = run.curve("share")
    # The state at a distance d is left at the (6 - d)-th step of an episode.
    episodes = (curve.t + distance) // 6
    np.testing.assert_allclose(curve.y, binom.sf(distance, episodes, 0.3), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(run.curve("value").y, 0.8**distance * curve.y, rtol=1e-14)
    late = np.flatnonzero(binom.sf(distance, np.arange(30), 0.3) >= 0.5)[0]
    assert run.onset.upper == 6 * (late - 1) + 6 - distance


def test_the_error_is_that_of_all_states():
    cell = TDChainCell(0, 0.3, n_states=5, gamma=0.9)
    (run,) = train_td_chains([cell], [0], updates=50)
    errors, error = steps_to(cell)
    for _ in range(10):
        error = error - 0.3 * errors @ error
    curve = run.curve("value_error")
    assert curve.y[0] == pytest.approx(math.sqrt(np.mean(0.9 ** (2 * np.arange(5)))))
    assert curve.y[-1] == pytest.approx(math.sqrt(np.mean(error**2)), rel=1e-12)


def test_traces_of_one_are_monte_carlo():
    cells = [TDChainCell(d, 0.2, n_states=7, gamma=0.9, gae_lambda=1.0) for d in (0, 3, 6)]
    for run in train_td_chains(cells, [0], updates=70):
        assert run.curve("share").y[-1] == pytest.approx(1 - 0.8**10, rel=1e-12)


def test_traces_lead_to_the_lambda_return():
    """Forward view: the return to each state mixes all n-step returns of an episode."""
    n, gamma, decay, rate = 4, 0.8, 0.6, 0.3
    cells = [TDChainCell(d, rate, n_states=n, gamma=gamma, gae_lambda=decay) for d in range(n)]
    runs = train_td_chains(cells, [0], updates=5 * n)
    values = np.zeros(n)
    for _ in range(5):
        returns = np.zeros(n)
        for d in range(n):
            weights = [(1 - decay) * decay**k for k in range(d)] + [decay**d]
            n_step = [gamma ** (k + 1) * values[d - 1 - k] for k in range(d)] + [gamma**d]
            returns[d] = np.dot(weights, n_step)
        values = values + rate * (returns - values)
    np.testing.assert_allclose([run.curve("value").y[-1] for run in runs], values, rtol=1e-12)


@pytest.mark.parametrize("batch_size", [1, 4])
def test_drawn_transitions_have_the_moments_of_their_recursion(batch_size):
    settings = {"n_states": 3, "gamma": 0.8, "reward_sd": 1.0, "on_policy": False}
    cells = [TDChainCell(d, 0.4, batch_size=batch_size, **settings) for d in range(3)]
    means, covariance = moments_of_replay(cells[0], 40)
    for distance, cell in enumerate(cells):
        runs = train_td_chains([cell], range(1500), updates=40)
        y = np.array([run.curve("value").y for run in runs])
        t = runs[0].curve("value").t.astype(int)[1:]
        error = np.maximum(y.std(axis=0)[1:] / math.sqrt(1500), 1e-12)
        assert np.all(np.abs(y.mean(axis=0)[1:] - means[t - 1, distance]) < 4.5 * error)
        # Values are skewed at this rate: a variance's error is that of the squares.
        squares = (y[:, -1] - y[:, -1].mean()) ** 2
        error = squares.std() / math.sqrt(1500)
        assert squares.mean() == pytest.approx(covariance[distance, distance], abs=4 * error)


@pytest.mark.parametrize("batch_size", [1, 9])
def test_walks_fluctuate_by_the_reward_they_average(batch_size):
    # The rewarded state is an AR(1) of coefficient 1 - rate.
    cell = TDChainCell(0, 0.5, n_states=1, reward_sd=2.0, batch_size=batch_size)
    runs = train_td_chains([cell], range(4000), updates=60)
    last = [run.curve("value").y[-1] for run in runs]
    expected = 0.5 / 1.5 * 4 / batch_size
    assert np.var(last) == pytest.approx(expected, rel=4 * math.sqrt(2 / 4000))
    assert np.mean(last) == pytest.approx(1.0, abs=4 * math.sqrt(expected / 4000))


def test_a_run_does_not_depend_on_its_company():
    cells = cells_of_every_kind()
    together = train_td_chains(cells, range(4), updates=250)
    for run in together[2::4]:
        (alone,) = train_td_chains([run.cell], [run.seed], updates=250)
        assert alone == run
        assert [c.digest for c in alone.curves] == [c.digest for c in run.curves]
    assert len({run.run_id for run in together}) == len({run.run for run in together}) == 20


def test_onsets_are_those_of_whole_runs():
    for cell in cells_of_every_kind():
        onsets = td_chain_onsets(cell, 5, 3, 40)
        runs = train_td_chains([cell], range(3, 8), updates=40)
        np.testing.assert_array_equal(onsets, [run.onset.upper for run in runs])
        for run in runs:
            y, t = run.curve("share").y, run.curve("share").t
            assert np.all(y[t <= run.onset.lower] < 0.5)


def test_a_curve_says_what_shaped_it():
    runs = train_td_chains([TDChainCell(d, 0.1) for d in (2, 5)], [0, 1], updates=30)
    assert Ladder("distance", [run.curve("share") for run in runs]).rungs == (2, 5)
    curve = runs[-1].curve("share")
    assert curve.support is None
    assert curve.progress is Progress.UPDATES and curve.origin is Origin.MEASURED
    assert dict(curve.conditions) == {
        "distance": 5,
        "learning_rate": 0.1,
        "n_states": 20,
        "gamma": 0.95,
        "reward_sd": 0.0,
        "batch_size": 1,
        "on_policy": True,
        "gae_lambda": 0.0,
        "update_rule": "temporal_difference",
        "seed": 1,
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"distance": -1}, "distance must be at least 0; it is -1"),
        ({"distance": 20}, "distance must be less than n_states, 20; it is 20"),
        ({"learning_rate": 1.5}, r"learning_rate must be in \(0, 1\]; it is 1.5"),
        ({"gamma": 0.0}, r"gamma must be in \(0, 1\]; it is 0.0"),
        ({"reward_sd": -1.0}, "reward_sd must not be negative; it is -1.0"),
        ({"gae_lambda": 2.0}, r"gae_lambda must be in \[0, 1\]; it is 2.0"),
        ({"gae_lambda": 0.5, "on_policy": False}, "gae_lambda does not act without on_policy"),
        ({"batch_size": 4}, "batch_size does not act on walks without reward_sd; it is 4"),
        ({"n_states": 2.5}, "n_states must be a whole number; it is 2.5"),
    ],
)
def test_wrong_cells_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        TDChainCell(**{"distance": 2, "learning_rate": 0.1, **changes})


def test_wrong_requests_are_refused():
    cell = TDChainCell(2, 0.1)
    with pytest.raises(ValueError, match="updates must be at least 1; it is 0"):
        train_td_chains([cell], [0], updates=0)
    with pytest.raises(ValueError, match="n_seeds must be at least 1; it is 0"):
        td_chain_onsets(cell, 0, 0, 10)
