"""Agents of both kinds rebuilt from a store, to the last weight; stores of before."""

from dataclasses import asdict

import numpy as np
import pytest
import torch

from empirics.checkpoint import save_policy
from empirics.maze import MazeConfig
from empirics.maze_agent import runs_where, stored_agents
from empirics.policies.maze_policy import MazeNetwork
from empirics.policies.recurrent_maze_policy import RecurrentMazeNetwork
from empirics.store import RunRecord, Store

MAZE = MazeConfig(cells=3, num_train_levels=3, num_held_out_levels=3)
NETWORKS = (MazeNetwork(width=3, depth=2, hidden=5), RecurrentMazeNetwork(3, 2, 1, 5))


@pytest.mark.parametrize("network", NETWORKS)
def test_a_stored_agent_is_the_one_that_was_kept(tmp_path, network):
    conditions = {**MAZE.conditions, **network.conditions, "seed": 0}
    Store(tmp_path).append_run(RunRecord("one", "aaa", conditions=conditions))
    policy = network.build(MAZE.observation_shape, 4, rng=np.random.default_rng(7))
    save_policy(tmp_path / "checkpoints" / "aaa" / "64.safetensors", policy, {})
    (agent,) = stored_agents(tmp_path)
    assert agent.network == network and agent.environment == MAZE
    ((moment, path),) = agent.checkpoints
    seen = torch.from_numpy(MAZE.make(4, 0).reset())
    assert moment == 64
    assert all(map(torch.equal, agent.policy(path)(seen), policy(seen)))


def test_a_run_that_is_no_maze_agent_is_said(tmp_path):
    conditions = {**MAZE.conditions, "network_ticks": 3, "seed": 0}
    Store(tmp_path).append_run(RunRecord("one", "aaa", conditions=conditions))
    policy = NETWORKS[1].build(MAZE.observation_shape, 4, rng=np.random.default_rng(7))
    save_policy(tmp_path / "checkpoints" / "aaa" / "64.safetensors", policy, {})
    with pytest.raises(ValueError, match="lack network_hidden, network_stride, network_width"):
        stored_agents(tmp_path)


def test_agents_of_before_two_keys_and_shaped_rewards_are_read(tmp_path):
    maze, network = MazeConfig(cells=3, alpha=0.3), MazeNetwork(width=3, depth=2, hidden=5)
    ledger = {**asdict(maze), **network.conditions}
    of_before = {k: v for k, v in ledger.items() if k not in ("process_fraction", "two_keys")}
    shaped = {**ledger, "process_fraction": 0.5}
    policy = network.build(maze.observation_shape, 4, rng=np.random.default_rng(0))
    for run_id, conditions in (("old", of_before), ("new", shaped)):
        Store(tmp_path).append_run(RunRecord(run_id, run_id, conditions=conditions))
        save_policy(tmp_path / "checkpoints" / run_id / "0.safetensors", policy, {})
    new, old = stored_agents(tmp_path)
    assert old.environment == maze and new.environment.process_fraction == 0.5


def test_agents_are_chosen_by_their_conditions_and_what_does_not_say_is_counted(tmp_path):
    network = NETWORKS[0]
    policy = network.build(MAZE.observation_shape, 4, rng=np.random.default_rng(0))
    ledger = {**MAZE.conditions, **network.conditions}
    for run_id, own in (("a", {"alpha": 0.0}), ("b", {"alpha": 0.5, "arm": 1}), ("c", {})):
        conditions = {**ledger, "alpha": 0.5, **own}
        Store(tmp_path).append_run(RunRecord(f"run {run_id}", run_id, conditions=conditions))
        if run_id != "c":  # a run of which no checkpoint is left
            save_policy(tmp_path / "checkpoints" / run_id / "0.safetensors", policy, {})
    assert runs_where(tmp_path, "alpha > 0.1") == (["b"], [])
    assert runs_where(tmp_path, 'run = "run a"') == (["a"], [])
    kept, (note,) = runs_where(tmp_path, "arm = 1")
    assert kept == ["b"] and note.startswith("1 run not selected, since nothing there tells")
    (agent,) = stored_agents(tmp_path, kept)
    assert agent.environment.alpha == 0.5
    with pytest.raises(ValueError, match="none of the 2 runs in .* fulfils alpha > 0.7"):
        runs_where(tmp_path, "alpha > 0.7")
    with pytest.raises(ValueError, match="no condition 'alhpa' in .*; nearest: 'alpha'"):
        runs_where(tmp_path, "alhpa > 0.7")
