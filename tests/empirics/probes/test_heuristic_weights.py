"""Action fields, and the weights of heuristics, on policies whose weights are known."""

from dataclasses import replace

import numpy as np
import pytest

from empirics.maze import CORNER, NOWHERE, MazeConfig, Situation, observe
from empirics.probes.action_field import action_field
from empirics.probes.behavior import action_probabilities
from empirics.probes.heuristic_weights import (
    CONTEXTS,
    draw_heuristic_weights,
    heuristics_of,
)

CONFIG = MazeConfig(cells=4, alpha=0.2, num_train_levels=1, num_held_out_levels=40)
LEVELS = CONFIG.pools().held_out
EXACT = 5e-3
"""Weights are drawn in by the penalty of 1e-3, on tens of squares."""


@pytest.fixture(scope="module")
def probe():
    return draw_heuristic_weights(LEVELS, CONFIG, num_levels=25, rng=np.random.default_rng(0))


def bids(goal_path=0.0, proxy_path=0.0, goal_euclid=0.0, proxy_euclid=0.0, up_left=0.0):
    def of(maze):
        logits = up_left * np.array([1.0, 0.0, 0.0, 1.0])
        logits[maze.path(maze.cheese)] += goal_path
        logits[maze.path((0, 0))] += proxy_path
        return logits + goal_euclid * maze.nearer(maze.cheese) + proxy_euclid * maze.nearer((0, 0))

    return of


def test_the_field_is_what_the_policy_does_square_by_square(bidding):
    levels = LEVELS[np.arange(3)]
    cheese = levels.open_squares[:, 7]
    policy = bidding(lambda maze: np.arange(4.0) * maze.steps((0, 0)))
    field = action_field(policy, levels, CONFIG, cheese, np.full(3, NOWHERE))
    assert len(field.situation) == 3 * (levels.num_open - 1)
    for i in (0, 11, 40, 89):
        one = Situation(*(array[i : i + 1] for array in vars(field.situation).values()))
        alone = action_probabilities(policy, observe(levels, one, CONFIG))
        np.testing.assert_allclose(field.probabilities[i], alone[0], atol=1e-12)
    assert (field.situation.mouse != cheese[field.situation.level]).all()
    with pytest.raises(ValueError, match="cheese must be one square for each of the 3 levels"):
        action_field(policy, levels, CONFIG, cheese[:2], np.full(3, NOWHERE))


def test_weights_of_shards_are_given_back_in_every_context(probe, bidding):
    weights = {"goal_path": 1.5, "proxy_path": -0.7, "goal_euclid": 0.4, "up_left": 0.9}
    found = probe(bidding(bids(**weights)))
    for context in CONTEXTS:
        for name in heuristics_of(context):
            # Where the paths agree, both bid for one step.
            true = 0.8 if name == "path" else weights.get(name, 0.0)
            assert found[f"weight_{name}_{context}"].value == pytest.approx(true, abs=EXACT)
        assert found[f"explained_{context}"].value == pytest.approx(1.0, abs=1e-4)
    assert list(found) == list(probe.observables)


def test_a_crow_is_recognized(probe, bidding):
    found = probe(bidding(bids(goal_euclid=3.0)))
    for context in CONTEXTS:
        for name in heuristics_of(context):
            true = 3.0 if name == "goal_euclid" else 0.0
            assert found[f"weight_{name}_{context}"].value == pytest.approx(true, abs=4 * EXACT)


def test_a_shard_that_is_active_only_near_the_cheese_is_seen_there_alone(probe, bidding):
    def of(maze):
        is_near = maze.steps(maze.cheese) <= probe.near
        return bids(goal_path=2.0 * is_near, proxy_path=1.0)(maze)

    found = probe(bidding(of))
    assert found["weight_goal_path_near"].value == pytest.approx(2.0, abs=4 * EXACT)
    assert found["weight_goal_path_far"].value == pytest.approx(0.0, abs=4 * EXACT)
    for context in ("near", "far"):
        assert found[f"weight_proxy_path_{context}"].value == pytest.approx(1.0, abs=4 * EXACT)


def test_contexts_are_what_they_say(probe):
    where = probe.situation
    goal = probe._all_features[:, :, 0].argmax(axis=1)
    proxy = probe._all_features[:, :, 1].argmax(axis=1)
    np.testing.assert_array_equal(goal == proxy, probe.context == 0)
    assert (where.mouse != CORNER).all() and (where.mouse != where.cheese).all()
    assert set(probe.context) == {0, 1, 2}
    # Along a corridor the two paths are each other's opposite: only junctions tell them apart.
    assert probe.inflation("far")["goal_path"] > 3 > probe.inflation("agree")["path"]


def test_levels_on_which_nothing_parts_are_refused():
    few = replace(CONFIG, cells=2, num_held_out_levels=1)
    with pytest.raises(ValueError, match="goal and proxy never part on these 1 levels"):
        for seed in range(50):
            rng = np.random.default_rng(seed)
            draw_heuristic_weights(few.pools().held_out, few, num_levels=1, rng=rng)
