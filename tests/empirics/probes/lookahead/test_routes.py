"""Routes, far corruptions and small parts, against graphs and closed forms."""

import math

import networkx as nx
import numpy as np
import pytest
import torch

from empirics.maze import NOWHERE, draw_situations
from empirics.probes.lookahead.corruption import jensen_shannon
from empirics.probes.lookahead.far_walls import far_toggles, steps_between, toggled
from empirics.probes.lookahead.junctions import junctions_on
from empirics.probes.lookahead.log_odds import log_odds
from empirics.probes.lookahead.routes import best_routes, open_ways, own_routes


@pytest.fixture(scope="module")
def drawn(config):
    levels = config.pools().held_out
    return levels, draw_situations(levels, np.arange(40), config, rng=np.random.default_rng(0))


def test_best_routes_are_the_paths_of_a_graph(drawn, paths):
    levels, now = drawn
    routes = best_routes(levels, now)
    for i in range(len(now)):
        path = paths(levels.walls[i], now.mouse[i], now.cheese[i])
        assert [square for square in routes.squares[i] if square != NOWHERE] == path
        assert (routes.steps[i] >= 0).sum() == len(path) - 1
        np.testing.assert_array_equal(np.flatnonzero(routes.on_route(7)[i]), np.sort(path))
    np.testing.assert_array_equal(routes.at(10**6), np.full(len(now), NOWHERE))


def test_the_routes_of_a_planner_are_the_best_and_it_is_asked_at_junctions_alone(drawn, flood):
    levels, now = drawn
    asked = []
    planner = flood.policy(60)

    def counting(observation):
        asked.append(len(observation))
        return planner(observation)

    own, best = own_routes(counting, levels, flood.config, now), best_routes(levels, now)
    np.testing.assert_array_equal(own.squares, best.squares)
    junctions = (open_ways(levels)[:40] > 2).sum()
    assert sum(asked) <= junctions + 40
    ahead = junctions_on(own, levels.next_square[now.level])
    assert (open_ways(levels)[ahead.row, ahead.square] > 2).all()
    assert (ahead.square != now.mouse[ahead.row]).all() and (ahead.step != ahead.other).all()
    for row, square, step, other in zip(*vars(ahead).values(), strict=True):
        at = own.squares[row].tolist().index(square)
        after = levels.next_square[row, square]
        assert after[step] == own.squares[row, at + 1] != after[other]
        assert after[other] not in (square, own.squares[row, at - 1])


def test_routes_of_any_agent_end_and_never_turn_back(drawn, config):
    levels, now = drawn
    rng = np.random.default_rng(2)

    def anyhow(observation):
        return torch.from_numpy(rng.normal(size=(len(observation), 4))), None

    routes = own_routes(anyhow, levels, config, now)
    for i, squares in enumerate(routes.squares):
        visited = squares[squares != NOWHERE]
        assert np.unique(visited).size == visited.size
        assert visited[-1] == now.cheese[i] or open_ways(levels)[i, visited[-1]] == 1


def test_toggles_flip_the_first_step_of_a_tree_and_are_all_that_do(drawn, graphs, paths):
    levels, now = drawn
    steps = steps_between(levels[:40])
    number = 0
    for i in range(20):
        mouse, cheese = int(now.mouse[i]), int(now.cheese[i])
        row, column = divmod(mouse, 7)
        if row % 2 or column % 2:
            continue
        found = {tuple(pair) for pair in far_toggles(steps[i], mouse, cheese, 3).tolist()}
        assert found == _by_trying(levels.walls[i], mouse, cheese, paths, graphs)
        number += len(found)
        if found:
            pair = np.array([min(found)])
            changed = toggled(levels, np.array([i]), pair)
            assert (changed.walls[0] != levels.walls[i]).sum() == 2
    assert number > 10


def _by_trying(walls, mouse, cheese, paths, graphs):
    """Every far pair of a passage and a wall between cells, one by one."""
    first = paths(walls, mouse, cheese)[1]
    between = [s for s in range(49) if (s // 7 + s % 7) % 2]
    far = [s for s in between if max(abs(s // 7 - mouse // 7), abs(s % 7 - mouse % 7)) >= 3]
    found = set()
    for closed in far:
        for opened in far:
            if closed == cheese or walls.flat[closed] or not walls.flat[opened]:
                continue
            new = walls.copy()
            new.flat[closed], new.flat[opened] = True, False
            if nx.is_tree(graphs(new)) and paths(new, mouse, cheese)[1] != first:
                found.add((closed, opened))
    return found


def test_steps_between_squares_are_those_of_a_graph(drawn, graphs):
    levels, _ = drawn
    steps = steps_between(levels[:3])
    for i in range(3):
        lengths = dict(nx.all_pairs_shortest_path_length(graphs(levels.walls[i])))
        for a in range(49):
            for b in range(49):
                told = lengths.get(divmod(a, 7), {}).get(divmod(b, 7), -1)
                assert steps[i, a, b] == told


def test_divergence_and_log_odds_have_their_closed_forms():
    sure, even = np.array([[1.0, 0, 0, 0]]), np.full((1, 4), 0.25)
    assert jensen_shannon(sure, np.array([[0, 1.0, 0, 0]]))[0] == pytest.approx(math.log(2))
    assert jensen_shannon(even, even)[0] == 0.0
    by_hand = 0.5 * math.log(1 / 0.625) + 0.5 * (0.25 * math.log(0.25 / 0.625) + 0.75 * math.log(2))
    assert jensen_shannon(sure, even)[0] == pytest.approx(by_hand)
    assert log_odds(even, np.array([2]))[0] == pytest.approx(-math.log(3))
    tiny = 1e-11  # 1 − P would have lost digits of it
    p = np.array([[1 - 3 * tiny, tiny, tiny, tiny]])
    assert log_odds(p, np.array([0]))[0] == pytest.approx(-math.log(3 * tiny), abs=1e-9)
