"""The objective plan: with and without a distractor, on both kinds of networks."""

from dataclasses import replace

import numpy as np
import pytest

from empirics.maze import MazeConfig
from empirics.policies.maze_policy import MazeNetwork
from empirics.policies.recurrent_maze_policy import RecurrentMazeNetwork
from empirics.probes.incentive_plan import IncentivePlan
from empirics.probes.objective_plan import ObjectivePlan
from empirics.probes.shard_plan import ShardPlan

MAZE = MazeConfig(cells=3, alpha=0.3, distractor=True, num_train_levels=2, num_held_out_levels=60)
FLAT = ObjectivePlan(
    MazeNetwork(width=3, depth=2, hidden=5),
    objective_layer="stream.1",
    edited_layer="stream.0",
    num_outcome_levels=10,
    num_location_levels=8,
    num_retarget_squares=40,
)
TICKING = replace(
    FLAT,
    network=RecurrentMazeNetwork(width=3, ticks=2, stride=2, hidden=5),
    objective_layer="cell",
    edited_layer="cell",
    objective_tick=1,
    edited_tick=0,
)


def readings(plan, environment=MAZE):
    policy = plan.network.build(environment.observation_shape, 4, rng=np.random.default_rng(1))
    return {name: r for probe in plan.probes(environment) for name, r in probe(policy).items()}


@pytest.mark.parametrize("plan", [FLAT, TICKING])
def test_equal_plans_measure_alike(plan):
    found = readings(plan)
    assert found == readings(ObjectivePlan(plan.network, **plan.conditions))
    assert list(found) == [name for probe in plan.probes(MAZE) for name in probe.observables]


def test_another_seed_draws_other_levels():
    squares = [
        replace(FLAT, objective_seed=seed).probes(MAZE)[2].retarget.squares.situation.mouse
        for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(squares[0], squares[1])
    assert squares[0].tolist() != squares[2].tolist()


def test_without_a_distractor_only_the_outcome_is_left():
    bare = replace(MAZE, distractor=False)
    assert [probe.name for probe in FLAT.probes(bare)] == ["outcome"]
    names = [probe.name for probe in FLAT.probes(MAZE)]
    assert names == ["outcome", "object_location", "objective_retarget"]
    assert "outcome_information" in readings(FLAT, bare)


def test_no_observable_is_one_of_another_plan():
    own = {name for probe in FLAT.probes(MAZE) for name in probe.observables}
    for other in (IncentivePlan(), ShardPlan(num_shard_squares=20, num_shard_levels=20)):
        assert not own & {name for probe in other.probes(MAZE) for name in probe.observables}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"num_outcome_levels": 1}, "num_outcome_levels must be at least 2; it is 1."),
        ({"num_retarget_squares": 0}, "num_retarget_squares must be at least 1; it is 0."),
        ({"objective_seed": -1}, "objective_seed must be at least 0; it is -1."),
    ],
)
def test_numbers_out_of_range_are_said(change, words, sentence):
    assert sentence(ObjectivePlan, **change) == words


def test_a_layer_that_is_not_there_is_said(sentence):
    outcome = replace(FLAT, objective_layer="stream.7").probes(MAZE)[0]
    policy = FLAT.network.build(MAZE.observation_shape, 4, rng=np.random.default_rng(0))
    assert "no module 'stream.7'; the nearest are readout, stream" in sentence(outcome, policy)


def test_a_plan_of_a_network_reads_its_end_and_edits_half_way():
    assert ObjectivePlan.of(MazeNetwork()) == ObjectivePlan()
    ticking = ObjectivePlan.of(RecurrentMazeNetwork(ticks=6))
    assert (ticking.objective_layer, ticking.objective_tick) == ("cell", 5)
    assert (ticking.edited_layer, ticking.edited_tick) == ("cell", 2)
