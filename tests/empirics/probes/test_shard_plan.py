"""The shard plan, on random policies and along the checkpoints of a store."""

from dataclasses import asdict

import numpy as np
import pytest

from empirics.checkpoint import save_policy
from empirics.maze import MazeConfig
from empirics.maze_agent import stored_agents
from empirics.policies.maze_policy import MazeNetwork
from empirics.probed_checkpoints import probe_agents, probed_checkpoints, probed_curves
from empirics.probes.decision_squares import draw_decision_squares
from empirics.probes.maze_plan import MazePlan
from empirics.probes.shard_plan import ShardPlan
from empirics.store import RunRecord, Store

MAZE = MazeConfig(cells=3, alpha=0.3, num_train_levels=5, num_held_out_levels=40)
NETWORK = MazeNetwork(width=3, depth=2, hidden=5)
PLAN = ShardPlan(shard_layer=0, num_shard_squares=40, num_shard_levels=20)


@pytest.fixture
def agent(tmp_path):
    shape = {f"network_{name}": value for name, value in asdict(NETWORK).items()}
    conditions = {**asdict(MAZE), **shape, "seed": 0}
    Store(tmp_path).append_run(RunRecord("one", "aaa", conditions=conditions))
    for seed, moment in enumerate((0, 64, 256)):
        policy = NETWORK.build(MAZE.observation_shape, 4, rng=np.random.default_rng(seed))
        save_policy(tmp_path / "checkpoints" / "aaa" / f"{moment}.safetensors", policy, {})
    return stored_agents(tmp_path)[0]


def test_every_reading_becomes_a_curve_over_checkpoints(agent):
    readings = probed_checkpoints(agent, PLAN)
    assert [moment for moment, _ in readings] == [0, 64, 256]
    curves = probed_curves(agent, [PLAN], readings)
    names = [name for probe in PLAN.probes(MAZE) for name in probe.observables]
    assert list(curves) == names and len(set(names)) == len(names)
    curve = curves["retarget"]
    np.testing.assert_array_equal(curve.y, [r["retarget"].value for _, r in readings])
    assert curve.run_id == "aaa" and curve.conditions["shard_layer"] == 0


def test_equal_plans_measure_alike_whatever_else_is_asked(agent):
    last = probed_checkpoints(agent, PLAN, 1)
    assert last == probed_checkpoints(agent, PLAN)[-1:]
    other = ShardPlan(**{**PLAN.conditions, "shard_seed": 1})
    assert last != probed_checkpoints(agent, other, 1)


def test_many_agents_in_one_pass_are_measured_as_one_by_one_and_kept(agent, tmp_path):
    plans = (PLAN, MazePlan(num_squares=20, num_success_levels=5))
    told = []
    [found] = probe_agents(
        [agent], plans, tmp_path, on_done=lambda done, total: told.append((done, total))
    )
    assert told == [(1, 2), (2, 2)]  # a plan is a task: three checkpoints are one chunk
    one_by_one = [probed_checkpoints(agent, plan) for plan in plans]
    for point, *alone in zip(found, *one_by_one, strict=True):
        assert point == (alone[0][0], alone[0][1] | alone[1][1])
    # A second start measures what is missing: the last line was cut off by a kill.
    kept = tmp_path / "probe_readings.jsonl"
    kept.write_text(kept.read_text()[:-20])
    told.clear()
    [again] = probe_agents(
        [agent], plans, tmp_path, on_done=lambda done, total: told.append((done, total))
    )
    assert again == found and told == [(1, 1)]


def test_no_observable_is_one_of_the_maze_plan():
    usual = {name for probe in MazePlan().probes(MAZE) for name in probe.observables}
    assert not usual & {name for probe in PLAN.probes(MAZE) for name in probe.observables}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"shard_layer": -1}, "shard_layer must be at least 0; it is -1."),
        ({"num_shard_squares": 0}, "num_shard_squares must be at least 1; it is 0."),
        ({"num_shard_levels": 1.5}, "num_shard_levels must be a whole number; it is 1.5."),
    ],
)
def test_numbers_out_of_range_are_said(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        ShardPlan(**change)


def test_an_environment_without_decision_squares_is_said():
    """Two cells a side: here and there a cheese has no square between it and the corner."""
    bare = MazeConfig(cells=2, num_train_levels=1, num_held_out_levels=1)
    with pytest.raises(ValueError, match="these 1 levels have 2 cells a side, so draw from more"):
        for seed in range(20):
            rng = np.random.default_rng(seed)
            draw_decision_squares(bare.pools().held_out, bare, rng=rng)
