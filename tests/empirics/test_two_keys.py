"""Mazes in which a key says which object is the goal."""

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
import torch

from empirics.levels import first_steps
from empirics.maze import CORNER, NOWHERE, MazeConfig, Situation, draw_situations, observe
from empirics.policies.maze_policy import MazeNetwork
from empirics.probes.decision_squares import draw_decision_squares
from empirics.probes.goal_and_proxy import GoalAndProxy
from empirics.probes.incentive_plan import IncentivePlan
from empirics.probes.maze_plan import MazePlan
from empirics.probes.shard_plan import ShardPlan
from empirics.probes.success import draw_success

PLAIN = MazeConfig(cells=4, alpha=0.5, distractor=True, num_train_levels=50, num_held_out_levels=60)
CONFIG = replace(PLAIN, two_keys=True)
LEVELS = CONFIG.pools().held_out
OBJECTS = ("level", "mouse", "cheese", "distractor", "key")


def path(level, start, end):
    grid = nx.grid_2d_graph(LEVELS.size, LEVELS.size)
    grid.remove_nodes_from([node for node in list(grid) if LEVELS.walls[level][node]])
    return nx.shortest_path(grid, *(divmod(int(square), LEVELS.size) for square in (start, end)))


def drawn(config, n=3000, seed=0):
    rng = np.random.default_rng(seed)
    return draw_situations(LEVELS, rng.integers(len(LEVELS), size=n), config, rng=rng)


class Seeker:
    """Takes the first step to an object, read off the observation: the goal, or always one."""

    def __init__(self, always=None):
        self.always = always
        self.index = {walls.tobytes(): i for i, walls in enumerate(LEVELS.walls)}

    def __call__(self, observation):
        planes = observation.numpy()
        level = np.array([self.index[walls.astype(bool).tobytes()] for walls in planes[:, 0]])
        mouse, cheese, distractor = (
            planes[:, k].reshape(len(planes), -1).argmax(axis=1) for k in (1, 2, 3)
        )
        key = planes[:, -1, 0, 0] if self.always is None else self.always
        steps = first_steps(LEVELS[level], np.where(key, distractor, cheese))
        step = steps[np.arange(len(planes)), mouse]
        logits = torch.zeros(len(planes), 4)
        there = np.flatnonzero(step >= 0)
        logits[there, step[there]] = 1000.0
        return logits, torch.zeros(len(planes))


def test_without_keys_nothing_is_drawn_or_seen_otherwise():
    now, rng = drawn(PLAIN), np.random.default_rng(0)
    level = rng.integers(len(LEVELS), size=3000)
    anywhere, far = rng.random(3000) < 0.5, rng.integers(LEVELS.num_open, size=3000)
    cheese = np.where(anywhere, far, CORNER)
    mouse = rng.integers(LEVELS.num_open - 1, size=3000)
    mouse += mouse >= cheese
    place = rng.integers(LEVELS.num_open - 2, size=3000)
    place += place >= np.minimum(cheese, mouse)
    place += place >= np.maximum(cheese, mouse)
    squares = LEVELS.open_squares[level, np.stack([mouse, cheese, place])]
    np.testing.assert_array_equal(np.stack([now.mouse, now.cheese, now.distractor]), squares)
    assert not now.key.any() and (now.goal is now.cheese)
    assert observe(LEVELS, now, PLAIN).shape[1] == 4


def test_the_key_is_a_fair_coin_and_the_last_plane():
    now = drawn(CONFIG)
    ones = int(now.key.sum())
    assert abs(ones - 1500) <= 4.5 * np.sqrt(3000 / 4)
    seen = observe(LEVELS, now, CONFIG)
    assert seen.shape[1:] == CONFIG.observation_shape == (5, 7, 7)
    np.testing.assert_array_equal(seen[:, 4], np.broadcast_to(now.key[:, None, None], (3000, 7, 7)))
    np.testing.assert_array_equal(seen[:, :4], observe(LEVELS, now, PLAIN))


def test_the_other_object_is_never_on_the_way_to_the_goal():
    now = drawn(CONFIG, 400)
    for i, level in enumerate(now.level):
        squares = {now.mouse[i], now.cheese[i], now.distractor[i]}
        assert len(squares) == 3
        other = divmod(int(now.other[i]), LEVELS.size)
        assert other not in path(level, now.mouse[i], now.goal[i])
        assert {now.goal[i], now.other[i]} == {now.cheese[i], now.distractor[i]}
    plain = drawn(PLAIN, 400)
    flipped = Situation(*list(vars(plain).values())[:4], np.ones(400, dtype=np.int64))
    ways = zip(flipped.level, flipped.mouse, flipped.goal, flipped.other, strict=True)
    blocked = [divmod(int(o), LEVELS.size) in path(l, m, g) for l, m, g, o in ways]  # noqa: E741
    assert np.mean(blocked) > 0.1  # what is never drawn would not be rare


def test_goal_and_other_are_moved_by_what_the_key_says():
    now, nowhere = drawn(CONFIG, 50), np.full(50, NOWHERE)
    for moved, kept in ((now.with_goal(nowhere), "other"), (now.with_other(nowhere), "goal")):
        gone = {"other": "goal", "goal": "other"}[kept]
        assert (getattr(moved, gone) == NOWHERE).all()
        np.testing.assert_array_equal(getattr(moved, kept), getattr(now, kept))
        np.testing.assert_array_equal(moved.key, now.key)


@pytest.mark.parametrize("fraction", [0.0, 1.0])
def test_the_goal_pays_and_the_other_object_only_ends(fraction):
    env = replace(CONFIG, process_fraction=fraction).make(64, 0)
    rng = np.random.default_rng(0)
    env.reset()
    found = {"goal": 0, "other": 0}
    earned = np.zeros(64)
    for _ in range(150):
        state = env.state()
        now = Situation(*(state[name] for name in OBJECTS))
        step = env.step(rng.integers(4, size=64))
        earned += step.reward
        on = step.final_observation[:, 1].reshape(64, -1).argmax(axis=1)
        np.testing.assert_array_equal(step.terminated, (on == now.goal) | (on == now.other))
        np.testing.assert_allclose(earned[on == now.goal], 1, atol=1e-5)
        if not fraction:
            np.testing.assert_array_equal(step.reward, on == now.goal)
        assert (earned[on == now.other] < 1).all()
        found = {k: n + int((on == getattr(now, k)).sum()) for k, n in found.items()}
        earned[step.terminated | step.truncated] = 0
    assert min(found.values()) > 30


def test_success_and_p_goal_are_those_of_the_object_that_the_key_names():
    success = draw_success(LEVELS, CONFIG, num_levels=60, rng=np.random.default_rng(0))
    squares = draw_decision_squares(LEVELS, CONFIG, num_squares=60, rng=np.random.default_rng(0))
    knows, cheese = success(Seeker()), success(Seeker(always=0))
    for where in ("on", "off"):
        assert knows[f"success_{where}_distribution"].value == pytest.approx(1, abs=1e-12)
    # right where the cheese is the goal; elsewhere only if the goal is met on the way
    assert 0.3 < cheese["success_off_distribution"].value < 0.8
    assert GoalAndProxy(squares)(Seeker())["p_goal"].value == pytest.approx(1, abs=1e-12)
    where = squares.situation
    assert 0 < where.key.mean() < 1
    for i in range(len(squares)):
        way = path(where.level[i], where.mouse[i], where.goal[i])
        assert divmod(int(where.other[i]), LEVELS.size) not in way
        assert (0, 0) not in way and len(way) > 1


def test_without_the_goal_the_object_that_the_key_names_is_gone():
    squares = draw_decision_squares(LEVELS, CONFIG, num_squares=40, rng=np.random.default_rng(1))
    gone = squares.observation - squares.observation_without_goal
    key, each = squares.situation.key, np.arange(len(squares))
    assert (gone[each, 2 + key].sum(axis=(1, 2)) == 1).all()
    assert not gone[each, 3 - key].any() and not gone[:, [0, 1, 4]].any()


@pytest.mark.parametrize(
    ("plan", "name"),
    [
        (IncentivePlan(8, 20), "meg_goal"),
        (MazePlan(num_squares=40, num_success_levels=10), "p_goal"),
        (ShardPlan(shard_layer=0, num_shard_squares=40, num_shard_levels=30), "retarget"),
    ],
)
def test_every_plan_measures_these_mazes(plan, name):
    network = MazeNetwork(width=4, depth=2, hidden=4)
    policy = network.build(CONFIG.observation_shape, 4, rng=np.random.default_rng(0))
    found = {k: value for probe in plan.probes(CONFIG) for k, value in probe(policy).items()}
    assert name in found and all(np.isfinite(each.value) for each in found.values())


def test_keys_need_two_objects():
    with pytest.raises(ValueError, match="two_keys needs distractor=True: the key says which of"):
        MazeConfig(two_keys=True)
