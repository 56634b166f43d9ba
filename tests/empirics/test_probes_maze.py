"""Probes measured on policies whose every answer is known."""

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
import torch
from torch import nn

from empirics.levels import first_steps
from empirics.maze import CORNER, MazeConfig, MazeEnvironment, draw_situations, observe
from empirics.one_thread import one_thread
from empirics.policies.maze_policy import MazeNetwork
from empirics.probes.behavior import action_probabilities
from empirics.probes.decision_squares import DecisionSquares, draw_decision_squares
from empirics.probes.goal_and_proxy import GoalAndProxy, GoalRemoved
from empirics.probes.maze_plan import MazePlan
from empirics.probes.policy_entropy import draw_policy_entropy
from empirics.probes.success import draw_success

CONFIG = MazeConfig(cells=4, alpha=0.2, num_train_levels=50, num_held_out_levels=150)
LEVELS = CONFIG.pools().held_out


@pytest.fixture(autouse=True)
def on_one_thread():
    """As in training; on a busy machine two threads take many times as long."""
    with one_thread():
        yield


class Uniform(nn.Module):
    def forward(self, observation):
        n = len(observation)
        return torch.zeros(n, 4), torch.zeros(n)


class Walker(nn.Module):
    """Takes the first step to the cheese (or to the corner), read off the observation."""

    def __init__(self, to_corner=False):
        super().__init__()
        self.to_corner = to_corner
        keys = LEVELS.walls.reshape(len(LEVELS), -1)
        self.index = {row.tobytes(): i for i, row in enumerate(keys)}
        self.steps = {}

    def forward(self, observation):
        planes = observation.numpy().reshape(len(observation), observation.shape[1], -1)
        logits = torch.zeros(len(planes), 4)
        for i, (walls, mouse, cheese) in enumerate(planes[:, :3]):
            target = CORNER if self.to_corner or not cheese.any() else int(cheese.argmax())
            level = self.index[walls.astype(bool).tobytes()]
            if (level, target) not in self.steps:
                one = LEVELS[np.array([level])]
                self.steps[level, target] = first_steps(one, np.array([target]))[0]
            step = self.steps[level, target][mouse.argmax()]
            if step >= 0:
                logits[i, step] = 1000.0
        return logits, torch.zeros(len(planes))


def fresh_policy(config, seed):
    rng = np.random.default_rng(seed)
    return MazeNetwork(width=16, depth=4, hidden=16).build(config.observation_shape, 4, rng=rng)


@pytest.fixture(scope="module")
def squares():
    return draw_decision_squares(LEVELS, CONFIG, num_squares=200, rng=np.random.default_rng(0))


def test_decision_squares_lie_strictly_between_corner_and_cheese(squares):
    assert len(squares) == 200
    where = squares.situation
    for level, mouse, cheese in zip(where.level, where.mouse, where.cheese, strict=True):
        grid = nx.grid_2d_graph(LEVELS.size, LEVELS.size)
        grid.remove_nodes_from([node for node in list(grid) if LEVELS.walls[level][node]])
        path = nx.shortest_path(grid, (0, 0), tuple(np.divmod(cheese, LEVELS.size)))
        assert tuple(np.divmod(mouse, LEVELS.size)) in path[1:-1]
    pairs = set(zip(where.level.tolist(), where.mouse.tolist(), strict=True))
    assert len(pairs) == 200 and np.bincount(where.level).max() <= 2
    assert (where.cheese != CORNER).all()


def test_decision_squares_are_the_same_for_the_same_seed(squares):
    again, other = (
        draw_decision_squares(LEVELS, CONFIG, num_squares=200, rng=np.random.default_rng(seed))
        for seed in (0, 1)
    )
    np.testing.assert_array_equal(squares.observation, again.observation)
    assert not np.array_equal(squares.observation, other.observation)


def test_no_distractor_lies_on_a_decision_square():
    config = replace(CONFIG, distractor=True)
    with_distractor = draw_decision_squares(LEVELS, config, rng=np.random.default_rng(0))
    where = with_distractor.situation
    assert len(with_distractor) > 200
    assert (where.distractor != where.mouse).all() and (where.distractor != where.cheese).all()


def test_everything_is_measured_on_held_out_levels():
    pools = CONFIG.pools()
    goal, removed, success, entropy = MazePlan(num_success_levels=30).probes(CONFIG)
    assert goal.squares.levels is removed.squares.levels is entropy.levels is pools.held_out
    assert set(success.levels.digests) < set(pools.held_out.digests)
    assert len(success.levels) == 30


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"num_squares": 0}, "num_squares must be at least 1; it is 0."),
        ({"num_success_levels": 1.5}, "num_success_levels must be a whole number; it is 1.5."),
        ({"success_gamma": 1.1}, r"success_gamma must lie in \[0, 1\]; it is 1.1."),
        ({"probe_seed": -1}, "probe_seed must be at least 0; it is -1."),
    ],
)
def test_a_plan_that_cannot_be_is_said(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        MazePlan(**change)


def test_squares_that_do_not_part_the_ways_are_refused(squares):
    with pytest.raises(ValueError, match="square 0 asks for the same step either way"):
        DecisionSquares(LEVELS, CONFIG, squares.situation, squares.goal_step, squares.goal_step)


def test_removing_the_goal_removes_only_the_goal(squares):
    with_goal, without = squares.observation, squares.observation_without_goal
    assert not without[:, 2].any() and (with_goal[:, 2].sum(axis=(1, 2)) == 1).all()
    np.testing.assert_array_equal(with_goal[:, [0, 1]], without[:, [0, 1]])


def test_known_policies_read_as_what_they_are(squares):
    probe, removed = GoalAndProxy(squares), GoalRemoved(squares)
    for policy, p_goal, p_proxy, p_removed in [
        (Uniform(), 0.25, 0.25, 0.25),
        (Walker(), 1.0, 0.0, 1.0),
        (Walker(to_corner=True), 0.0, 1.0, 1.0),
    ]:
        readings = {**probe(policy), **removed(policy)}
        assert tuple(readings) == probe.observables + removed.observables
        values = [readings[name].value for name in readings]
        np.testing.assert_allclose(values, [p_goal, p_proxy, p_removed], atol=1e-12)
        assert all(r.se == pytest.approx(0, abs=1e-12) for r in readings.values())
        assert readings["p_goal"].baselines["uniform"] == 0.25
        assert 0.25 < readings["p_goal"].baselines["any open step"] <= 0.5


def test_success_of_known_policies():
    probe = draw_success(LEVELS, CONFIG, num_levels=40, rng=np.random.default_rng(0))
    walker = probe(Walker())
    assert tuple(walker) == probe.observables
    assert walker["success_on_distribution"].value == pytest.approx(1.0, abs=1e-12)
    assert walker["success_off_distribution"].value == pytest.approx(1.0, abs=1e-12)
    corner = probe(Walker(to_corner=True))
    # It meets the cheese on the way to the corner or stays in the corner for good.
    on, off = (corner[f"success_{w}_distribution"].value for w in ("on", "off"))
    assert off < 0.6 and on == pytest.approx(0.8 + 0.2 * off, abs=1e-12)
    uniform = probe(Uniform())
    for reading in uniform.values():
        assert reading.value == pytest.approx(reading.baselines["uniform"], abs=1e-12)
        assert reading.se > 0 and reading.n_levels == 40


def test_discounted_return_of_the_shortest_walk():
    probe = draw_success(LEVELS, CONFIG, num_levels=10, gamma=0.9, rng=np.random.default_rng(1))
    means = []
    for i, cheese in enumerate(probe.cheese):
        grid = nx.grid_2d_graph(LEVELS.size, LEVELS.size)
        walls = probe.levels.walls[i]
        grid.remove_nodes_from([node for node in list(grid) if walls[node]])
        far = nx.single_source_shortest_path_length(grid, tuple(np.divmod(cheese, LEVELS.size)))
        means.append(np.mean([0.9 ** (d - 1) for d in far.values() if d > 0]))
    reading = probe(Walker())["episodic_return_off_distribution"]
    assert reading.value == pytest.approx(np.mean(means), rel=1e-12)
    assert reading.se == pytest.approx(np.std(means, ddof=1) / np.sqrt(10), rel=1e-9)


def test_a_distractor_never_shares_the_square_of_the_cheese():
    config = replace(CONFIG, distractor=True)
    probe = draw_success(LEVELS, config, num_levels=150, rng=np.random.default_rng(0))
    planes = probe._observation
    assert (planes[:, 2] * planes[:, 3]).sum() == 0
    assert (planes[:, 3].sum(axis=(1, 2)) == 1).all()


def test_success_is_averaged_over_the_starts_that_training_has():
    config = replace(CONFIG, distractor=True)
    probe = draw_success(LEVELS, config, num_levels=20, rng=np.random.default_rng(0))
    squares = np.tile(probe.levels.open_squares, (2, 1))
    cheese = np.r_[np.full(20, CORNER), probe.cheese]
    taken = (squares == cheese[:, None]) | (squares == probe.distractor.ravel()[:, None])
    assert (taken.sum(axis=1) == 2).all()
    np.testing.assert_allclose(probe._start, ~taken / (probe.levels.num_open - 2))


@pytest.mark.parametrize(
    "config",
    [
        CONFIG,
        *(replace(CONFIG, alpha=alpha, distractor=True) for alpha in (0.3, 1.0)),
        replace(CONFIG, alpha=0.3, distractor=True, two_keys=True),
    ],
)
def test_exact_success_agrees_with_rollouts_of_the_environment(config):
    probe = draw_success(LEVELS, config, num_levels=len(LEVELS), rng=np.random.default_rng(0))
    policy = fresh_policy(config, seed=3)
    with torch.no_grad():
        policy.actor.weight *= 30  # far from uniform
    first = _first_episode_wins(policy, config, 3000)
    exact = probe(policy)["success_on_distribution"]
    # Rollouts draw levels, starts and cheeses afresh; the probe has one cheese a level.
    se = np.hypot(np.sqrt(first * (1 - first) / 3000), exact.se)
    assert abs(first - exact.value) < 4.5 * se
    assert 0.02 < first < 0.98


def _first_episode_wins(policy, config, n):
    env = MazeEnvironment(LEVELS, config, n, rng=np.random.default_rng(4))
    rng, observation = np.random.default_rng(5), env.reset()
    running, won = np.ones(n, dtype=bool), np.zeros(n, dtype=bool)
    for _ in range(config.max_steps):
        cumulative = action_probabilities(policy, observation).cumsum(axis=1)
        transition = env.step((rng.random((n, 1)) > cumulative[:, :3]).sum(axis=1))
        won |= running & (transition.reward == 1)
        running &= ~(transition.terminated | transition.truncated)
        observation = transition.observation
    assert not running.any()
    return won.mean()


def test_entropy_of_the_uniform_policy_is_its_largest_and_of_a_walker_zero():
    probe = draw_policy_entropy(LEVELS, CONFIG, rng=np.random.default_rng(0))
    reading = probe(Uniform())["policy_entropy"]
    assert reading.value == pytest.approx(np.log(4), abs=1e-12) and reading.unit == "nats"
    assert probe(Walker())["policy_entropy"].value == pytest.approx(0.0, abs=1e-12)


def test_probes_leave_the_policy_as_they_found_it(squares):
    policy = fresh_policy(CONFIG, seed=0)
    before = {name: tensor.clone() for name, tensor in policy.state_dict().items()}
    policy.train()
    first = GoalAndProxy(squares)(policy)
    assert policy.training
    assert GoalAndProxy(squares)(policy) == first
    for name, tensor in policy.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_network_is_near_uniform_at_first_and_decided_by_its_seed():
    networks = [fresh_policy(CONFIG, seed=seed) for seed in (0, 0, 1)]
    situation = draw_situations(LEVELS, np.arange(8), CONFIG, rng=np.random.default_rng(0))
    observation = observe(LEVELS, situation, CONFIG)
    one, same, other = (action_probabilities(net, observation) for net in networks)
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    np.testing.assert_allclose(one, 0.25, atol=0.02)
    with pytest.raises(ValueError, match="width must be at least 1; it is 0."):
        MazeNetwork(width=0)
    with pytest.raises(ValueError, match="stride must be 1 or 2; it is 3."):
        MazeNetwork(stride=3)


@pytest.mark.parametrize(("stride", "depth", "reach"), [(1, 2, 2), (1, 3, 3), (2, 2, 3)])
def test_network_sees_as_far_as_its_depth_and_no_farther(stride, depth, reach):
    # With stride 2 the first convolution sees one square around a cell, the others two more.
    config = MazeConfig(cells=5, num_train_levels=1, num_held_out_levels=1)
    network = MazeNetwork(depth=depth, stride=stride)
    policy = network.build(config.observation_shape, 4, rng=np.random.default_rng(0))
    observation = torch.zeros(1, 3, 9, 9)
    observation[0, 1, 4, 4] = 1
    with torch.no_grad():
        plain = policy(observation)[0]
        for distance in range(1, 5):
            wall = observation.clone()
            wall[0, 0, 4, 4 + distance] = 1
            assert torch.equal(policy(wall)[0], plain) == (distance > reach)
