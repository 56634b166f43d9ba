from dataclasses import replace

import numpy as np
import pytest

from empirics.ppo_config import PPOConfig
from empirics.schedule import log_schedule

PPO = PPOConfig(total_timesteps=16 * 8 * 6, num_envs=16, num_steps=8)


@pytest.mark.parametrize(("updates", "number"), [(6, 4), (73, 31), (170, 40), (30, 31), (999, 60)])
def test_a_schedule_has_the_number_asked_for_each_a_whole_update(updates, number):
    ppo = replace(PPO, total_timesteps=updates * PPO.batch_size)
    schedule = log_schedule(ppo, number)
    assert len(schedule) == number
    assert schedule[0] == 0 and schedule[-1] == updates * ppo.batch_size
    assert all(t % ppo.batch_size == 0 for t in schedule)
    assert all(np.diff(schedule) > 0)
    # Steps grow, but for rounding to whole updates.
    steps = np.diff(schedule) // ppo.batch_size
    assert (np.diff(steps[1:]) >= -1).all()


def test_checkpoints_every_so_often_are_added_at_the_update_that_reaches_them():
    ppo = replace(PPO, total_timesteps=100 * 128)
    log_spaced = log_schedule(ppo, 5)
    assert [t // 128 for t in log_spaced] == [0, 1, 5, 22, 100]
    both = log_schedule(ppo, 5, every=3_000)
    # 3,000, 6,000, … environment steps are reached by updates 24, 47, 71 and 94.
    assert [t // 128 for t in both] == [0, 1, 5, 22, 24, 47, 71, 94, 100]
    assert log_schedule(ppo, 5, every=100 * 128) == log_spaced


@pytest.mark.parametrize(
    ("number", "every", "sentence"),
    [
        (8, None, r"between 3 and num_updates \+ 1 = 7; it is 8."),
        (4.5, None, "num_checkpoints must be a whole number; it is 4.5."),
        (4, 0, "every must be at least 1; it is 0."),
    ],
)
def test_a_schedule_that_cannot_be_is_said(number, every, sentence):
    with pytest.raises(ValueError, match=sentence):
        log_schedule(PPO, number, every=every)
