"""The experiment on forced replies, in miniature: trained, measured, kept and read back."""

from dataclasses import replace

import numpy as np

from empirics.experiments import EXPERIMENTS
from empirics.policies.recurrent_board_policy import RecurrentBoardNetwork
from empirics.row_game.config import RowGameConfig
from empirics.task import run

WHOLE = EXPERIMENTS["forced-replies"]
TINY = replace(
    WHOLE,
    environment=RowGameConfig(min_stones=6, num_train_positions=10, num_held_out_positions=10),
    network=RecurrentBoardNetwork(width=4, ticks=2, hidden=4),
    algorithm=replace(WHOLE.algorithm, total_timesteps=128, num_envs=16, num_steps=4),
    schedule=(0, 128),
)


def test_a_run_is_measured_kept_and_read_back(tmp_path):
    done = run(TINY, 0, tmp_path)
    assert done.status == ""
    names = {name for probe in TINY.plan.probes(TINY.environment) for name in probe.observables}
    assert names <= {curve.observable for curve in done.curves}
    assert done.curve("p_win_three").t.tolist() == [0, 128]
    assert done.conditions["three_share"] == 0.4 and done.conditions["network_ticks"] == 2
    again = run(TINY, 0, tmp_path)
    assert again.wall_seconds == done.wall_seconds
    np.testing.assert_array_equal(again.curve("p_win_three").y, done.curve("p_win_three").y)


def test_shares_of_starts_are_conditions_to_vary():
    assert WHOLE.at(three_share=0.0).environment.shares["none"] == 0.5
