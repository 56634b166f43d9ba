"""Frozen states of the maze: which levels, where the cheese lies, who visits them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from empirics.maze import MazeConfig
from empirics.maze_states import held_out_states, visited_states

MAZE = MazeConfig(cells=3, alpha=0.2, max_steps=6, num_train_levels=30, num_held_out_levels=20)
N = 2000


class Always(nn.Module):
    """A policy of fixed logits."""

    def __init__(self, logits):
        super().__init__()
        self.logits = torch.tensor(logits)

    def forward(self, observation):
        return self.logits.expand(len(observation), -1), torch.zeros(len(observation))


def states(policy, seed, maze=MAZE):
    return visited_states(policy, maze, N, rng=np.random.default_rng(seed)).states


def pool(levels):
    return {each.tobytes() for each in levels.walls.astype(np.float32)}


def test_held_out_states_are_those_of_held_out_levels_whatever_alpha():
    one, two = (
        held_out_states(replace(MAZE, alpha=alpha), N, rng=np.random.default_rng(1))
        for alpha in (0.0, 0.7)
    )
    np.testing.assert_array_equal(one.states, two.states)
    assert {each.tobytes() for each in one.states[:, 0]} == pool(MAZE.pools().held_out)
    in_corner = one.states[:, 2, 0, 0].mean()
    share = 1 / MAZE.pools().held_out.num_open
    assert abs(in_corner - share) < 4 * np.sqrt(share / N)
    assert one.num_samples == N and "2000 beginnings of episodes on held-out" in one.source


def test_visited_states_are_those_of_training_levels_and_alpha():
    seen = states(Always([0.0] * 4), 0)
    assert {each.tobytes() for each in seen[:, 0]} == pool(MAZE.pools().train)
    first = states(Always([0.0] * 4), 0, replace(MAZE, max_steps=1))  # beginnings alone
    share = 1 - MAZE.alpha + MAZE.alpha / MAZE.pools().train.num_open
    assert abs(first[:, 2, 0, 0].mean() - share) < 4 * np.sqrt(share * (1 - share) / N)


@pytest.mark.parametrize("logits", [[0.0] * 4, [3.0, 0.0, 0.0, 0.0]])
def test_visits_are_those_of_another_simulation(logits):
    """The mean row of the mouse over the first steps, in a loop of another make."""
    seen = states(Always(logits), 0)
    rows = np.nonzero(seen[:, 1])[1]
    rng, mazes = np.random.default_rng(5), MAZE.make(N, 77)
    p, now, means = np.exp(logits) / np.exp(logits).sum(), mazes.reset(), []
    for _ in range(MAZE.max_steps):
        means.append(np.nonzero(now[:, 1])[1])
        now = mazes.step(rng.choice(4, size=N, p=p)).observation
    expected = np.mean(means)
    assert abs(rows.mean() - expected) < 4 * np.std(means) * np.sqrt(2 / N)


def test_chance_is_the_generators():
    policy = Always([0.0] * 4)
    np.testing.assert_array_equal(states(policy, 3), states(policy, 3))
    assert not np.array_equal(states(policy, 3), states(policy, 4))
