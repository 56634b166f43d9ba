"""Reward for the outcome and on the way, against episodes walked by hand and at random."""

from dataclasses import replace

import numpy as np
import pytest

from empirics.levels import distances, first_steps
from empirics.maze import MazeConfig
from empirics.path_lengths import path_lengths

CONFIG = MazeConfig(cells=4, alpha=0.5, num_train_levels=60, num_held_out_levels=5, max_steps=30)
EACH = np.arange(32)


@pytest.fixture(scope="module")
def searched():
    """Steps from a square to every square of each level, by searches from all squares."""
    levels = CONFIG.pools().train
    steps = np.full((len(levels), levels.size**2, levels.size**2), -1.0)
    for squares in levels.open_squares.T:
        steps[np.arange(len(levels)), squares] = distances(levels, squares)
    return steps


def steps_left(env, searched):
    now = env.state()
    return searched[now["level"], now["cheese"], now["mouse"]]


def test_path_lengths_are_those_of_a_search_from_every_square(searched):
    levels = CONFIG.pools().train
    lengths = path_lengths(levels)
    for level, squares in enumerate(levels.open_squares):
        np.testing.assert_array_equal(lengths[level], searched[level][np.ix_(squares, squares)])


@pytest.mark.parametrize("fraction", [0.0, 0.25, 1.0])
def test_a_direct_run_earns_one_in_equal_steps_and_the_rest_at_the_end(fraction, searched):
    env = replace(CONFIG, process_fraction=fraction).make(32, 0)
    env.reset()
    now, start = env.state(), steps_left(env, searched)
    labels = first_steps(env.levels[now["level"]], now["cheese"])
    earned = np.zeros((32, CONFIG.max_steps))
    waiting = np.ones(32, dtype=bool)
    for clock in range(int(start.max())):
        action = np.where(waiting, labels[EACH, env.state()["mouse"]], 0)
        step = env.step(action)
        earned[waiting, clock] = step.reward[waiting]
        waiting &= ~step.terminated
    assert not waiting.any()
    expected = np.where(np.arange(CONFIG.max_steps) < start[:, None], fraction / start[:, None], 0)
    expected[EACH, start.astype(int) - 1] += 1 - fraction
    np.testing.assert_allclose(earned, expected, atol=1e-6)
    np.testing.assert_allclose(earned.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("fraction", [0.3, 1.0])
def test_every_step_earns_its_share_of_the_way_and_detours_cancel(fraction, searched):
    env = replace(CONFIG, process_fraction=fraction).make(32, 1)
    rng = np.random.default_rng(0)
    env.reset()
    start, earned, reached, cut = steps_left(env, searched), np.zeros(32), 0, 0
    for _ in range(300):
        before = steps_left(env, searched)
        step = env.step(rng.integers(4, size=32))
        over = step.terminated | step.truncated
        left = np.where(step.terminated, 0, steps_left(env, searched))
        inside = ~over | step.terminated
        expected = (1 - fraction) * step.terminated + fraction * (before - left) / start
        np.testing.assert_allclose(step.reward[inside], expected[inside], atol=1e-6)
        earned += step.reward
        np.testing.assert_allclose(earned[step.terminated], 1, atol=1e-5)
        assert (earned[step.truncated] <= fraction * (1 - 1 / start[step.truncated]) + 1e-5).all()
        reached, cut = reached + step.terminated.sum(), cut + step.truncated.sum()
        earned[over], start[over] = 0.0, steps_left(env, searched)[over]
    assert reached > 50 and cut > 50


def test_the_reward_changes_nothing_that_is_seen():
    mazes = [replace(CONFIG, process_fraction=f).make(32, 2) for f in (0.0, 1.0)]
    rng = np.random.default_rng(0)
    for _ in range(60):
        actions = rng.integers(4, size=32)
        plain, paid = (maze.step(actions) for maze in mazes)
        np.testing.assert_array_equal(plain.observation, paid.observation)
        np.testing.assert_array_equal(plain.reward, plain.terminated)
        np.testing.assert_array_equal(plain.terminated, paid.terminated)


def test_a_restored_maze_goes_on_paying_for_the_way_from_the_start():
    one, other = (replace(CONFIG, process_fraction=0.5).make(32, seed) for seed in (1, 2))
    rng = np.random.default_rng(3)
    for _ in range(20):
        one.step(rng.integers(4, size=32))
    other.restore({name: array.copy() for name, array in one.state().items()})
    for _ in range(60):
        actions = rng.integers(4, size=32)
        np.testing.assert_array_equal(one.step(actions).reward, other.step(actions).reward)


@pytest.mark.parametrize("value", [-0.1, 1.5])
def test_a_share_lies_between_none_and_all(value):
    with pytest.raises(ValueError, match=rf"process_fraction must be in \[0, 1\]; it is {value}."):
        replace(CONFIG, process_fraction=value)
