"""Goal vectors and retargeting: closed forms of a linear policy, and random networks."""

import math
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
import torch

from empirics.activations.site import Site
from empirics.levels import first_steps
from empirics.maze import MazeConfig
from empirics.policies.maze_policy import MazeNetwork
from empirics.probe import Reading
from empirics.probes.decision_squares import draw_decision_squares
from empirics.probes.goal_vector import draw_goal_vector, like
from empirics.probes.retarget import CONTROLS, draw_retarget
from empirics.probes.status import status

CONFIG = MazeConfig(cells=3, alpha=0.2, num_train_levels=1, num_held_out_levels=40)
LEVELS = CONFIG.pools().held_out
SEEN = Site("seen")
GOAL, PROXY = 2.0, 1.0
EFFECTS = ("goal_vector_effect", "goal_vector_proxy_effect", "retarget")


@pytest.fixture(scope="module")
def squares():
    return draw_decision_squares(LEVELS, CONFIG, num_squares=30, rng=np.random.default_rng(0))


def chance(towards, *others):
    """P of a step with this log-odds, of four; those not told have 0."""
    bids = [towards, *others, *[0.0] * (3 - len(others))]
    return math.exp(towards) / sum(map(math.exp, bids))


def test_goal_vectors_of_a_linear_policy(squares, linear):
    probe = draw_goal_vector(squares, site=SEEN, rng=np.random.default_rng(1))
    found = probe(linear(GOAL, PROXY))
    before, without = chance(GOAL, PROXY), chance(0.0, PROXY)
    assert found["goal_vector_subtracted"].value == pytest.approx(without - before, abs=1e-6)
    more = chance(2 * GOAL, PROXY) - before
    assert found["goal_vector_added"].value == pytest.approx(more, abs=1e-6)
    by_chance = found["goal_vector_subtracted"].baselines["random vectors"]
    effect = found["goal_vector_effect"]
    assert effect.value == pytest.approx(before + by_chance - without, abs=1e-6)
    assert effect.value > 0.2 and "is present" in status("goal_vector_effect", effect)


def test_a_pure_corner_shard_has_no_goal_vector(squares, linear):
    found = draw_goal_vector(squares, site=SEEN, rng=np.random.default_rng(1))(linear(0.0, 3.0))
    assert all(reading.value == 0.0 for reading in found.values())
    assert "is absent" in status("goal_vector_effect", found["goal_vector_effect"])


def test_random_vectors_have_the_norm_of_the_vector():
    vector = torch.randn(5, 3, 4, 4) * torch.arange(5.0).reshape(5, 1, 1, 1)
    for random in like(vector, 2, 0):
        assert torch.allclose(random.flatten(1).norm(dim=1), vector.flatten(1).norm(dim=1))
    one, other = like(vector, 2, 0)
    assert not torch.equal(one, other) and torch.equal(one, like(vector, 1, 0)[0])


def test_retargeting_a_linear_policy(squares, linear):
    probe = draw_retarget(squares, site=SEEN, rng=np.random.default_rng(2))
    found = probe(linear(GOAL, PROXY))
    removed = chance(0.0, PROXY)
    # A wrong location lies behind the corner's step, or behind a third one.
    toward = np.array([_step(probe, i, probe.wrong[i]) for i in range(len(probe.wrong))])
    assert (toward != probe.squares.goal_step).all()
    as_proxy = (toward == probe.squares.proxy_step).mean()
    wrong = as_proxy * chance(0.0, GOAL + PROXY) + (1 - as_proxy) * chance(0.0, GOAL, PROXY)
    expected = {
        "retarget": chance(GOAL, PROXY) - removed,
        "p_target_retargeted": chance(GOAL, PROXY),
        "p_target_goal_moved": chance(GOAL, PROXY),
        "p_target_unedited": chance(0.0, GOAL + PROXY),
        "p_target_goal_removed": removed,
        "p_target_permuted_channels": removed,
        "p_target_wrong_location": wrong,
    }
    assert {name: reading.value for name, reading in found.items()} == pytest.approx(
        expected, abs=1e-6
    )
    assert set(found["p_target_retargeted"].baselines) == set(CONTROLS)
    assert found["retarget"].se == pytest.approx(0.0, abs=1e-6)


def _step(probe, i, target):
    level = LEVELS[probe.squares.situation.level[i : i + 1]]
    return first_steps(level, np.array([target]))[0, probe.squares.situation.mouse[i]]


def test_donors_are_other_mazes_that_are_open_there(squares):
    probe = draw_retarget(squares, site=SEEN, rng=np.random.default_rng(2))
    now = probe.squares.situation
    assert (probe.donor != now.level).all()
    for place in (now.mouse, now.cheese, probe.wrong):
        assert not LEVELS.walls.reshape(len(LEVELS), -1)[probe.donor, place].any()
    for i in range(len(now)):
        grid = nx.grid_2d_graph(5, 5)
        grid.remove_nodes_from([s for s in list(grid) if LEVELS.walls[now.level[i]][s]])
        assert divmod(int(probe.wrong[i]), 5) in grid and probe.wrong[i] != now.mouse[i]


def test_random_networks_show_no_effect():
    """None of 100: at 95 %, a rate of at most 1 − 0.05^(1/100), 3 %.

    With the last layer of gain 1 and not 0.01, so that activations move the logits at all.
    """
    squares = draw_decision_squares(LEVELS, CONFIG, num_squares=24, rng=np.random.default_rng(0))
    site, rng = Site("stream.1"), np.random.default_rng(1)
    probes = (
        replace(draw_goal_vector(squares, site=site, rng=rng), num_random=1),
        replace(draw_retarget(squares, site=site, rng=rng), num_permutations=1),
    )
    network = MazeNetwork(width=4, depth=3, hidden=8)
    present, moved = [], []
    for seed in range(100):
        own = np.random.default_rng(seed)
        policy = network.build(CONFIG.observation_shape, 4, rng=own)
        with torch.no_grad():
            policy.actor.weight *= 100
        policy.eval()
        found = {name: reading for probe in probes for name, reading in probe(policy).items()}
        present += [name for name in EFFECTS if "is present" in status(name, found[name])]
        moved.append(found["goal_vector_added"].value)
    assert not present
    assert np.std(moved) > 1e-3


def test_wrong_uses_are_said(squares, bidding, linear):
    probe = draw_retarget(squares, site=Site("stream.9"), rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="activations are those of a torch network"):
        probe(bidding(lambda maze: np.zeros(4)))
    with pytest.raises(ValueError, match=r"no module 'stream\.9'"):
        probe(linear(1.0, 1.0))
    only = LEVELS[squares.situation.level[:1]]
    lonely = draw_decision_squares(only, CONFIG, num_squares=1, rng=np.random.default_rng(1))
    with pytest.raises(ValueError, match="retargeting needs another level"):
        draw_retarget(lonely, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="a set of decision squares must not be empty"):
        squares[np.array([], dtype=int)]


def test_a_status_names_the_strongest_baseline():
    reading = Reading(0.4, 0.05, n_levels=9, baselines={"weak": 0.0, "strong": 0.2})
    assert status("x", reading) == (
        "x is present: above 'strong' (0.200) by more than 0.02; 0.400 ± 0.050 over 9 levels."
    )
    assert "is undecided" in status("x", Reading(0.25, 0.05, baselines={"strong": 0.2}))
    assert "is absent" in status("x", Reading(0.1, 0.05, baselines={"strong": 0.2}))
    assert "has no error" in status("x", Reading(0.1, baselines={"strong": 0.2}))
    with pytest.raises(ValueError, match="x has no baseline"):
        status("x", Reading(0.1))
