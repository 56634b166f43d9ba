"""Hand-made policies of the maze whose shards are known, read off the observation alone."""

import networkx as nx
import numpy as np
import pytest
import torch
from torch import nn

from empirics.levels import MOVES
from empirics.one_thread import one_thread


@pytest.fixture(autouse=True)
def on_one_thread():
    """As in training; on a busy machine two threads take many times as long."""
    with one_thread():
        yield


class Maze:
    """One observed maze as a graph: an account of paths that shares no code with the levels."""

    def __init__(self, planes):
        walls, mouse, cheese = planes[:3]
        self.grid = nx.grid_2d_graph(*walls.shape)
        self.grid.remove_nodes_from([square for square in list(self.grid) if walls[square]])
        self.mouse = tuple(int(i) for i in np.argwhere(mouse)[0])
        found = np.argwhere(cheese)
        self.cheese = tuple(int(i) for i in found[0]) if len(found) else None

    def path(self, target):
        """The action that starts the path to a square; None on it."""
        if target == self.mouse:
            return None
        _, after, *_ = nx.shortest_path(self.grid, self.mouse, target)
        return [tuple(step) for step in MOVES].index(tuple(np.subtract(after, self.mouse)))

    def steps(self, target):
        return nx.shortest_path_length(self.grid, self.mouse, target)

    def nearer(self, target):
        """By how much each action brings the mouse nearer as the crow flies; 0 into a wall."""
        gains = []
        for step in MOVES:
            after = tuple(np.add(self.mouse, step).tolist())
            after = after if after in self.grid else self.mouse
            gains.append(np.linalg.norm(np.subtract(self.mouse, target)))
            gains[-1] -= np.linalg.norm(np.subtract(after, target))
        return np.array(gains)


class Bidding:
    """Softmax of the bids of shards; `bids` takes a `Maze` and gives four log-odds."""

    def __init__(self, bids):
        self.bids = bids

    def __call__(self, observation):
        logits = np.stack([self.bids(Maze(planes)) for planes in observation.numpy()])
        return torch.from_numpy(logits), torch.zeros(len(logits))


class Linear(nn.Module):
    """A network that sees the cheese in channel 0 of four, and whose logits are linear in it.

    Each square adds its activation times `goal` to the first step towards it; the corner shard
    adds `proxy`, cheese or no cheese.
    """

    def __init__(self, goal, proxy):
        super().__init__()
        self.goal, self.proxy = goal, proxy
        self.seen = nn.Identity()

    def forward(self, observation):
        cheese = observation[:, 2:3]
        seen = self.seen(torch.cat([cheese, torch.zeros_like(cheese).repeat(1, 3, 1, 1)], 1))
        logits = torch.zeros(len(observation), 4)
        for i, planes in enumerate(observation.numpy()):
            maze = Maze(planes)
            if maze.mouse != (0, 0):
                logits[i, maze.path((0, 0))] += self.proxy
            for square in maze.grid:
                if seen[i, 0][square] and square != maze.mouse:
                    logits[i, maze.path(square)] += self.goal * seen[i, 0][square]
        return logits, torch.zeros(len(observation))


@pytest.fixture
def bidding():
    return Bidding


@pytest.fixture
def linear():
    return Linear


@pytest.fixture
def maze():
    return Maze
