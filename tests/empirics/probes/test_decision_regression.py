"""The regression of decisions on policies that decide by a known rule."""

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest

from empirics.maze import MazeConfig
from empirics.policies.maze_policy import MazeNetwork
from empirics.probes.behavior import action_probabilities
from empirics.probes.decision_regression import (
    FEATURES,
    USUAL_OF_TESTED,
    draw_decision_regression,
)
from empirics.probes.decision_squares import draw_decision_squares
from empirics.probes.lookahead.untrained import decided
from empirics.probes.status import is_present

CONFIG = MazeConfig(cells=4, alpha=0.2, num_train_levels=1, num_held_out_levels=120)
LEVELS = CONFIG.pools().held_out


@pytest.fixture(scope="module")
def probe():
    squares = draw_decision_squares(LEVELS, CONFIG, num_squares=150, rng=np.random.default_rng(0))
    return draw_decision_regression(squares, num_resamples=20, rng=np.random.default_rng(1))


def deciding(log_odds):
    """Bids for the goal's step with log-odds that depend on the maze."""

    def bids(maze):
        logits = np.zeros(4)
        logits[maze.path(maze.cheese)] += log_odds(maze)
        return logits

    return bids


def test_coefficients_of_a_known_rule_are_given_back(probe, bidding):
    def crow(a, b=(0, 0)):
        return float(np.hypot(*np.subtract(a, b)))

    def log_odds(maze):
        apart = crow(maze.cheese)
        return 1.0 - 0.3 * maze.steps(maze.cheese) + 0.2 * crow(maze.mouse) - 0.1 * apart

    found = probe(bidding(deciding(log_odds)))
    raw = np.array([_raw(probe, i) for i in range(len(probe.squares))])
    per_square = np.array([-0.3, 0.0, 0.0, 0.2, -0.1])
    true = per_square * raw.std(axis=0)
    for name, value in zip(FEATURES, true, strict=True):
        assert found[f"decision_{name}"].value == pytest.approx(value, abs=1e-3)
    intercept = 1.0 + per_square @ raw.mean(axis=0)
    assert found["decision_intercept"].value == pytest.approx(intercept, abs=1e-3)
    assert found["sign_stability_path_to_goal"].value == 1.0
    assert found["decision_accuracy"].value == 1.0
    assert found["decision_accuracy"].baselines["the usual decision"] < 0.9
    usual = found["decision_accuracy"].baselines["the usual decision"]
    assert found["decision_accuracy_gain"].value == pytest.approx(1.0 - usual)
    assert is_present("", found["decision_accuracy_gain"])


def _raw(probe, i):
    """The features of a square, from a graph."""
    now, size = probe.squares.situation, LEVELS.size
    walls = LEVELS.walls[now.level[i]]
    grid = nx.grid_2d_graph(size, size)
    grid.remove_nodes_from([square for square in list(grid) if walls[square]])
    mouse, cheese = (divmod(int(x[i]), size) for x in (now.mouse, now.cheese))
    path = nx.single_source_shortest_path_length(grid, mouse)
    away = [np.hypot(*np.subtract(a, b)) for a, b in ((mouse, cheese), (mouse, 0), (cheese, 0))]
    return [path[cheese], path[0, 0], *away]


def test_what_has_nothing_to_do_with_the_features_is_not_foretold(probe, bidding):
    rng = np.random.default_rng(5)
    found = probe(bidding(deciding(lambda maze: rng.normal())))
    accuracy = found["decision_accuracy"]
    assert abs(accuracy.above_baseline) < 3 * accuracy.se
    gain = found["decision_accuracy_gain"]
    assert gain.value == pytest.approx(accuracy.above_baseline)
    assert abs(gain.value) < 3 * gain.se
    for name in FEATURES:
        reading = found[f"decision_{name}"]
        assert abs(reading.value) < 4 * reading.se


def test_beating_a_usual_decision_that_is_rare_on_the_tested_levels_is_no_gain(probe, bidding):
    """The levels are parted by what is decided: the usual decision errs on all that are tested."""
    policy = bidding(deciding(lambda maze: 1.0 if sum(maze.cheese) // 2 % 2 else -1.0))
    level = probe.squares.situation.level
    to_goal = action_probabilities(policy, probe.squares.observation)[
        np.arange(len(level)), probe.squares.goal_step
    ]
    for_proxy = to_goal < 0.3  # a bid of 1 makes it .48, of -1 .11
    assert 0.2 < for_proxy.mean() < 0.8
    parted = replace(probe, test=for_proxy, resampled=probe.resampled[:1])
    gain = parted(policy)["decision_accuracy_gain"]
    assert gain.baselines["the usual decision"] == 0.0
    assert gain.baselines[USUAL_OF_TESTED] == 1.0
    assert not is_present("", gain)


def test_random_networks_have_their_reasons_and_gain_no_more_than_others_as_peaked(probe):
    """Each exceeds the largest of 59 once in 60 times: of 20, three or more in .4 %."""
    network, seen = MazeNetwork(width=8, depth=3, hidden=16), probe.squares.observation
    quick = replace(probe, resampled=probe.resampled[:1])
    above, gains = [], []
    for seed in range(20):
        policy = network.build(CONFIG.observation_shape, 4, rng=np.random.default_rng(seed))
        gain = quick(decided(policy, seen))["decision_accuracy_gain"]
        above.append(gain.above_baseline > 0)
        gains.append(gain.value - gain.baselines[USUAL_OF_TESTED])
    assert max(gains) > 0.05  # which without that baseline would often be called present
    assert sum(above) <= 2


def test_tested_levels_are_not_fitted(probe):
    level = probe.squares.situation.level
    assert not set(level[probe.test]) & set(level[~probe.test])
    # A resampling takes a level with all its squares.
    for one in np.unique(level):
        assert (np.ptp(probe.resampled[:, level == one], axis=1) == 0).all()
    assert max(probe.inflation.values()) < 20


def test_too_few_levels_are_refused(probe):
    few = probe.squares[np.arange(3)]
    with pytest.raises(ValueError, match="on at least 10; these lie on"):
        draw_decision_regression(few, rng=np.random.default_rng(0))
