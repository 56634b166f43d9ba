"""The shard organism under every algorithm, in miniature."""

from dataclasses import replace

import pytest

from empirics.experiment import Arm
from empirics.experiments import EXPERIMENTS
from empirics.maze import MazeConfig
from empirics.maze_agent import stored_agents
from empirics.policies.maze_policy import MazeNetwork
from empirics.probes.maze_plan import MazePlan
from empirics.task import run_ladder

WHOLE = EXPERIMENTS["shard-organism"]
NAMES = ("a2c", "ppo", "pqn", "reinforce")


SCHEDULE = (0, 128, 256)


def small(algorithm):
    sizes = {"total_timesteps": 256, "num_envs": 8, "num_steps": 8}
    several = {"num_minibatches": 2} if algorithm.num_minibatches > 1 else {}
    return replace(algorithm, **sizes, **several)


TINY = replace(
    WHOLE,
    environment=MazeConfig(cells=3, num_train_levels=30, num_held_out_levels=20, max_steps=20),
    network=MazeNetwork(width=16, depth=2, hidden=16),
    algorithm=small(WHOLE.algorithm),
    others=tuple(Arm(small(each.algorithm), SCHEDULE) for each in WHOLE.others),
    schedule=SCHEDULE,
    plan=MazePlan(num_squares=30, num_success_levels=10),
)


@pytest.mark.parametrize("name", NAMES)
def test_every_algorithm_has_as_many_checkpoints_over_its_own_training(name):
    arm = WHOLE.at(algorithm=name)
    whole_updates = arm.algorithm.num_updates * arm.algorithm.batch_size
    assert len(arm.schedule) == len(WHOLE.schedule)
    assert arm.schedule[0] == 0 and arm.schedule[-1] == whole_updates


def test_a_ladder_over_algorithms_is_run_and_read_back(tmp_path):
    runs = run_ladder(TINY, "algorithm", NAMES, (0,), tmp_path)
    assert [run.conditions["algorithm"] for run in runs] == list(NAMES)
    assert len({run.run_id for run in runs}) == 4
    assert runs[3].run == "shard-organism algorithm=reinforce seed=0"
    for run in runs:
        assert run.curve("p_goal").t.tolist() == [0, 128, 256]
    # Nothing is trained at first, so all begin alike.
    assert len({run.curve("p_goal").y[0] for run in runs}) == 1
    assert len({run.curve("p_goal").y[-1] for run in runs}) == 4
    assert len(stored_agents(tmp_path)) == 4
    again = run_ladder(TINY, "algorithm", ("reinforce",), (0,), tmp_path)
    assert again[0].wall_seconds == runs[3].wall_seconds


def test_algorithm_and_reward_are_varied_together():
    both = TINY.at(algorithm="a2c", process_fraction=0.5)
    assert both.algorithm.algorithm == "a2c" and both.environment.process_fraction == 0.5
    assert both.at(algorithm="ppo").algorithm == TINY.algorithm


def test_unknown_algorithms_are_named_with_those_there_are():
    with pytest.raises(ValueError, match="must be one of a2c, ppo, pqn, reinforce; it is 'dqn'."):
        TINY.at(algorithm="dqn")
    with pytest.raises(ValueError, match="has no condition beta to vary; it has algorithm, alpha"):
        TINY.at(beta=1)
