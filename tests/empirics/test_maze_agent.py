from dataclasses import asdict

import numpy as np

from empirics.checkpoint import save_policy
from empirics.maze import MazeConfig
from empirics.maze_agent import stored_agents
from empirics.policies.maze_policy import MazeNetwork
from empirics.store import RunRecord, Store


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
