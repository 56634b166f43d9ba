"""Thinking time, moves ahead and plans at junctions, of the planner made by hand and of others."""

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
import torch

from empirics.learned_probes.held_out import level_folds
from empirics.levels import distances
from empirics.maze import draw_situations, observe
from empirics.policies.maze_policy import MazeNetwork
from empirics.policies.recurrent_maze_policy import RecurrentMazeNetwork
from empirics.probes.catalog import PLANS
from empirics.probes.lookahead.bilinear import fit_bilinear
from empirics.probes.lookahead.draw_inputs import some
from empirics.probes.lookahead.junction_plan import NUM_RANDOM, draw_junction_plan
from empirics.probes.lookahead.patching import LookaheadPatching
from empirics.probes.lookahead.plan import LookaheadPlan
from empirics.probes.lookahead.second_move import draw_second_move
from empirics.probes.lookahead.thinking import TIMES, draw_thinking
from empirics.probes.lookahead.untrained import decided, untrained
from empirics.probes.status import is_present, status


@pytest.fixture(scope="module")
def levels(config):
    return config.pools().held_out


def test_thinking_of_a_planner_is_that_of_its_equation(levels, config, flood):
    probe = draw_thinking(levels, config, num_levels=50, rng=np.random.default_rng(0))
    found, ticks = probe(flood.policy(9)), {"few": 3, "trained": 9, "more": 12, "twice": 18}
    assert set(ticks) == set(TIMES)
    p = {
        time: np.array([flood.p_correct(steps, number) for steps in probe.steps])
        for time, number in ticks.items()
    }
    far = probe.steps > np.median(probe.steps)
    for time in TIMES:
        for where, chosen in (("near", ~far), ("far", far)):
            value = found[f"p_correct_{time}_{where}"].value
            assert value == pytest.approx(p[time][chosen].mean(), abs=1e-4)
    more = p["more"] - p["trained"]
    assert found["thinking_gain"].value == pytest.approx(more.mean(), abs=1e-4)
    assert found["thinking_gain_far"].value == pytest.approx(more[far].mean(), abs=1e-4)
    used = (p["trained"] - p["few"]).mean()
    assert found["thinking_used"].value == pytest.approx(used, abs=1e-4)
    assert more[far].mean() > 0.05 > more[~far].mean()


def test_an_agent_without_ticks_gains_nothing(levels, config):
    probe = draw_thinking(levels, config, num_levels=20, rng=np.random.default_rng(0))
    network = MazeNetwork(width=4, depth=2, hidden=4)
    found = probe(network.build(config.observation_shape, 4, rng=np.random.default_rng(0)))
    assert all(found[name].value == 0.0 for name in probe.observables if "thinking" in name)


def test_a_plan_is_where_the_flood_has_been(levels, config, flood):
    """The reader finds the flood's direction on every junction, and none without cheese."""
    planner = flood.policy(40)
    probe = draw_junction_plan(levels, config, planner, rng=np.random.default_rng(1))
    found = probe(planner)
    f1 = found["junction_f1_end"]
    assert f1.value > 0.9 and set(f1.baselines) == {
        "without cheese",
        "random network",
        "observation",
    }
    assert max(f1.baselines.values()) < 0.75
    assert "is present" in status("junction_plan", found["junction_plan"])
    assert found["junction_plan"].value == pytest.approx(f1.above_baseline, abs=1e-12)
    # A third of the ticks has reached fewer junctions.
    assert found["junction_f1_early"].value < f1.value
    assert "is present" in status("plan_steering", found["plan_steering"])
    assert list(found) == list(probe.observables)


def test_random_networks_as_decided_as_trained_ones_are_not_steered_by_a_plan(levels, config):
    """Each exceeds the largest of 39 once in 40 times: of 20, three or more in 1.2 %."""
    network = RecurrentMazeNetwork(width=8, ticks=3, stride=2, hidden=16)
    policy = network.build(config.observation_shape, 4, rng=np.random.default_rng(0))
    rng = np.random.default_rng(2)
    probe = draw_junction_plan(levels, config, policy, num_levels=60, rng=rng)
    seen = observe(levels, probe.situation, config)
    found = [probe(decided(untrained(policy, rng=rng), seen))["plan_steering"] for _ in range(20)]
    largest = f"largest of {NUM_RANDOM} random networks"
    limit = found[0].baselines[largest]
    assert limit > 0.02 and all(each.baselines[largest] == limit for each in found)
    assert sum(each.value > limit for each in found) <= 2
    assert not any(is_present("plan_steering", each) for each in found)


def test_a_move_ahead_is_told_where_the_flood_has_come_half_way(levels, config, flood):
    """Half-way it has reached the second move's cell and not yet the junction's other arms."""
    ticks = 18
    probe = draw_second_move(levels, config, flood.policy(ticks), rng=np.random.default_rng(1))
    now = probe.situation
    away = distances(levels[now.level], now.cheese)[np.arange(len(now)), now.mouse]
    half = np.flatnonzero((away - 4 <= ticks // 2 - 1) & (away > ticks // 2 - 1))
    chosen = replace(
        probe,
        situation=some(now, half),
        junction=probe.junction[half],
        fold=level_folds(now.level[half], rng=np.random.default_rng(0)),
        stage="middle",
    )
    found = chosen(flood.policy(ticks))
    accuracy = found["second_move_accuracy"]
    assert accuracy.n_levels == half.size > 20
    assert accuracy.value == 1.0
    assert accuracy.baselines["first move known"] == pytest.approx(0.5, abs=0.05)
    assert accuracy.baselines["without cheese"] < 0.8
    assert "is present" in status("second_move", found["second_move"])


def test_junctions_lie_one_move_ahead_and_the_cheese_behind_them(levels, config, flood, graphs):
    probe = draw_second_move(levels, config, flood.policy(3), rng=np.random.default_rng(1))
    now = probe.situation
    for i in range(0, len(now), 5):
        maze = graphs(levels.walls[now.level[i]])
        mouse, junction, cheese = (
            divmod(int(square), 7) for square in (now.mouse[i], probe.junction[i], now.cheese[i])
        )
        path = nx.shortest_path(maze, mouse, cheese)
        assert path[2] == junction and maze.degree[junction] >= 3 and len(path) - 1 >= 6
        lengths = nx.single_source_shortest_path_length(maze, mouse)
        cells = {row * 7 + column for (row, column), n in lengths.items() if n == 4}
        assert set(probe._cells[i]) - {-1} == cells
        behind = nx.single_source_shortest_path_length(maze, junction)
        assert probe._num_behind[i] == sum(n == 2 for n in behind.values()) - 1


def test_a_bilinear_truth_is_found_and_chance_is_not_beaten():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(4, 3))
    x, z = rng.normal(size=(600, 5, 4)), rng.normal(size=(600, 3))
    there = rng.random((600, 5)) < 0.8
    there[:, :2] = True
    bids = np.where(there, np.einsum("nmd,de,ne->nm", x, truth, z), -np.inf)
    chosen = bids.argmax(axis=1)
    fitted = fit_bilinear(x[:400], z[:400], there[:400], chosen[:400])
    told = np.where(there, fitted.logits(x, z), -np.inf).argmax(axis=1)
    assert (told == chosen)[400:].mean() > 0.93
    at_random = np.where(there, rng.random(there.shape), -1.0).argmax(axis=1)
    fitted = fit_bilinear(x[:400], z[:400], there[:400], at_random[:400])
    told = np.where(there, fitted.logits(x, z), -np.inf).argmax(axis=1)
    chance = (1.0 / there[400:].sum(axis=1)).mean()
    assert (told == at_random)[400:].mean() == pytest.approx(chance, abs=4 * 0.5 / 200**0.5)
    with pytest.raises(ValueError, match="must be one of those that are there"):
        fit_bilinear(x, z, ~there | (there & False), chosen)


def test_an_untrained_copy_is_drawn_anew_and_the_network_is_left_alone():
    network = RecurrentMazeNetwork(width=4, ticks=2, hidden=5).build(
        (3, 5, 5), 4, rng=np.random.default_rng(0)
    )
    before, state = [p.clone() for p in network.parameters()], torch.get_rng_state()
    fresh = untrained(network, rng=np.random.default_rng(1))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(map(torch.equal, before, network.parameters()))
    drawn = [p.ndim > 1 for p in before]  # some biases start at 0
    changed = [not torch.equal(*pair) for pair in zip(before, fresh.parameters(), strict=True)]
    assert all(change for change, is_weight in zip(changed, drawn, strict=True) if is_weight)
    again = untrained(network, rng=np.random.default_rng(1))
    assert all(map(torch.equal, fresh.parameters(), again.parameters()))


def test_a_plan_measures_an_agent_by_two_of_its_checkpoints(config, flood):
    plan = LookaheadPlan(num_lookahead_inputs=8, num_thinking_levels=20, num_plan_levels=60)
    others = plan.without_patching(config, flood.policy(3))
    assert PLANS["LookaheadPlan"]() == (LookaheadPatching, *map(type, others))
    with pytest.raises(ValueError, match="no position is hard"):
        plan.probes(config, weak=flood.policy(3), strong=flood.policy(20))
    with pytest.raises(ValueError, match="num_plan_levels must be at least 1; it is 0."):
        LookaheadPlan(num_plan_levels=0)
    assert LookaheadPlan(**plan.conditions) == plan


@pytest.mark.parametrize(
    "network", [RecurrentMazeNetwork(width=16, ticks=8, hidden=32), MazeNetwork(width=16, depth=3)]
)
def test_an_untrained_copy_is_drawn_from_what_training_begins_with(network):
    """Layer by layer the weights have the size of those that the network is built with."""
    built, copies = [], []
    for seed in range(30):
        policy = network.build((3, 7, 7), 4, rng=np.random.default_rng(seed))
        built.append([p.norm().item() for p in policy.parameters()])
        fresh = untrained(policy, rng=np.random.default_rng([seed, 1]))
        copies.append([p.norm().item() for p in fresh.parameters()])
    error = np.hypot(np.std(built, axis=0), np.std(copies, axis=0)) / np.sqrt(30)
    assert (np.abs(np.mean(built, axis=0) - np.mean(copies, axis=0)) <= 4 * error + 1e-6).all()


@pytest.mark.parametrize("spread", [0.5, 3.0])
def test_a_decided_network_has_logits_that_vary_so_far_around_nothing(levels, config, spread):
    network = MazeNetwork(width=4, depth=2, hidden=4)
    policy = network.build(config.observation_shape, 4, rng=np.random.default_rng(0))
    situation = draw_situations(levels, np.arange(40), config, rng=np.random.default_rng(1))
    seen = observe(levels, situation, config)
    assert decided(policy, seen, spread=spread) is policy
    logits = policy(torch.from_numpy(seen))[0]
    assert logits.std(dim=0).mean().item() == pytest.approx(spread, rel=1e-4)
    assert logits.mean(dim=0).abs().max().item() < 1e-4
    with pytest.raises(ValueError, match="a Linear has no linear layer 'actor' to be scaled"):
        decided(torch.nn.Linear(2, 2), seen)
