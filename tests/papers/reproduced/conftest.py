"""A store of two untrained maze agents, one of which could have met the goal off the corner."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from empirics.checkpoint import save_policy
from empirics.maze import MazeConfig
from empirics.one_thread import one_thread
from empirics.policies.maze_policy import MazeNetwork
from empirics.store import RunRecord, Store

MAZE = MazeConfig(cells=4, max_steps=20, num_train_levels=5, num_held_out_levels=60)
NETWORK = MazeNetwork(width=4, depth=3, hidden=8)


@pytest.fixture(autouse=True)
def on_one_thread():
    """As in training; on a busy machine two threads take many times as long."""
    with one_thread():
        yield


@pytest.fixture(scope="session")
def maze_store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("agents")
    shape = {f"network_{name}": value for name, value in asdict(NETWORK).items()}
    for alpha, run_id in ((0.0, "aaa"), (0.3, "bbb")):
        maze = replace(MAZE, alpha=alpha)
        conditions = {**asdict(maze), **shape, "seed": 0}
        Store(folder).append_run(RunRecord(f"alpha={alpha}", run_id, conditions=conditions))
        for moment in (0, 64):
            policy = NETWORK.build(MAZE.observation_shape, 4, rng=np.random.default_rng(moment))
            path = folder / "checkpoints" / run_id / f"{moment}.safetensors"
            save_policy(path, policy, {})
    return folder
