"""A planner made by hand: the cheese floods the maze, one square a tick."""

import networkx as nx
import numpy as np
import pytest

from empirics.levels import MOVES
from empirics.maze import MazeConfig
from empirics.policies.recurrent_maze_policy import RecurrentMazeNetwork

SHARPNESS = 10.0


class Flood:
    """A `RecurrentMazePolicy` whose weights are known, and what it must do.

    Channel 0 of the state says that the flood has come, channels 1 to 4 from where it came first:
    a square `d` steps from the cheese knows its way after d + 1 ticks and not before. Nothing is
    learned, and the state of a square fades by tanh with each tick since.
    """

    def __init__(self, config):
        self.config = config

    def policy(self, ticks):
        network = RecurrentMazeNetwork(width=5, ticks=ticks, hidden=4)
        policy = network.build(self.config.observation_shape, 4, rng=np.random.default_rng(0))
        for parameter in policy.parameters():
            parameter.data.zero_()
        wall, cheese, flood = 0, 1, 0
        policy.encoder.weight.data[wall, 0, 1, 1] = policy.encoder.weight.data[cheese, 2, 1, 1] = 1
        source = 4
        policy.drive.weight.data[source, cheese, 1, 1] = 1.0
        policy.cell.outward.weight.data[flood, source, 1, 1] = 5.0
        for action, (down, right) in enumerate(MOVES.tolist()):
            policy.drive.weight.data[action, wall, 1, 1] = -3.0
            policy.cell.inward.weight.data[action, flood, 1 + down, 1 + right] = 1.0
            policy.cell.inward.weight.data[action, flood, 1, 1] = -5.0
            policy.cell.outward.weight.data[flood, action, 1, 1] = 5.0
            policy.cell.outward.weight.data[1 + action, action, 1, 1] = 5.0
            policy.readout.weight.data[action, 1 + action] = 1.0
            policy.actor.weight.data[action, action] = SHARPNESS
        return policy.eval().requires_grad_(False)

    @staticmethod
    def p_correct(steps, ticks):
        """P(first step to the cheese) that many steps away, from the equation."""
        known = 0.0
        for tick in range(ticks):
            known = np.tanh(known + 5.0 * (tick == steps))
        return float(np.exp(SHARPNESS * known) / (np.exp(SHARPNESS * known) + 3.0))


def graph_of(walls):
    """A maze as a graph: an account of paths that shares no code with the levels."""
    grid = nx.grid_2d_graph(*walls.shape)
    grid.remove_nodes_from([square for square in list(grid) if walls[square]])
    return grid


def path_of(walls, start, end):
    size = len(walls)
    path = nx.shortest_path(graph_of(walls), divmod(int(start), size), divmod(int(end), size))
    return [row * size + column for row, column in path]


@pytest.fixture(scope="session")
def config():
    return MazeConfig(cells=4, alpha=1.0, num_train_levels=1, num_held_out_levels=80)


@pytest.fixture(scope="session")
def flood(config):
    return Flood(config)


@pytest.fixture
def paths():
    return path_of


@pytest.fixture
def graphs():
    return graph_of
