from dataclasses import replace

import numpy as np
import pytest

from empirics.experiment import Experiment, log_schedule
from empirics.maze import CORNER, MazeConfig
from empirics.maze_agent import stored_agents
from empirics.maze_window import WindowedMaze, windowed
from empirics.policies.maze_policy import MazeNetwork
from empirics.ppo import PPOConfig
from empirics.probed_checkpoints import probed_checkpoints
from empirics.probes.maze_plan import MazePlan
from empirics.task import run

SMALL = MazeConfig(cells=3, alpha=0.3, max_steps=6, num_train_levels=40, num_held_out_levels=20)
ENVS = 16
WINDOW = WindowedMaze(SMALL, window_start=20 * ENVS, window_length=30 * ENVS, window_alpha=1.0)

PPO = PPOConfig(
    total_timesteps=16 * 8 * 6, num_envs=16, num_steps=8, num_minibatches=2, update_epochs=1
)
TINY = Experiment(
    name="tiny",
    environment=SMALL,
    network=MazeNetwork(width=8, depth=2, hidden=8),
    algorithm=PPO,
    schedule=log_schedule(PPO, 5),
    plan=MazePlan(num_squares=20, num_success_levels=5),
)
UPDATE = PPO.batch_size


def played(config, steps, seed=0):
    """The environment after so many random steps, and all it returned."""
    env = config.make(ENVS, seed)
    actions = np.random.default_rng(9).integers(4, size=(steps, ENVS))
    seen = [env.reset()]
    for action in actions:
        seen.append(env.step(action))
    return env, seen


def same(one, other):
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in vars(one))


@pytest.mark.parametrize("length", [0, 30 * ENVS])
def test_before_the_window_and_without_one_nothing_differs_by_a_bit(length):
    config = replace(WINDOW, window_length=length)
    steps = 60 if length == 0 else 20
    env, seen = played(config, steps)
    plain, expected = played(SMALL, steps)
    np.testing.assert_array_equal(seen[0], expected[0])
    assert all(same(*pair) for pair in zip(seen[1:], expected[1:], strict=True))
    for name, array in plain.state().items():
        np.testing.assert_array_equal(env.state()[name], array)


def test_a_window_changes_where_the_cheese_is_and_no_other_draw():
    """The generator gives levels and starts whatever alpha is: both streams stay together."""
    never, all_the_time = (
        replace(WINDOW, window_start=0, window_length=10**9, window_alpha=alpha)
        for alpha in (0.0, 1.0)
    )
    one, other = never.make(4000, 3), all_the_time.make(4000, 3)
    one.reset(), other.reset()
    a, b = one.state(), other.state()
    np.testing.assert_array_equal(a["level"], b["level"])
    np.testing.assert_array_equal(a["rng"], b["rng"])
    assert (a["cheese"] == CORNER).all()
    # with alpha 1 the corner is one of the open squares
    levels = SMALL.pools().train
    share = 1 / levels.num_open
    assert abs((b["cheese"] == CORNER).mean() - share) < 4.5 * np.sqrt(share * (1 - share) / 4000)


def test_inside_the_window_episodes_have_its_alpha_and_after_it_the_old_one_again():
    config = replace(WINDOW, maze=replace(SMALL, alpha=0.0))
    env = config.make(ENVS, 0)
    env.reset()
    begun = {"before": [], "inside": [], "after": []}
    rng = np.random.default_rng(1)
    for step in range(120):
        where = "before" if step < 20 else "inside" if step < 50 else "after"
        assert env.is_open == (where == "inside")
        env.step(rng.integers(4, size=ENVS))
        state = env.state()
        begun[where] += (state["cheese"][state["clock"] == 0] == CORNER).tolist()
    assert all(begun["before"]) and all(begun["after"])
    assert min(len(corner) for corner in begun.values()) > 40
    n, share = len(begun["inside"]), 1 / SMALL.pools().train.num_open
    assert abs(np.mean(begun["inside"]) - share) < 4.5 * np.sqrt(share * (1 - share) / n)


def test_a_window_without_reward_takes_the_reward_and_nothing_else():
    unrewarded = replace(WINDOW, window_alpha=None, window_rewarded=False)
    _, seen = played(unrewarded, 80)
    _, expected = played(SMALL, 80)
    for step, (one, other) in enumerate(zip(seen[1:], expected[1:], strict=True)):
        assert same(replace(one, reward=other.reward), other)
        expected_reward = 0.0 if 20 <= step < 50 else other.reward
        np.testing.assert_array_equal(one.reward, expected_reward)
    assert sum(other.reward.sum() for other in expected[21:51]) >= 5


@pytest.mark.parametrize("at", [5, 19, 20, 35, 49, 50, 55])
def test_a_restored_environment_goes_on_identically(at):
    env, _ = played(WINDOW, at, seed=1)
    again = WINDOW.make(ENVS, 2)
    again.restore({name: array.copy() for name, array in env.state().items()})
    np.testing.assert_array_equal(env.observation(), again.observation())
    rng = np.random.default_rng(5)
    for _ in range(40):
        actions = rng.integers(4, size=ENVS)
        assert same(env.step(actions), again.step(actions))
    assert env.is_open == again.is_open


def test_a_run_is_the_control_until_its_window_opens_and_its_checkpoints_are_found(tmp_path):
    control = run(windowed(TINY), 0)
    plain = run(TINY, 0)
    changed = windowed(TINY, window_start=3 * UPDATE, window_length=UPDATE, window_alpha=1.0)
    done = run(changed, 0, tmp_path)
    values = {one.run_id: one.curve("p_goal").y for one in (control, plain, done)}
    assert len(values) == 3
    np.testing.assert_array_equal(control.curve("p_goal").y, plain.curve("p_goal").y)
    t = done.curve("p_goal").t
    before = t <= 3 * UPDATE
    assert before.sum() >= 3 and (~before).any()
    np.testing.assert_array_equal(values[done.run_id][before], values[control.run_id][before])
    assert (values[done.run_id][~before] != values[control.run_id][~before]).all()
    (agent,) = stored_agents(tmp_path)
    assert agent.environment == SMALL
    readings = probed_checkpoints(agent, TINY.plan)
    assert [measured["p_goal"].value for _, measured in readings] == values[done.run_id].tolist()


def test_the_ledger_has_the_window_and_all_of_the_maze():
    assert WINDOW.conditions == {
        **SMALL.conditions,
        "window_start": 320,
        "window_length": 480,
        "window_alpha": 1.0,
        "window_rewarded": True,
    }
    assert WindowedMaze(SMALL).conditions["window_alpha"] == SMALL.alpha
    changed = windowed(TINY, window_start=5).at(alpha=0.7, window_length=9)
    assert changed.environment == WindowedMaze(replace(SMALL, alpha=0.7), 5, 9)
    assert changed.label == "window_start=5 alpha=0.7 window_length=9"


@pytest.mark.parametrize(
    ("window", "sentence"),
    [
        ({"window_start": -1}, "window_start must be at least 0; it is -1."),
        ({"window_length": 2.5}, "window_length must be a whole number; it is 2.5."),
        ({"window_alpha": 1.5}, "window_alpha must be a probability; it is 1.5."),
        ({"window_rewarded": 3}, "window_rewarded must be True or False; it is 3."),
        ({"window": 3}, "has no condition window to vary; it has alpha, cells"),
        ({"alpha": 3}, "alpha must be a probability; it is 3.0."),
    ],
)
def test_a_window_that_cannot_be_is_named(window, sentence):
    with pytest.raises(ValueError, match=sentence):
        windowed(TINY, **window)


def test_a_window_needs_a_maze():
    with pytest.raises(ValueError, match="'tiny' is on a WindowedMaze"):
        windowed(windowed(TINY))
