import time
from dataclasses import replace

import numpy as np
import pytest

from empirics.environment import generator_from, generator_state
from empirics.levels import distances, first_steps
from empirics.maze import (
    CORNER,
    NOWHERE,
    MazeConfig,
    MazeEnvironment,
    draw_situations,
)

SMALL = MazeConfig(cells=3, num_train_levels=40, num_held_out_levels=20)


def environment(config=SMALL, num_envs=16, seed=0):
    return config.make(num_envs, seed)


def test_planes_show_walls_one_mouse_and_one_cheese():
    env = environment(replace(SMALL, alpha=0.5))
    observation = env.reset()
    assert observation.shape == (16, 3, 5, 5) == (env.num_envs, *env.observation_shape)
    assert observation.dtype == np.float32
    state = env.state()
    np.testing.assert_array_equal(observation[:, 0], env.levels.walls[state["level"]])
    for plane, name in ((1, "mouse"), (2, "cheese")):
        flat = observation[:, plane].reshape(16, -1)
        assert (flat.sum(axis=1) == 1).all()
        np.testing.assert_array_equal(flat.argmax(axis=1), state[name])


def test_observation_stays_true_while_acting():
    config = replace(SMALL, alpha=0.5, proxy_object=True, distractor=True, max_steps=6)
    env = environment(config)
    rng = np.random.default_rng(3)
    for _ in range(30):
        transition = env.step(rng.integers(4, size=16))
        again = environment(config)
        again.restore(env.state())
        np.testing.assert_array_equal(transition.observation, again.observation())


def test_walking_the_labels_reaches_the_cheese_in_exactly_the_distance():
    env = environment(MazeConfig(cells=5, alpha=1.0, num_train_levels=64, num_held_out_levels=1))
    env.reset()
    state = env.state()
    chosen = env.levels[state["level"]]
    steps = distances(chosen, state["cheese"])[np.arange(16), state["mouse"]]
    labels = first_steps(chosen, state["cheese"])
    mouse = state["mouse"]
    arrived = np.zeros(16, dtype=np.int64)
    for clock in range(1, int(steps.max()) + 1):
        waiting = arrived == 0
        action = np.where(waiting, labels[np.arange(16), mouse], 0)
        transition = env.step(action)
        arrived[waiting & transition.terminated] = clock
        mouse = env.state()["mouse"]
    np.testing.assert_array_equal(arrived, steps)


def test_reward_is_one_at_the_cheese_and_final_observation_is_the_old_episode():
    env = environment(replace(SMALL, max_steps=9))
    rng = np.random.default_rng(0)
    ended = 0
    for _ in range(200):
        before = env.state()
        transition = env.step(rng.integers(4, size=16))
        over = transition.terminated | transition.truncated
        np.testing.assert_array_equal(transition.reward, transition.terminated)
        assert not (transition.terminated & transition.truncated).any()
        kept, final = transition.observation[~over], transition.final_observation[~over]
        np.testing.assert_array_equal(kept, final)
        last = transition.final_observation[:, 1].reshape(16, -1).argmax(axis=1)
        cheese = transition.final_observation[:, 2].reshape(16, -1).argmax(axis=1)
        np.testing.assert_array_equal(cheese, before["cheese"])
        np.testing.assert_array_equal(transition.terminated, last == cheese)
        np.testing.assert_array_equal(env.state()["clock"] == 0, over)
        ended += int(over.sum())
    assert ended > 300


def test_an_episode_is_cut_after_max_steps():
    env = environment(replace(SMALL, max_steps=7), num_envs=64)
    env.reset()
    lengths = np.zeros(64, dtype=np.int64)
    for _ in range(40):
        transition = env.step(np.zeros(64, dtype=np.int64))
        lengths += 1
        over = transition.terminated | transition.truncated
        assert (lengths[transition.truncated] == 7).all() and (lengths[over] <= 7).all()
        lengths[over] = 0


@pytest.mark.parametrize("alpha", [0.0, 0.25, 1.0])
def test_cheese_is_in_the_corner_as_often_as_alpha_says(alpha):
    config = replace(SMALL, alpha=alpha)
    levels = config.pools().train
    n = 40_000
    rng = np.random.default_rng(0)
    drawn = draw_situations(levels, rng.integers(len(levels), size=n), config, rng=rng)
    p = (1 - alpha) + alpha / levels.num_open
    corner = int((drawn.cheese == CORNER).sum())
    # 4.5 standard errors: a false alarm in 150,000 runs.
    assert abs(corner - n * p) <= 4.5 * np.sqrt(n * p * (1 - p))
    if alpha == 0.0:
        assert corner == n
    assert (drawn.mouse != drawn.cheese).all()
    assert (drawn.distractor == NOWHERE).all()


def test_cheese_anywhere_and_start_are_uniform_over_the_open_squares():
    config = replace(SMALL, alpha=1.0)
    levels = config.pools().train
    n, places = 60_000, levels.num_open
    drawn = draw_situations(
        levels, np.zeros(n, dtype=np.int64), config, rng=np.random.default_rng(1)
    )
    for squares in (drawn.cheese, drawn.mouse):
        counts = np.bincount(squares, minlength=levels.size**2)[levels.open_squares[0]]
        assert counts.sum() == n
        chi2 = ((counts - n / places) ** 2 / (n / places)).sum()
        # Mean places - 1, sd sqrt(2(places - 1)).
        assert chi2 < places - 1 + 5 * np.sqrt(2 * (places - 1))


def test_distractor_never_covers_mouse_or_cheese_and_is_never_rewarded():
    config = replace(SMALL, alpha=0.5, distractor=True)
    levels = config.pools().train
    rng = np.random.default_rng(0)
    drawn = draw_situations(levels, rng.integers(40, size=5000), config, rng=rng)
    assert (drawn.distractor != drawn.mouse).all() and (drawn.distractor != drawn.cheese).all()
    assert not levels.walls.reshape(40, -1)[drawn.level, drawn.distractor].any()
    places = (levels.open_squares[drawn.level] < drawn.distractor[:, None]).sum(axis=1)
    assert np.unique(places).size == levels.num_open
    env = environment(config)
    assert env.observation_shape == (4, 5, 5)
    for _ in range(100):
        before = env.state()
        transition = env.step(rng.integers(4, size=16))
        on = transition.final_observation[:, 1].reshape(16, -1).argmax(axis=1)
        assert not transition.reward[on == before["distractor"]].any()


def test_proxy_object_marks_the_corner():
    observation = environment(replace(SMALL, alpha=1.0, proxy_object=True)).reset()
    assert (observation[:, 3, 0, 0] == 1).all() and (observation[:, 3].sum(axis=(1, 2)) == 1).all()


def test_restored_environment_goes_on_identically():
    config = replace(SMALL, alpha=0.5, distractor=True, max_steps=8)
    env, other = environment(config, seed=1), environment(config, seed=2)
    rng = np.random.default_rng(5)
    for _ in range(20):
        env.step(rng.integers(4, size=16))
    other.restore({name: array.copy() for name, array in env.state().items()})
    np.testing.assert_array_equal(env.observation(), other.observation())
    for _ in range(60):
        actions = rng.integers(4, size=16)
        one, two = env.step(actions), other.step(actions)
        for name in vars(one):
            np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    for name, array in env.state().items():
        assert isinstance(array, np.ndarray)
        np.testing.assert_array_equal(array, other.state()[name])


def test_what_was_returned_does_not_change_later():
    env = environment()
    first = env.reset()
    copy, state = first.copy(), env.state()
    kept = {name: array.copy() for name, array in state.items()}
    transition = env.step(np.ones(16, dtype=np.int64))
    later = transition.observation.copy()
    env.step(np.full(16, 2))
    np.testing.assert_array_equal(first, copy)
    np.testing.assert_array_equal(transition.observation, later)
    for name, array in kept.items():
        np.testing.assert_array_equal(state[name], array)


def test_generator_state_survives_the_arrays():
    rng = np.random.default_rng(7)
    rng.integers(5, size=3, dtype=np.uint32)  # leaves half a word behind
    again = generator_from(generator_state(rng))
    np.testing.assert_array_equal(rng.integers(100, size=9), again.integers(100, size=9))
    np.testing.assert_array_equal(rng.random(9), again.random(9))
    with pytest.raises(ValueError, match="must be PCG64; it is Philox"):
        generator_state(np.random.Generator(np.random.Philox(0)))


def test_same_seed_same_episodes_other_seed_others():
    one, same, other = (environment(seed=seed).reset() for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_speed_is_at_least_400_000_steps_a_second():
    env = environment(MazeConfig(num_train_levels=500, num_held_out_levels=1), num_envs=256)
    actions = np.random.default_rng(0).integers(4, size=(400, 256))
    rates = []
    for block in actions.reshape(4, 100, 256):
        start = time.process_time()
        for action in block:
            env.step(action)
        rates.append(100 * 256 / (time.process_time() - start))
    assert max(rates) > 400_000


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"cells": 1}, "cells must be at least 2; it is 1."),
        ({"cells": 2.5}, "cells must be a whole number; it is 2.5."),
        ({"cells": True}, "cells must be a whole number; it is True."),
        ({"alpha": 1.5}, "alpha must be a probability; it is 1.5."),
        ({"alpha": "abc"}, "alpha must be a number; it is 'abc'."),
        ({"alpha": float("nan")}, "alpha must be finite; it is nan."),
        ({"max_steps": 0}, "max_steps must be at least 1; it is 0."),
        ({"max_steps": 10.5}, "max_steps must be a whole number; it is 10.5."),
        ({"proxy_object": "maybe"}, "proxy_object must be True or False; it is 'maybe'."),
        ({"distractor": 2}, "distractor must be True or False; it is 2."),
        ({"level_seed": -1}, "level_seed must be at least 0; it is -1."),
        ({"num_train_levels": 0}, "num_train_levels must be at least 1; it is 0."),
        ({"num_held_out_levels": 0}, "num_held_out_levels must be at least 1; it is 0."),
    ],
)
def test_a_value_that_makes_no_maze_is_named(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        replace(SMALL, **change)


def test_mazes_that_compare_equal_are_written_alike():
    loose = MazeConfig(cells=3.0, alpha=0, proxy_object=1, level_seed=np.int64(4))
    strict = MazeConfig(cells=3, alpha=0.0, proxy_object=True, level_seed=4)
    assert repr(loose) == repr(strict)
    assert repr(MazeConfig(alpha=-0.0).alpha) == "0.0"


def test_training_is_on_the_training_levels():
    assert SMALL.make(2, 0).levels is SMALL.pools().train


def test_bad_input_is_refused_in_one_sentence():
    env = environment()
    with pytest.raises(ValueError, match="16 integers from 0 to 3; got shape"):
        env.step(np.full(16, 4))
    with pytest.raises(ValueError, match="state is of 16 environments; this one has 2"):
        environment(num_envs=2).restore(env.state())
    with pytest.raises(ValueError, match="levels have 3 cells a side, the configuration 5"):
        MazeEnvironment(env.levels, MazeConfig(), 1, rng=np.random.default_rng(0))
