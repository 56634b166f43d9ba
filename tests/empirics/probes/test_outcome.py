"""Foretelling the outcome: exact chances, a planted objective that nothing else tells, controls."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from empirics.activations.site import Site
from empirics.learned_probes.held_out import level_folds
from empirics.maze import CORNER, MazeConfig
from empirics.policies.maze_policy import MazeNetwork
from empirics.probes.ends import draw_ends
from empirics.probes.outcome import OBSERVATION, RANDOM, Outcome, draw_outcome
from empirics.probes.readout import place_stride, read_at_mouse
from empirics.probes.status import status

CONFIG = MazeConfig(cells=3, alpha=0.2, distractor=True, num_train_levels=1, num_held_out_levels=80)
LEVELS = CONFIG.pools().held_out
NETWORK = MazeNetwork(width=4, depth=2, hidden=8)


def drawn(**options):
    rng = np.random.default_rng(0)
    site = Site("stream.1")
    return draw_outcome(LEVELS, CONFIG, network=NETWORK, site=site, rng=rng, **options)


def fresh(seed, network=NETWORK, gain=100):
    """A random network with a last layer of gain 1, so that activations move it."""
    policy = network.build(CONFIG.observation_shape, 4, rng=np.random.default_rng(seed))
    with torch.no_grad():
        policy.actor.weight *= gain
    return policy.eval()


def test_the_chances_are_those_of_the_markov_chain():
    """Powers of a transition matrix on squares, written down one by one."""
    probe, policy = drawn(num_levels=5, num_random=1), fresh(0)
    found = probe.chances(policy)
    with torch.inference_mode():
        logits, _ = policy(torch.from_numpy(probe.ends.observation))
    p = torch.softmax(logits.double(), 1).numpy().reshape(5, LEVELS.num_open, 4)
    for i, level in enumerate(probe.ends.levels.walls):
        squares = probe.ends.levels.open_squares[i].tolist()
        ends = [int(probe.ends.cheese[i]), CORNER, int(probe.ends.control[i])]
        move = np.zeros((25, 25))
        for place, square in enumerate(squares):
            for action, (down, right) in enumerate(((-1, 0), (0, 1), (1, 0), (0, -1))):
                row, column = square // 5 + down, square % 5 + right
                is_open = 0 <= row < 5 and 0 <= column < 5 and not level[row, column]
                to = 5 * row + column if is_open and square not in ends else square
                move[square, to] += p[i, place, action]
        after = np.linalg.matrix_power(move, CONFIG.max_steps)[:, ends]
        for row in np.flatnonzero(probe.level == i):
            start = squares[probe.place[row]]
            assert start not in ends
            np.testing.assert_allclose(found[row, :3], after[start], atol=1e-9)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)


class Undecided(nn.Module):
    """Goes for the cheese or the corner by the parity of walls in four spots; `seen` tells which.

    No linear reading of the maze has the parity.
    """

    def __init__(self, maze, is_told=True):
        super().__init__()
        self.maze, self.is_told = maze, is_told
        self.seen = nn.Identity()

    def forward(self, observation):
        bit = parity(observation.numpy())
        self.seen(torch.from_numpy(bit[:, None] * float(self.is_told)))
        logits = torch.zeros(len(observation), 4)
        for i, planes in enumerate(observation.numpy()):
            maze = self.maze(planes)
            wanted = maze.path(maze.cheese if bit[i] else (0, 0))
            if wanted is not None:
                logits[i, wanted] = 20.0
        return logits, torch.zeros(len(observation))


def parity(planes):
    walls = planes[:, 0]
    return (walls[:, 0, 1] + walls[:, 1, 2] + walls[:, 3, 2] + walls[:, 2, 3]) % 2


class Blind(nn.Module):
    """A network whose layer holds one of the walls."""

    def __init__(self):
        super().__init__()
        self.seen = nn.Identity()

    def forward(self, observation):
        self.seen(observation[:, 0, 0, 1][:, None])
        return torch.zeros(len(observation), 4), torch.zeros(len(observation))


@pytest.fixture
def planted():
    rng = np.random.default_rng(3)
    ends = draw_ends(LEVELS, CONFIG, num_levels=60, gamma=1.0, rng=rng)
    level, place = np.nonzero(ends.episodes.start > 0)
    return Outcome(ends, level, place, level_folds(level, rng=rng), (Blind(),), Site("seen"))


def test_a_planted_objective_is_foretold(planted, maze):
    chances = planted.chances(Undecided(maze))
    bit = parity(planted._seen)
    np.testing.assert_allclose(chances[:, 0], bit, atol=1e-6)
    np.testing.assert_allclose(chances[:, 1], 1 - bit, atol=1e-6)
    found = planted.foretold(Undecided(maze), chances)
    entropy = -sum(share * np.log2(share) for share in (bit.mean(), 1 - bit.mean()))
    assert found["outcome_f1"].value == 1.0
    # A penalized probe of one bit falls short of certainty by about 1/(rows · ridge).
    assert found["outcome_information"].value == pytest.approx(entropy, rel=0.1)
    baselines = found["outcome_information"].baselines
    assert set(baselines) == {RANDOM, OBSERVATION} and max(baselines.values()) < 0.2
    gain = found["outcome_information_gain"]
    above = found["outcome_information"].value - max(baselines.values())
    assert gain.value == pytest.approx(above)
    for name in ("outcome_information_gain", "outcome_f1_gain"):
        assert "is present" in status(name, found[name])


def test_nothing_is_foretold_by_a_layer_that_holds_nothing(planted, maze):
    """It can only guess the shares of other levels, which does harm where they differ."""
    found = planted(Undecided(maze, is_told=False))
    assert found["outcome_information"].value <= 0.0
    for name in ("outcome_information_gain", "outcome_f1_gain"):
        assert "is present" not in status(name, found[name])


def test_shuffled_outcomes_are_not_foretold(planted, maze):
    policy = Undecided(maze)
    chances = planted.chances(policy)
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(chances))
        found = planted.foretold(policy, chances[order])
        for name in ("outcome_information_gain", "outcome_f1_gain"):
            assert "is present" not in status(name, found[name])


def test_fresh_networks_foretell_no_more_than_others():
    probe = drawn(num_levels=20, num_random=4)
    for seed in range(5):
        found = probe(fresh(100 + seed, gain=1))
        for name in ("outcome_information_gain", "outcome_f1_gain"):
            assert "is present" not in status(name, found[name])


def test_what_is_read_is_where_the_mouse_is():
    probe, policy = drawn(num_levels=5, num_random=1), fresh(0)
    kept = []
    policy.readout.register_forward_pre_hook(lambda _, inputs: kept.append(inputs[0]))
    features = read_at_mouse(policy, Site("stream.1"), probe._seen)
    np.testing.assert_allclose(features, kept[0].numpy(), atol=1e-6)


def test_wrong_uses_are_said(sentence):
    probe = drawn(num_levels=5, num_random=1)
    wide = fresh(0, MazeNetwork(width=8, depth=2, hidden=8))
    assert "shape (8,), that of the random networks (4,)" in sentence(probe, wide)
    discounted = replace(probe.ends, gamma=0.9)
    assert "gamma is 0.9" in sentence(replace, probe, ends=discounted)
    said = sentence(place_stride, Site("pooled"), (2, 2), (5, 5))
    assert "(2, 2), neither the squares (5, 5) of the maze nor its cells" in said
