"""Locating objects: planted layers that show both, one or none; shares of places."""

import numpy as np
import pytest
import torch
from torch import nn

from empirics.activations.site import Site
from empirics.learned_probes.held_out import level_folds
from empirics.maze import MazeConfig, draw_situations
from empirics.policies.maze_policy import MazeNetwork
from empirics.policies.recurrent_maze_policy import RecurrentMazeNetwork
from empirics.probes.object_location import ObjectLocation, draw_object_location, object_places
from empirics.probes.outcome import OBSERVATION, RANDOM
from empirics.probes.status import status

CONFIG = MazeConfig(cells=3, alpha=1.0, distractor=True, num_train_levels=1, num_held_out_levels=80)
LEVELS = CONFIG.pools().held_out
GAP = "objective_location_gap"


class Showing(nn.Module):
    """A network whose layer shows the cheese and the distractor, each with a strength."""

    def __init__(self, cheese, distractor):
        super().__init__()
        self.strength = torch.tensor([cheese, distractor])
        self.seen = nn.Identity()

    def forward(self, observation):
        self.seen(observation[:, 2:4] * self.strength[:, None, None])
        return torch.zeros(len(observation), 4), torch.zeros(len(observation))


@pytest.fixture
def probe():
    rng = np.random.default_rng(0)
    level = np.arange(len(LEVELS))
    situation = draw_situations(LEVELS, level, CONFIG, rng=rng)
    randoms = (Showing(1.0, 1.0), Showing(1.0, 1.0))
    return ObjectLocation(
        LEVELS, CONFIG, situation, level_folds(level, rng=rng), randoms, Site("seen")
    )


def test_a_layer_that_shows_only_the_objective(probe):
    found = probe(Showing(2.0, 0.0))
    # All of log₂ 25 but for what the penalty keeps from certainty.
    assert 0.9 * np.log2(25) < found["objective_location"].value < np.log2(25)
    # Of the distractor that it is not where the cheese is.
    assert found["distractor_location"].value == pytest.approx(np.log2(25 / 24), abs=0.01)
    assert "is present" in status(GAP, found[GAP])
    # What the others show of each cancels: the gap is that of the layer.
    gap = found["objective_location"].value - found["distractor_location"].value
    assert found[GAP].value == pytest.approx(gap, abs=0.1)


@pytest.mark.parametrize("strengths", [(1.0, 1.0), (0.0, 0.0), (0.0, 1.0)])
def test_a_layer_that_shows_both_alike_or_none_or_the_other(probe, strengths):
    found = probe(Showing(*strengths))
    assert "is present" not in status(GAP, found[GAP])
    assert set(found["objective_location"].baselines) == {RANDOM, OBSERVATION}


def test_the_observation_shows_both(probe):
    baselines = probe(Showing(1.0, 1.0))["distractor_location"].baselines
    assert baselines[OBSERVATION] > 0.9 * np.log2(25)


@pytest.mark.parametrize(
    ("network", "site"),
    [
        (MazeNetwork(width=4, depth=2, hidden=8), Site("stream.1")),
        (RecurrentMazeNetwork(width=4, ticks=3, hidden=8), Site("cell", tick=2)),
    ],
)
def test_both_kinds_of_network_are_read(network, site):
    rng = np.random.default_rng(0)
    probe = draw_object_location(
        LEVELS, CONFIG, network=network, site=site, num_levels=40, num_random=2, rng=rng
    )
    policy = network.build(CONFIG.observation_shape, 4, rng=np.random.default_rng(5))
    found = probe(policy)
    assert tuple(found) == probe.observables
    assert all(reading.n_levels == 40 for reading in found.values())
    assert found == probe(policy)


def test_shares_of_places():
    # Squares of a maze of 5 × 5: a cell, a passage beside it, one below it, the last cell.
    squares = np.array([0, 1, 5, 24])
    cells = object_places(squares, 5, 2)
    expected = np.zeros((4, 9))
    expected[0, 0] = expected[3, 8] = 1.0
    expected[1, [0, 1]] = expected[2, [0, 3]] = 0.5
    np.testing.assert_array_equal(cells, expected)
    np.testing.assert_array_equal(object_places(squares, 5, 1), np.eye(25)[squares])


def test_wrong_uses_are_said(sentence, probe):
    bare = MazeConfig(cells=3, num_train_levels=1, num_held_out_levels=80)
    said = sentence(
        draw_object_location,
        LEVELS,
        bare,
        network=MazeNetwork(width=4, depth=2),
        rng=np.random.default_rng(0),
    )
    assert said.endswith("there is none; set distractor=True in the environment.")
